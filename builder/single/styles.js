/**
 * The element's style sheets in the single file, in place of site/js/styles.js: the page has them in its head.
 */

/** Not in a document yet; each says "load" once it is. @returns {HTMLElement[]} */
export function styleSheets(names = ["paper.css", "digit-recognizer.css"]) {
  return names.map((name) => {
    const style = /** @type {HTMLStyleElement} */ (document.querySelector(`style[data-file="${name}"]`)?.cloneNode(true));
    style.media = "all";
    return style;
  });
}
