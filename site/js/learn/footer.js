/**
 * The network in use, under every view of the panel: keep or drop what was just trained, name it, take it home, bring one along.
 */

import { busy } from "./busy.js";
import { button, download, explain, fileButton, make } from "./dom.js";
import { networks } from "./networks.js";

const LARGEST = 50e6; // bytes of a file; a network of ours has half a million

export class Footer {
  #say;
  #name = make("input", { type: "text", maxLength: 40, "aria-label": "Name of the network" });
  #line = make("p", {});
  #actions = make("div", { className: "actions" });
  element = make("section", { className: "network", "aria-label": "The network in use" }, this.#line, this.#actions);

  /** @param {(text: string | null) => void} say */
  constructor(say) {
    this.#say = say;
    networks.addEventListener("change", () => this.#render());
    busy.addEventListener("change", () => this.#enable());
    this.#name.addEventListener("keydown", (event) => event.key === "Enter" && this.#keep());
    this.#render();
  }

  #render() {
    const { tried, kept, own, inTraining } = networks;
    this.#actions.hidden = inTraining !== null;
    this.#line.replaceChildren(...(inTraining ? ["The pad reads with ", make("b", {}, inTraining), ", as it is right now."] : tried
      ? ["The pad reads with ", make("b", {}, tried.name), ", which is not kept yet."]
      : kept ? ["The pad reads with ", make("b", {}, kept.name), ", kept on this device."] : ["The pad reads with a network as it was shipped."]));
    this.#name.value = tried ? networks.freeName(tried.name) : "";
    this.#actions.replaceChildren(
      ...(tried && !tried.isAskedFor ? [this.#name, button("Keep", () => this.#keep(), { className: "main" }), button("Drop", () => this.#do(() => networks.drop()))] : []),
      ...(own ? [button("Download", () => this.#download())] : []),
      fileButton("Load a network", ".npz", (file) => this.#load(file)),
      ...(own ? [button("Back to the shipped one", () => this.#do(() => networks.reset()))] : []),
      ...(kept && !tried ? [button("Delete", () => this.#do(() => networks.remove(kept.name)))] : []),
    );
    this.#enable();
  }

  /** What is under way counts on the network. */
  #enable() {
    for (const control of this.#actions.querySelectorAll("input, button")) /** @type {HTMLButtonElement} */ (control).disabled = busy.words !== null;
  }

  #keep() {
    const name = this.#name.value.trim();
    if (!name) return this.#say("Give the network a name first.");
    return this.#do(() => networks.keep(name));
  }

  /** The weights, and their card beside them. */
  async #download() {
    const { name, npz, card } = /** @type {OwnNetwork} */ (networks.own);
    const sha256 = await digest(npz);
    download(/** @type {BlobPart} */ (npz), `${fileName(name)}.npz`);
    download(JSON.stringify({ ...card, name: fileName(name), bytes: npz.length, ...(sha256 ? { sha256 } : {}) }, null, 2), `${fileName(name)}.json`, "application/json");
  }

  /** @param {File} file */
  #load(file) {
    return this.#do(async () => {
      if (file.size > LARGEST) throw new Error(`${file.name} has ${(file.size / 1e6).toFixed(0)} MB; a network for this page has at most ${LARGEST / 1e6}.`);
      await networks.load(new Uint8Array(await file.arrayBuffer()), file.name.replace(/\.npz$/i, ""));
    });
  }

  /** @param {() => Promise<string | null | void>} work */
  async #do(work) {
    this.#say(null);
    try {
      this.#say((await work()) ?? null);
    } catch (error) {
      this.#say(explain(error));
    }
  }
}

/** @param {string} name */
const fileName = (name) => name.trim().replace(/[^\w.-]+/g, "-");

/** In hex; null where browsers have no hash function, over plain http. @param {Uint8Array} bytes */
async function digest(bytes) {
  if (!crypto.subtle) return null;
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", /** @type {BufferSource} */ (bytes)));
  return Array.from(sum, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
