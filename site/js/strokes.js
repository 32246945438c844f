/**
 * What was drawn, as vectors, and the way back and forth through it.
 * Everything is a fraction of the pad's side, so that a drawing has no resolution; surface.js gives it pixels.
 */

/** @typedef {{stroke: Stroke} | {picture: Blob} | {clear: true}} Entry */

/** Pen width in fractions of the side: 20 of the 280 ink pixels, MNIST's own proportion of pen to field. */
export const PEN_WIDTH = 20 / 280;

/**
 * The list of everything done, with a place in it. Clearing the pad and laying a picture on it are entries like any
 * stroke: what they cover is still there to be brought back.
 */
export class History {
  /** @type {Entry[]} */ #done = [];
  /** @type {Entry[]} */ #undone = [];

  /** The strokes that are to be seen, oldest first. */
  get strokes() {
    return lastStrokes(this.#done);
  }

  /** The strokes that pictures on the pad cover. */
  get covered() {
    const below = this.#done.findLastIndex((entry) => !("picture" in entry));
    return lastStrokes(this.#done.slice(0, below + 1));
  }

  /** The picture on the pad; the first stroke over it takes its place. @returns {Blob | null} */
  get picture() {
    const last = this.#done.at(-1);
    return last && "picture" in last ? last.picture : null;
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** @param {Entry} entry */
  add(entry) {
    this.#done.push(entry);
    this.#undone = [];
  }

  /** Clear the pad; on a bare pad there is nothing to remember. */
  clear() {
    const last = this.#done.at(-1);
    if (last && !("clear" in last)) this.add({ clear: true });
  }

  /** @returns {boolean} whether anything changed */
  undo() {
    const entry = this.#done.pop();
    if (entry) this.#undone.push(entry);
    return entry !== undefined;
  }

  /** @returns {boolean} whether anything changed */
  redo() {
    const entry = this.#undone.pop();
    if (entry) this.#done.push(entry);
    return entry !== undefined;
  }

  /**
   * Take a picture off again as if it had never been laid down: it turned out to be none.
   * @param {Blob} picture
   */
  forget(picture) {
    /** @param {Entry} entry */
    const other = (entry) => !("picture" in entry && entry.picture === picture);
    this.#done = this.#done.filter(other);
    this.#undone = this.#undone.filter(other);
  }

  /**
   * Begin anew with these strokes.
   * @param {Stroke[]} strokes
   */
  reset(strokes) {
    this.#done = strokes.map((stroke) => ({ stroke }));
    this.#undone = [];
  }
}

/** @param {Entry[]} entries @returns {Stroke[]} what has been drawn since the pad was last bare, or covered */
function lastStrokes(entries) {
  const strokes = [];
  for (let i = entries.length - 1; i >= 0; i--) {
    const entry = entries[i];
    if (!("stroke" in entry)) break;
    strokes.unshift(entry.stroke);
  }
  return strokes;
}

/**
 * Check strokes that come from outside (an embedding page, an earlier visit) and copy them.
 * @param {unknown} value
 * @returns {Stroke[]}
 */
export function checkStrokes(value) {
  if (!Array.isArray(value)) throw new TypeError("strokes: expected an array of {tool, width, points}.");
  return value.map(({ tool, width, points }, i) => {
    if (tool !== "pen" && tool !== "eraser") throw new TypeError(`strokes[${i}].tool: expected "pen" or "eraser".`);
    if (!(width > 0 && width <= 1)) throw new TypeError(`strokes[${i}].width: expected a fraction of the side, 0 to 1.`);
    if (!Array.isArray(points) || points.length < 2 || points.length % 2 || !points.every(Number.isFinite)) {
      throw new TypeError(`strokes[${i}].points: expected numbers x0, y0, x1, y1, ...`);
    }
    return { tool, width, points: [...points] };
  });
}
