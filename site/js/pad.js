/**
 * The sheet: pointers in, strokes kept, ink out. Works without anything else on the page.
 *
 * Events: "change" when the drawing has changed or a stroke has ended, at most once a frame; "stale" as soon as that is
 * known, before the frame: whatever was read belongs to older ink from now on.
 */

import { History, PEN_WIDTH, checkStrokes } from "./strokes.js";
import { Surface } from "./surface.js";

/** Side of the ink in pixels: ten times MNIST's field. */
export const INK_SIDE = 280;
/** Points closer together than a third of an ink pixel add nothing that can be seen. */
const NEAR = 1 / 3 / INK_SIDE;
/** A hand that has just held a pen still rests on the glass: touches count again after this many milliseconds. */
const PALM_REST = 1000;
/** The moment at which the first pad of the page can be drawn on, in the browser's own list of times (User Timing). */
const USABLE = "inkling:pad";
/** `buttons` of a pen held upside down (Pointer Events, section 4.1.1.1). */
const PEN_ERASER = 32;

export class Pad extends EventTarget {
  /** @type {"pen" | "eraser"} */ tool = "pen";
  /** Fraction of the side. */
  penWidth = PEN_WIDTH;
  readonly = false;

  #canvas;
  #display;
  #ink = new Surface(document.createElement("canvas"), { read: true });
  #history = new History();
  /** @type {Stroke | null} */ #growing = null;
  #pointerId = -1;
  #pointerType = "";
  #bounds = new DOMRect();
  #penSeen = -Infinity;
  #frame = 0;

  /** @param {HTMLCanvasElement} canvas square; its box is exactly the drawing area */
  constructor(canvas) {
    super();
    this.#canvas = canvas;
    this.#display = new Surface(canvas);
    this.#ink.reset([], INK_SIDE);
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", (event) => this.#up(event));
    canvas.addEventListener("lostpointercapture", (event) => this.#up(event));
    // Safari scrolls, zooms and scribbles in spite of touch-action unless the touch itself is refused; it can't be while the page scrolls.
    canvas.addEventListener("touchstart", (event) => !this.readonly && event.cancelable && event.preventDefault(), { passive: false });
    canvas.addEventListener("contextmenu", (event) => this.#growing && event.preventDefault());
    new ResizeObserver(() => this.#fit()).observe(canvas);
  }

  get drawing() {
    return this.#growing !== null;
  }

  /** The picture that lies on the pad in place of a drawing. */
  get picture() {
    return this.#growing ? null : this.#history.picture;
  }

  /** Nothing lies on the pad: known without looking at its pixels, which may also have been erased. */
  get untouched() {
    return this.#visible().length === 0;
  }

  get canUndo() {
    return this.#history.canUndo;
  }

  get canRedo() {
    return this.#history.canRedo;
  }

  /** A copy of the strokes on the pad, or below the picture on it. Setting them begins a new drawing. @returns {Stroke[]} */
  get strokes() {
    return checkStrokes(this.picture ? this.#history.covered : this.#visible());
  }

  set strokes(strokes) {
    this.#history.reset(checkStrokes(strokes));
    this.#growing = null;
    this.#replace();
  }

  /** The newest ink, 280 x 280: 0 paper, 255 full stroke. @returns {Ink} */
  ink() {
    this.#ink.show(this.#growing);
    return { data: this.#ink.read(), width: INK_SIDE, height: INK_SIDE };
  }

  clear() {
    this.#finish();
    this.#history.clear();
    this.#replace();
  }

  undo() {
    if (!this.#growing && this.#history.undo()) this.#replace();
  }

  redo() {
    if (!this.#growing && this.#history.redo()) this.#replace();
  }

  /** Lay a picture on the pad in place of the drawing. @param {Blob} picture */
  lay(picture) {
    this.#finish();
    this.#history.add({ picture });
    this.#replace();
  }

  /** Take away a picture that could not be read; what was there before comes back. @param {Blob} picture */
  forget(picture) {
    this.#history.forget(picture);
    this.#replace();
  }

  /** Draw everything again, in the size and colour the canvas has now. */
  repaint() {
    const side = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    this.#display.reset(this.#history.strokes, side, getComputedStyle(this.#canvas).color);
    this.#display.show(this.#growing);
  }

  /** The canvas has another size, at the latest when it is shown for the first time: from then on it can be drawn on. */
  #fit() {
    this.repaint();
    if (this.#canvas.clientWidth && !performance.getEntriesByName(USABLE).length) performance.mark(USABLE);
  }

  #visible() {
    return this.#growing ? [...this.#history.strokes, this.#growing] : this.#history.strokes;
  }

  /** The finished strokes are others than before. */
  #replace() {
    this.#ink.reset(this.#history.strokes);
    this.#display.reset(this.#history.strokes);
    this.#changed();
  }

  #changed() {
    if (this.#frame) return;
    this.dispatchEvent(new Event("stale"));
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      // The network first: it works while this thread paints.
      this.dispatchEvent(new Event("change"));
      this.#display.show(this.#growing);
    });
  }

  /** One pointer draws at a time, and a pen comes before a hand. @param {PointerEvent} event */
  #mayDraw({ pointerType, timeStamp, button, buttons }) {
    if (this.readonly || !(button === 0 || buttons & PEN_ERASER)) return false;
    if (pointerType === "touch" && timeStamp - this.#penSeen < PALM_REST) return false;
    // The palm lands before the pen does: the pen takes over, and what the palm drew goes.
    return !this.#growing || (pointerType === "pen" && this.#pointerType === "touch");
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.pointerType === "pen") this.#penSeen = event.timeStamp;
    if (!this.#mayDraw(event)) return;
    this.#pointerId = event.pointerId;
    this.#pointerType = event.pointerType;
    this.#bounds = this.#canvas.getBoundingClientRect();
    this.#canvas.setPointerCapture(event.pointerId); // a fast stroke leaves the pad and comes back
    const tool = event.buttons & PEN_ERASER ? "eraser" : this.tool;
    this.#growing = { tool, width: this.penWidth, points: [] };
    this.#extend([event]);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (event.pointerType === "pen") this.#penSeen = event.timeStamp; // also while it hovers
    if (!this.#growing || event.pointerId !== this.#pointerId) return;
    const events = event.getCoalescedEvents?.() ?? [];
    this.#extend(events.length ? events : [event]);
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (!this.#growing || event.pointerId !== this.#pointerId) return;
    // A touch that the system took away was a palm or a gesture, not a stroke.
    if (event.type === "pointercancel" && this.#pointerType === "touch") this.#growing = null;
    this.#finish();
    this.#changed();
  }

  /** The stroke under way, if there is one, is done. */
  #finish() {
    const stroke = this.#growing;
    if (!stroke) return;
    this.#growing = null;
    this.#history.add({ stroke });
    this.#ink.finish(stroke);
    this.#display.finish(stroke);
  }

  /** @param {PointerEvent[]} events */
  #extend(events) {
    const { left, top, width } = this.#bounds;
    const points = /** @type {Stroke} */ (this.#growing).points;
    for (const { clientX, clientY } of events) {
      const x = (clientX - left) / width;
      const y = (clientY - top) / width;
      const n = points.length;
      if (n && Math.hypot(x - points[n - 2], y - points[n - 1]) < NEAR) continue;
      points.push(x, y);
    }
    this.#changed();
  }
}
