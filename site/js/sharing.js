/**
 * One worker for all elements of a page that read with the same network. The recognisers made here are inkling.js's own, each with
 * its own queue, so that the newest drawing of one does not take the place of another's; what they share is the engine below.
 *
 * An element that wants another network while others still use this one gets an engine of its own; so does one that trains.
 */

import { assets } from "./assets.js";
import { bootingEngine } from "./engine.js";
import { closed } from "./errors.js";
import { Recognizer } from "./inkling.js";

/** Requests after which the network is no longer the shipped one that the others count on. */
const CHANGES = new Set(["train", "setWeights"]);

/** @type {Set<Host>} */
const hosts = new Set();

/** An engine and who uses it. */
class Host {
  /** @type {Set<Share>} */ users = new Set();
  /** @type {BootProgress | null} */ progress = null;

  /** @param {string} model */
  constructor(model) {
    this.engine = bootingEngine(model);
    /** The network that it has or is about to have; null when it is one user's own. @type {string | null} */
    this.model = model;
    this.ready = this.#start(model);
    this.ready.catch(() => hosts.delete(this)); // those who wait hear of it
    this.engine.onProgress = (progress) => {
      this.progress = progress;
      for (const user of this.users) user.onProgress?.(progress);
    };
    this.engine.addEventListener("error", () => hosts.delete(this));
    hosts.add(this);
  }

  /** @param {string} model */
  async #start(model) {
    const { versions } = await this.engine.booted;
    if (this.engine.model !== model) await this.engine.call("useModel", { model }); // it was started ahead, with another
    return versions;
  }

  /** Another network for its only user. Whoever wants the old one goes elsewhere from now on. @param {string} model */
  async change(model) {
    const { model: before, ready } = this;
    this.model = model;
    const changed = this.engine.call("useModel", { model });
    this.ready = changed.then(() => ready);
    this.ready.catch(() => {});
    try {
      return await changed;
    } catch (error) {
      if (this.model === model) Object.assign(this, { model: before, ready });
      throw error;
    }
  }

  /** @param {Share} user */
  leave(user) {
    this.users.delete(user);
    if (this.users.size) return;
    hosts.delete(this);
    this.engine.close();
  }
}

/** What a Recognizer takes for its engine. */
class Share extends EventTarget {
  /** @type {Host | null} */ #host = null;
  #membership = new AbortController();
  /** @type {Promise<unknown>} */ #moved = Promise.resolve();

  /** @param {((progress: BootProgress) => void) | undefined} onProgress */
  constructor(onProgress) {
    super();
    this.onProgress = onProgress;
  }

  get models() {
    return this.#engine.models;
  }

  get model() {
    return this.#engine.model;
  }

  /**
   * Use the engine that has this network, or a new one. If that comes to nothing, the one before stays.
   * @param {string} model
   * @param {Host} [host]
   * @returns {Promise<{pyodide: string}>} its versions
   */
  async join(model, host = [...hosts].find((one) => one.model === model) ?? new Host(model)) {
    host.users.add(this);
    if (host.progress) this.onProgress?.(host.progress);
    this.#host ??= host; // so that close() finds it
    try {
      const versions = await host.ready;
      const before = this.#host;
      if (!before) throw closed();
      this.#host = host;
      this.#listen(host);
      if (before !== host) before.leave(this);
      return versions;
    } catch (error) {
      if (host !== this.#host) host.leave(this);
      throw error;
    }
  }

  /** @param {Host} host */
  #listen({ engine }) {
    this.#membership.abort();
    this.#membership = new AbortController();
    const { signal } = this.#membership;
    engine.addEventListener("restart", () => this.dispatchEvent(new Event("restart")), { signal });
    engine.addEventListener("error", (event) => this.dispatchEvent(new CustomEvent("error", { detail: /** @type {CustomEvent} */ (event).detail })), { signal });
  }

  /** One request, as to an engine. @param {string} name @param {Record<string, any>} [fields] @param {any[]} rest */
  async call(name, fields = {}, ...rest) {
    if (!this.#host) throw closed();
    if (name === "useModel" && Object.hasOwn(this.models, fields.model)) return this.#inTurn(() => this.#change(fields.model));
    if (CHANGES.has(name)) await this.#inTurn(() => this.#part());
    const value = await this.#engine.call(name, fields, ...rest);
    if (!this.#host) throw closed();
    return value;
  }

  /** One after another: of two wishes the later one holds. @template T @param {() => Promise<T>} move @returns {Promise<T>} */
  #inTurn(move) {
    const moved = this.#moved.then(move);
    this.#moved = moved.catch(() => {});
    return moved;
  }

  /** @param {string} model */
  async #change(model) {
    const host = /** @type {Host} */ (this.#host);
    const isThere = [...hosts].some((one) => one.model === model);
    return host.users.size > 1 || isThere ? this.join(model) : host.change(model);
  }

  /** From now on without others. */
  async #part() {
    const host = /** @type {Host} */ (this.#host);
    if (host.users.size > 1) await this.join(this.model, new Host(this.model));
    /** @type {Host} */ (this.#host).model = null;
  }

  close() {
    const host = this.#host;
    this.#host = null;
    this.#membership.abort();
    host?.leave(this);
  }

  get #engine() {
    if (!this.#host) throw closed();
    return this.#host.engine;
  }
}

/**
 * As inkling.js's, with the worker shared.
 * @param {{model?: string, onProgress?: (progress: BootProgress) => void, signal?: AbortSignal}} [options]
 * @returns {Promise<Recognizer>}
 */
export async function createRecognizer({ model = assets.defaultModel, onProgress, signal } = {}) {
  signal?.throwIfAborted();
  const share = new Share(onProgress);
  signal?.addEventListener("abort", () => share.close());
  try {
    return new Recognizer(/** @type {any} */ (share), await share.join(model));
  } catch (error) {
    share.close();
    throw error;
  }
}
