/**
 * The page's side of learning: what a Recognizer's train, evaluate, ... hand on to the worker (lessons.js). types.d.ts says what
 * they take and give.
 */

import { data } from "./data.js";

/** @param {import("./engine.js").Engine} engine @returns {Learning} */
export function learningOf(engine) {
  /**
   * One request that may take long: with the signal's reason once it is aborted.
   * @param {string} name
   * @param {any} fields
   * @param {{signal?: AbortSignal, onProgress?: (progress: any) => void}} options
   */
  async function call(name, fields, { signal, onProgress }) {
    signal?.throwIfAborted();
    try {
      return await engine.call(name, fields, [], { signal, onProgress });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  }

  return {
    train(settings, { mode = "scratch", data: source = "mnist-train", live = true, resume, checkpointEvery = 5000, onCheckpoint, onProgress, signal } = {}) {
      const fields = { mode, settings: settings ?? {}, data: asBytes(source), live, resume, checkpointEvery: onCheckpoint && mode === "scratch" ? checkpointEvery : 0 };
      return call("train", fields, { signal, onProgress: ({ checkpoint, ...progress }) => {
        try {
          onProgress?.(/** @type {any} */ (progress));
        } finally {
          if (checkpoint) onCheckpoint?.(checkpoint);
        }
      } });
    },
    prepare: ({ onProgress, signal } = {}) => call("prepare", {}, { signal, onProgress }),
    evaluate: (source, { mistakes = 24, onProgress, signal } = {}) => call("evaluate", { data: asBytes(source), mistakes }, { signal, onProgress }),
    steer: (order) => engine.call("steer", order),
    settings: (settings) => engine.call("checkSettings", { settings }),
    dataSets: async () => Object.fromEntries(Object.entries(data).map(([name, { bytes }]) => [name.replace(".npz", ""), { bytes }])),
    getWeights: () => engine.call("getWeights"),
    setWeights: (npz, { name = "own weights" } = {}) => engine.call("setWeights", { npz, called: name }),
    resetWeights: () => engine.call("resetWeights"),
  };
}

/** @param {string | {images: Uint8Array, labels: ArrayLike<number>}} source */
const asBytes = (source) => (typeof source === "string" ? source : { images: source.images, labels: Int8Array.from(source.labels) });
