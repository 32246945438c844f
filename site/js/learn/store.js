/**
 * What the person keeps on this device: drawings, networks, the last checkpoint of a run. Memory is what counts and IndexedDB
 * follows, so that a browser that keeps nothing breaks nothing.
 */

import { inTime } from "../errors.js";

const DATABASE = "inkling";
const VERSION = 1;
const STORES = ["samples", "networks", "runs"];
const PATIENCE = 5000; // ms; storage that does not answer must keep nobody from the network

/** What is said when something could not be kept. */
const FORBIDDEN = "This browser keeps nothing for this page: what you make here lasts as long as this tab.";
const FULL = "The storage is full: this lasts only as long as this tab. Delete something, or download it.";

/** @type {Promise<IDBDatabase> | undefined} */
let opened;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, VERSION);
    request.onupgradeneeded = () => STORES.forEach((name) => request.result.createObjectStore(name));
    request.onblocked = () => reject(new Error("another tab holds it"));
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close(); // a newer page wants it
      resolve(request.result);
    };
  });
  return opened;
}

/**
 * @template T
 * @param {string} name
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T> | undefined} ask
 * @returns {Promise<T>} the last answer, as soon as the whole is on the disk
 */
async function transact(name, mode, ask) {
  const transaction = (await database()).transaction(name, mode);
  const request = ask(transaction.objectStore(name));
  if (mode === "readwrite") transaction.commit(); // now, not at the next turn: the page may be closed before
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(/** @type {T} */ (request?.result));
    transaction.onabort = transaction.onerror = () => reject(transaction.error ?? request?.error);
  });
}

/**
 * Values by key, all of one kind.
 * @template T
 */
export class Store {
  #name;
  /** @type {Map<IDBValidKey, T>} */ #values = new Map();
  /** @type {Promise<string | null> | undefined} */ #loaded;

  /** @param {"samples" | "networks" | "runs"} name */
  constructor(name) {
    this.#name = name;
  }

  /** Reads what was kept; later calls do nothing. @returns {Promise<string | null>} a warning, if nothing can be kept here */
  load() {
    this.#loaded ??= (async () => {
      const read = Promise.all([
        transact(this.#name, "readonly", (store) => store.getAllKeys()), transact(this.#name, "readonly", (store) => store.getAll())]);
      const take = read.then(([keys, values]) => keys.forEach((key, i) => this.#values.has(key) || this.#values.set(key, values[i]))); // also late
      try {
        await inTime(take, PATIENCE);
        return null;
      } catch (error) {
        take.catch(() => {});
        console.warn("IndexedDB:", error);
        return FORBIDDEN;
      }
    })();
    return this.#loaded;
  }

  /** In the order in which they were put. */
  get entries() {
    return [...this.#values];
  }

  /** @param {IDBValidKey} key */
  get(key) {
    return this.#values.get(key);
  }

  /** @param {IDBValidKey} key @param {T} value @returns {Promise<string | null>} a warning, if it is not kept beyond this tab */
  put(key, value) {
    return this.putAll([[key, value]]);
  }

  /** All or none of them. @param {[IDBValidKey, T][]} entries @returns {Promise<string | null>} as `put` */
  async putAll(entries) {
    for (const [key, value] of entries) this.#values.set(key, value);
    return this.#write((store) => entries.map(([key, value]) => store.put(value, key)).at(-1));
  }

  /** @param {IDBValidKey} key */
  async remove(key) {
    this.#values.delete(key);
    return this.#write((store) => store.delete(key));
  }

  /** @param {(store: IDBObjectStore) => IDBRequest | undefined} ask */
  async #write(ask) {
    try {
      await inTime(transact(this.#name, "readwrite", ask), PATIENCE);
      return null;
    } catch (error) {
      console.warn("IndexedDB:", error);
      return /** @type {Error} */ (error)?.name === "QuotaExceededError" ? FULL : FORBIDDEN;
    }
  }
}

/** @type {Store<Sample>} */
export const sampleStore = new Store("samples");
/** @type {Store<OwnNetwork>} */
export const networkStore = new Store("networks");
/** @type {Store<KeptRun>} */
export const runStore = new Store("runs");
/** The key of the single run that is remembered; those of a race have keys of their own (race-store.js). */
export const LAST = "last";
