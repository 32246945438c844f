/**
 * The panel that opens under or beside the pad: my digits, training from nothing, a race of optimisers, the test, and below
 * them the network that is in use.
 */

import { inAddress, keepInAddress } from "../address.js";
import { part } from "../errors.js";
import { explain, make } from "./dom.js";
import { Footer } from "./footer.js";
import { bringStyles } from "./look.js";
import { networks } from "./networks.js";

/** @typedef {import("../digit-recognizer.js").DigitRecognizer} DigitRecognizer */
/** @typedef {"mine" | "train" | "race" | "test"} TabName */

/** @type {Record<TabName, {title: string, view: () => Promise<any>}>} */
const TABS = {
  mine: { title: "My digits", view: async () => (await import("./mine.js")).MineView },
  train: { title: "Train", view: async () => (await import("./train.js")).TrainView },
  race: { title: "Race", view: async () => (await import("./race.js")).RaceView },
  test: { title: "Test", view: async () => (await import("./prove.js")).TestView },
};

/** @type {Panel | null} */
let panel = null;

/** @param {HTMLButtonElement} opener @param {DigitRecognizer} element */
export async function togglePanel(opener, element) {
  if (opener.getAttribute("aria-expanded") === "true") panel?.close();
  else await openPanel(opener, element);
}

/**
 * @param {HTMLButtonElement} opener
 * @param {DigitRecognizer} element
 * @param {TabName} [tab]
 * @returns {Promise<any>} the view of the tab
 */
export async function openPanel(opener, element, tab) {
  opener.setAttribute("aria-expanded", "true");
  await bringStyles();
  panel ??= new Panel(opener, element);
  return panel.open(tab ?? tabInAddress() ?? panel.tab);
}

/** @returns {TabName | null} */
function tabInAddress() {
  const name = inAddress("learn");
  return name && Object.hasOwn(TABS, name) ? /** @type {TabName} */ (name) : null;
}

class Panel {
  /** @type {TabName} */ tab = "mine";
  #opener;
  #element;
  #root = /** @type {HTMLElement} */ (document.querySelector("#learning"));
  #note = make("p", { className: "note", role: "status" });
  #body = make("div", { role: "tabpanel", className: "view" });
  /** @type {Record<string, HTMLButtonElement>} */ #tabs = {};
  /** @type {Partial<Record<TabName, Promise<any>>>} */ #views = {};

  /** @param {HTMLButtonElement} opener @param {DigitRecognizer} element */
  constructor(opener, element) {
    this.#opener = opener;
    this.#element = element;
    const list = make("div", { role: "tablist", "aria-label": "Learning" });
    for (const [name, { title }] of Object.entries(TABS)) {
      const tab = make("button", { type: "button", role: "tab", id: `tab-${name}` }, title);
      tab.addEventListener("click", () => this.#turnTo(/** @type {TabName} */ (name)));
      this.#tabs[name] = tab;
      list.append(tab);
    }
    list.addEventListener("keydown", (event) => this.#key(event));
    this.#root.replaceChildren(list, this.#note, this.#body, new Footer((text) => this.say(text)).element);
    networks.follow(element).then(() => networks.warning && this.say(networks.warning));
    addEventListener("hashchange", () => {
      const tab = tabInAddress();
      if (tab && tab !== this.tab) this.#turnTo(tab);
    });
  }

  /** @param {TabName} tab */
  async open(tab) {
    this.tab = tab;
    this.#root.hidden = false;
    document.body.classList.add("learns");
    this.#opener.setAttribute("aria-expanded", "true");
    keepInAddress("learn", tab);
    for (const [name, button] of Object.entries(this.#tabs)) {
      button.setAttribute("aria-selected", String(name === tab));
      button.tabIndex = name === tab ? 0 : -1;
    }
    this.#body.setAttribute("aria-labelledby", `tab-${tab}`);
    const view = await this.#view(tab);
    if (this.tab !== tab) return view;
    this.#body.replaceChildren(view.element);
    view.shown?.();
    this.#root.scrollIntoView({ block: "nearest" });
    return view;
  }

  /** Opens it; if it does not come, the panel says so. @param {TabName} tab */
  #turnTo(tab) {
    this.open(tab).catch((error) => {
      if (this.tab === tab) this.#body.replaceChildren(); // what stands there belongs to another tab
      this.say(explain(error));
    });
  }

  close() {
    this.#root.hidden = true;
    document.body.classList.remove("learns");
    this.#opener.setAttribute("aria-expanded", "false");
    this.#opener.focus({ preventScroll: true });
    keepInAddress("learn", null);
  }

  /** One line over the view, until the next; null takes it away. @param {string | null} text */
  say(text) {
    this.#note.textContent = text ?? "";
  }

  /** @param {TabName} tab */
  #view(tab) {
    this.#views[tab] ??= part(TABS[tab].view()).then((View) => new View(this.#element, (/** @type {string | null} */ text) => this.say(text)));
    this.#views[tab]?.catch(() => delete this.#views[tab]); // it may come another time
    return this.#views[tab];
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const names = /** @type {TabName[]} */ (Object.keys(TABS));
    const next = names[(names.indexOf(this.tab) + step + names.length) % names.length];
    this.#tabs[next].focus();
    this.#turnTo(next);
    event.preventDefault();
  }
}
