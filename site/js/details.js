/**
 * The facts for those who want them: times, model, versions. They unfold under everything else and follow the drawing.
 */

import { grouped } from "./models.js";

/** @typedef {import("./digit-recognizer.js").DigitRecognizer} DigitRecognizer */

/** @param {number} ms */
const milliseconds = (ms) => `${ms.toFixed(ms < 100 ? 1 : 0)} ms`;

/** @param {DigitRecognizer} element */
function timesOf({ prediction, source }) {
  if (!prediction) return source ? "Not read yet" : "Nothing drawn";
  const { preprocess, forward, total } = prediction.ms;
  return `preprocessing ${milliseconds(preprocess)}, network ${milliseconds(forward)}, in all ${milliseconds(total)}`;
}

/** @param {Record<string, number>} ms */
function startOf({ total, ...stages }) {
  const parts = Object.entries(stages).map(([stage, time]) => `${stage} ${milliseconds(time)}`);
  return [...parts, `in all ${milliseconds(total)}`].join(", ");
}

/** @param {Health} health @returns {[string, string][]} */
function factsOf({ model, versions, boot }) {
  return [
    ["Network", `${model.name}, ${grouped(model.parameters)} parameters`],
    ["MNIST test", model.mnist_test_accuracy === null ? "not measured: a network of your own" : `${(100 * model.mnist_test_accuracy).toFixed(2)}% right`],
    ["Weights", `sha256 ${model.sha256.slice(0, 16)}…`],
    ["Start", startOf(boot.ms)],
    ["Versions", Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ")],
  ];
}

/** @param {[string, string]} fact */
function row([name, value]) {
  const [group, term, description] = ["div", "dt", "dd"].map((tag) => document.createElement(tag));
  term.textContent = name;
  description.textContent = value;
  group.append(term, description);
  return group;
}

/** The lists that follow the drawing by now. */
const following = new WeakSet();

/**
 * Unfolds the facts, or folds them up again.
 * @param {HTMLElement} button
 * @param {HTMLElement} list
 * @param {DigitRecognizer} element
 */
export async function toggleDetails(button, list, element) {
  list.hidden = !list.hidden;
  button.setAttribute("aria-expanded", String(!list.hidden));
  if (!following.has(list)) follow(list, element);
  await refresh(list, element);
  list.scrollIntoView({ block: "nearest" });
}

/** @param {HTMLElement} list @param {DigitRecognizer} element */
async function refresh(list, element) {
  if (list.hidden) return;
  const health = await element.recognizer?.health().catch(() => null); // it died meanwhile: "ready" or "error" follows
  list.replaceChildren(row(["This answer", timesOf(element)]), ...(health ? factsOf(health).map(row) : []));
}

/** @param {HTMLElement} list @param {DigitRecognizer} element */
function follow(list, element) {
  following.add(list);
  for (const news of ["ready", "error", "modelchange"]) element.addEventListener(news, () => refresh(list, element));
  const showTimes = () => {
    const times = list.hidden ? null : list.querySelector("dd");
    if (times) times.textContent = timesOf(element);
  };
  for (const news of ["input", "change"]) element.addEventListener(news, showTimes); // without a network there is no change
}
