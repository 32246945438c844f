/**
 * The digits of a number, boxed where they lie on the sheet. A layer over the pad: never part of the ink, no target for the
 * pointer, and nothing for a screen reader, which hears the number itself. Loaded when the first number is read.
 */

/** Part of the sheet's side above a box that its label needs; with less it stands below. */
const LABEL = 0.1;

function emptyBox() {
  const box = document.createElement("div");
  box.append(document.createElement("span"));
  return box;
}

/**
 * @param {HTMLElement} layer that covers the sheet
 * @param {ReadDigit[]} digits
 * @param {{width: number, height: number}} source that lies in the middle of the sheet, as large as fits
 */
export function showBoxes(layer, digits, { width, height }) {
  while (layer.childElementCount > digits.length) layer.lastElementChild?.remove();
  while (layer.childElementCount < digits.length) layer.append(emptyBox());
  const side = Math.max(width, height);
  digits.forEach(({ digit, accepted, box: [x, y, w, h] }, i) => {
    const box = /** @type {HTMLElement} */ (layer.children[i]);
    const label = /** @type {HTMLElement} */ (box.firstElementChild);
    const places = { left: x + (side - width) / 2, top: y + (side - height) / 2, width: w, height: h };
    for (const [name, place] of Object.entries(places)) box.style.setProperty(name, `${(100 * place) / side}%`);
    box.toggleAttribute("data-doubtful", !accepted);
    box.toggleAttribute("data-high", places.top < LABEL * side);
    const text = accepted ? `${digit}` : "?";
    if (label.textContent !== text) label.textContent = text;
  });
}
