/**
 * The element's style sheets: the single file brings a module of its own in place of this one.
 */

/** Not in a document yet; each says "load" or "error" once it is. @returns {HTMLElement[]} */
export function styleSheets(names = ["paper.css", "digit-recognizer.css"]) {
  return names.map((name) => {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = new URL(`../${name}`, import.meta.url).href;
    return style;
  });
}
