/**
 * Put into a copy of our page by bench_boot.py: draws a digit as soon as there is a pad, and tells the server when it was read.
 */

import { strokes } from "./settings.js";

const asked = new URLSearchParams(location.search);
const returns = !asked.has("once"); // this browser will come again: let it keep what it keeps
const SERVER = asked.get("server") ?? "./"; // a page from file: is told where to report
const SETTLE = 8000; // ms in which the browser writes its caches: compiled WebAssembly two seconds after the last of it, which ours makes hot for the purpose
const LONGEST_KEEPING = 60_000; // ms that a page may take to keep itself for use without network

/** ms that each task took which kept the page's main thread for more than 50; null where the browser does not note them. */
function longTasks() {
  if (!PerformanceObserver.supportedEntryTypes.includes("longtask")) return null;
  return new Promise((resolve) => {
    const observer = new PerformanceObserver((list) => resolve(list.getEntries().map(({ duration }) => duration)));
    observer.observe({ type: "longtask", buffered: true });
    setTimeout(resolve, 500, []);
  });
}

/**
 * @param {Record<string, any>} result as it is when the digit has been read
 * @param {() => Promise<Record<string, any>>} more what is only asked for afterwards
 */
export async function report(result, more = async () => ({})) {
  await tell("__answered"); // the server notes how much it has sent until now
  const whole = { ...result, blocked: await longTasks(), ...(await more()) };
  if (returns) await sleep(SETTLE);
  await tell(`__report?${encodeURIComponent(JSON.stringify(whole))}`);
}

const tell = (/** @type {string} */ what) => fetch(SERVER + what, { mode: "no-cors" });

async function visit() {
  const element = document.querySelector("digit-recognizer");
  await customElements.whenDefined("digit-recognizer");
  const answered = new Promise((resolve, reject) => {
    element.addEventListener("change", ({ detail }) => detail && resolve({ ms: performance.now(), digit: detail.digit }));
    element.addEventListener("error", ({ detail }) => reject(detail));
  });
  element.strokes = strokes.map((stroke) => ({ tool: "pen", width: 20 / 280, points: stroke.flat() }));
  await report(await answered, async () => {
    const [pad] = performance.getEntriesByName("inkling:pad");
    const { boot } = await element.recognizer.health();
    return { boot, pad: pad.startTime, kept: returns && location.protocol !== "file:" ? await kept(element) : null };
  });
}

/** Whether the page has all that it needs without network, once it says so. */
async function kept(element) {
  const deadline = performance.now() + LONGEST_KEEPING;
  const isKept = () => Boolean(element.shadowRoot.querySelector("[data-offline=ready]"));
  while (!isKept() && performance.now() < deadline) await sleep(100);
  return isKept();
}

const sleep = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

if (document.querySelector("digit-recognizer")) visit().catch(({ message }) => tell(`__report?${encodeURIComponent(JSON.stringify({ error: message }))}`));
