/**
 * Ten digits to choose one from, in a small sheet beside a button; closed by a choice, by Escape or by a press anywhere else.
 */

import { button, make } from "./dom.js";

/** @type {(() => void) | null} */
let closeOpen = null;

/**
 * @param {HTMLElement} anchor what stands around the button; the sheet is put into it
 * @param {{label: string, chosen?: number, extra?: string}} options extra: one more choice
 * @returns {Promise<number | "extra" | null>} null: none
 */
export function pickDigit(anchor, { label, chosen, extra }) {
  closeOpen?.();
  return new Promise((resolve) => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    const listening = new AbortController();
    const done = (/** @type {number | "extra" | null} */ choice) => {
      closeOpen = null;
      listening.abort();
      const hadFocus = sheet.contains(document.activeElement);
      sheet.remove();
      if (hadFocus) before?.focus({ preventScroll: true });
      resolve(choice);
    };
    const digits = Array.from({ length: 10 }, (_, digit) => button(`${digit}`, () => done(digit), { "aria-label": `It is ${digit}`, "aria-pressed": String(digit === chosen) }));
    const sheet = make("div", { className: "picker", role: "group", "aria-label": label }, ...digits, ...(extra ? [button(extra, () => done("extra"), { className: "extra" })] : []));
    closeOpen = () => done(null);
    anchor.append(sheet);
    keepOnScreen(sheet);
    digits[chosen ?? 0].focus({ preventScroll: true });
    const { signal } = listening;
    document.addEventListener("pointerdown", (event) => event.composedPath().includes(anchor) || done(null), { signal });
    sheet.addEventListener("keydown", (event) => {
      const digit = "0123456789".indexOf(event.key);
      const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 5, ArrowUp: -5 }[event.key];
      if (event.key === "Escape") done(null);
      else if (digit >= 0 && event.key) done(digit);
      else if (step) digits[(digits.indexOf(/** @type {any} */ (event.target)) + step + 10) % 10].focus();
      else return;
      event.preventDefault();
      event.stopPropagation();
    }, { signal });
  });
}

/** @param {HTMLElement} sheet */
function keepOnScreen(sheet) {
  const { left, right } = sheet.getBoundingClientRect();
  const room = document.documentElement.clientWidth - 8;
  const shift = right > room ? room - right : left < 8 ? 8 - left : 0;
  sheet.style.translate = `${shift}px`;
}
