/**
 * The page of bench_soak.py with stock Pyodide: call({call, ...fields}) as in page.js.
 */

const worker = new Worker(new URL("./soak-worker.js", import.meta.url), { type: "module" });
const waiting = new Map();
worker.onmessage = ({ data: { id, value, error } }) => {
  const [resolve, reject] = waiting.get(id);
  if (error) reject(new Error(error));
  else resolve(value);
};

globalThis.call = (fields) => new Promise((resolve, reject) => {
  const id = waiting.size;
  waiting.set(id, [resolve, reject]);
  worker.postMessage({ id, ...fields });
});
