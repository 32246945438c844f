/**
 * What is under way with the network: one thing at a time, whichever view of the panel began it.
 *
 * Event: "change".
 */

class Busy extends EventTarget {
  /** @type {string | null} what to say to somebody who wants to begin something else meanwhile */ words = null;

  /** @template T @param {string} words @param {() => Promise<T>} work @returns {Promise<T>} */
  async during(words, work) {
    this.#set(words);
    try {
      return await work();
    } finally {
      this.#set(null);
    }
  }

  /** @param {string | null} words */
  #set(words) {
    this.words = words;
    this.dispatchEvent(new Event("change"));
  }
}

/** Of this page. */
export const busy = new Busy();
