/**
 * My samples: drawings with the digit that they are, as the person says. What is kept of each is the 28 x 28 image that the
 * network saw.
 *
 * Event: "change", the list is another.
 */

import { sampleStore } from "./store.js";

const PIXELS = 784;
const MOST = 5000; // in all; 4 MB
const FORMAT = "inkling-samples-1";
const HELD_OUT = 4; // of so many drawings of a digit, one is not learned from, so that it can tell what learning was worth

export class Samples extends EventTarget {
  #warning = /** @type {string | null} */ (null);

  /** Reads what was kept. */
  async load() {
    this.#warning = await sampleStore.load();
    return this;
  }

  /** Oldest first. @returns {Sample[]} */
  get list() {
    return sampleStore.entries.map(([, sample]) => sample).sort((a, b) => a.id - b.id);
  }

  /** Why they will not outlast this tab, or null. */
  get warning() {
    return this.#warning;
  }

  /** @param {{image: ArrayLike<number>, digit: number | null}} prediction whose image has values from 0 to 1 @param {number} label */
  async add({ image, digit }, label) {
    const bytes = Uint8Array.from(image, (value) => Math.round(255 * value));
    await this.#put([{ image: bytes, label, answer: digit }]);
  }

  /** @param {number} id @param {number} label */
  async relabel(id, label) {
    const sample = /** @type {Sample} */ (sampleStore.get(id));
    this.#warning = await sampleStore.put(id, { ...sample, label });
    this.dispatchEvent(new Event("change"));
  }

  /** @param {number[]} ids */
  async remove(ids) {
    for (const id of ids) this.#warning = await sampleStore.remove(id);
    this.dispatchEvent(new Event("change"));
  }

  /** All of them as the text of a file. */
  toText() {
    const samples = this.list.map(({ image, label }) => ({ label, image: btoa(String.fromCharCode(...image)) }));
    return JSON.stringify({ format: FORMAT, samples });
  }

  /**
   * Adds what a file of `toText` holds, without those that are here already.
   * @param {string} text
   * @returns {Promise<number>} how many are new
   * @throws if it is no such file
   */
  async addText(text) {
    const here = new Set(this.list.map(nameOf));
    const fresh = parse(text).filter((sample) => !here.has(nameOf(sample)));
    if (here.size + fresh.length > MOST) throw new Error(`There would be ${here.size + fresh.length} drawings; at most ${MOST} are kept.`);
    await this.#put(fresh);
    return fresh.length;
  }

  /** @param {Omit<Sample, "id">[]} samples */
  async #put(samples) {
    if (!samples.length) return;
    const first = Math.max(Date.now(), 1 + (this.list.at(-1)?.id ?? 0));
    this.#warning = await sampleStore.putAll(samples.map((sample, i) => [first + i, { ...sample, id: first + i }]));
    this.dispatchEvent(new Event("change"));
  }
}

/** @param {{image: Uint8Array, label: number}} sample */
const nameOf = ({ image, label }) => `${label}:${image}`;

/** @param {string} text @returns {Omit<Sample, "id">[]} */
function parse(text) {
  /** @type {any} */
  let file = null;
  try {
    file = JSON.parse(text);
  } catch {
    // told below
  }
  if (file?.format !== FORMAT || !Array.isArray(file.samples)) throw new Error("This is no file of drawings. Choose one that was downloaded here.");
  return file.samples.map((/** @type {any} */ entry, /** @type {number} */ i) => {
    const { image, label } = entry ?? {};
    const bytes = decoded(image);
    if (bytes.length !== PIXELS || !Number.isInteger(label) || label < 0 || label > 9) {
      throw new Error(`Drawing ${i + 1} of the file is damaged: it must have a label from 0 to 9 and ${PIXELS} values.`);
    }
    return { image: bytes, label, answer: null };
  });
}

/** The bytes of a text in base64; none if it is something else. @param {any} text */
function decoded(text) {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

/**
 * Which are learned from, and which only tell whether that was of use: one of four of each digit, from the third on.
 * @param {Sample[]} samples
 * @returns {{learned: Sample[], held: Sample[]}}
 */
export function split(samples) {
  const seen = Array(10).fill(0);
  const isHeld = samples.map(({ label }) => seen[label]++ % HELD_OUT === 2);
  return { learned: samples.filter((_, i) => !isHeld[i]), held: samples.filter((_, i) => isHeld[i]) };
}

/** As the recogniser takes them. @param {Sample[]} samples */
export function dataOf(samples) {
  const images = new Uint8Array(PIXELS * samples.length);
  samples.forEach(({ image }, i) => images.set(image, PIXELS * i));
  return { images, labels: Int8Array.from(samples, ({ label }) => label) };
}

/** Those of this device. */
export const samples = new Samples();
