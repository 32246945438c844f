/**
 * Stock Pyodide in a worker that answers the same calls as ours: {id, ...fields} -> {id, value} or {id, error}.
 */

import { callSoak } from "./soak.js";
import { load } from "./stock.js";

const loaded = load();

self.onmessage = async ({ data: { id, ...fields } }) => {
  try {
    self.postMessage({ id, value: await callSoak(await loaded, fields) });
  } catch (error) {
    self.postMessage({ id, error: String(error) });
  }
};
