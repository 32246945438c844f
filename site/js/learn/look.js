/**
 * The style sheets of what learns; they come with it and not before.
 */

import { styleSheets } from "../styles.js";

/** @type {Map<string, Promise<unknown>>} */
const brought = new Map();

/** @param {string[]} names @returns {Promise<unknown>} as soon as they are there, or it is known that they do not come */
export function bringStyles(names = ["learn.css"]) {
  const coming = names.map((name) => {
    const known = brought.get(name);
    if (known) return known;
    const [sheet] = styleSheets([name]);
    const arrived = new Promise((resolve) => {
      sheet.addEventListener("load", resolve);
      sheet.addEventListener("error", resolve); // plain, but it works
    });
    document.head.append(sheet);
    brought.set(name, arrived);
    return arrived;
  });
  return Promise.all(coming);
}
