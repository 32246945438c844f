/**
 * The facts for those who want them: times, model, versions.
 */

/** @typedef {import("./digit-recognizer.js").DigitRecognizer} DigitRecognizer */
/** @typedef {import("./inkling.js").Health} Health */
/** @typedef {import("./inkling.js").Prediction} Prediction */

/** @param {number} ms */
const milliseconds = (ms) => `${ms.toFixed(ms < 100 ? 1 : 0)} ms`;

/** @param {Health} health @param {Prediction | null} prediction @returns {[string, string][]} */
function facts({ model, versions, boot }, prediction) {
  const start = Object.entries(boot.ms).map(([stage, ms]) => `${stage} ${milliseconds(ms)}`);
  return [
    ["Network", `${model.name}, ${model.parameters.toLocaleString("en")} parameters`],
    ["MNIST test", `${(100 * model.mnist_test_accuracy).toFixed(2)}% right`],
    ["Weights", `sha256 ${model.sha256.slice(0, 16)}…`],
    ...(prediction ? [/** @type {[string, string]} */ (["This answer", [
      `preprocessing ${milliseconds(prediction.ms.preprocess)}`,
      `network ${milliseconds(prediction.ms.forward)}`,
      `in all ${milliseconds(prediction.ms.total)}`,
    ].join(", ")])] : []),
    ["Start", start.join(", ")],
    ["Versions", Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ")],
  ];
}

/**
 * @param {HTMLDetailsElement} details
 * @param {HTMLDListElement} list
 * @param {DigitRecognizer} element
 */
export function offerDetails(details, list, element) {
  const refresh = async () => {
    if (!details.open) return;
    const health = await element.recognizer?.health();
    const rows = health ? facts(health, element.prediction) : [/** @type {[string, string]} */ (["Network", "is still loading"])];
    list.replaceChildren(...rows.flatMap(([name, value]) => {
      const [term, description] = [document.createElement("dt"), document.createElement("dd")];
      term.textContent = name;
      description.textContent = value;
      return [term, description];
    }));
  };
  details.addEventListener("toggle", () => refresh().catch((error) => element.tell(error.message)));
}
