/**
 * Strokes as pixels. The pad has two surfaces, the one on the screen (device resolution, the colour of ink) and the
 * one for the network (280 x 280, alpha only), and both draw the same way.
 *
 * Finished strokes are kept in a second canvas, so a frame costs one copy and the one stroke that is growing. That is drawn
 * whole, as one path: piece after piece would darken its seams. So a drawing that grew has the pixels of one put there at once.
 */

/** @typedef {CanvasRenderingContext2D} Context */

/**
 * @param {Context} context
 * @param {Stroke} stroke
 * @param {number} side pixels
 * @param {string} color
 */
function draw(context, { tool, width, points }, side, color) {
  context.globalCompositeOperation = tool === "eraser" ? "destination-out" : "source-over";
  context.fillStyle = context.strokeStyle = color;
  context.lineWidth = width * side;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  if (points.length === 2) {
    // A line of no length has no caps in some browsers.
    context.arc(points[0] * side, points[1] * side, (width * side) / 2, 0, 2 * Math.PI);
    context.fill();
  } else {
    for (let i = 0; i < points.length; i += 2) context.lineTo(points[i] * side, points[i + 1] * side);
    context.stroke();
  }
  context.globalCompositeOperation = "source-over";
}

export class Surface {
  /** @type {Context} */ #front;
  /** @type {Context} */ #finished;
  #color = "#000";
  #side = 0;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{read?: boolean}} [options] read: pixels are read back often, so keep them out of the graphics card
   */
  constructor(canvas, { read = false } = {}) {
    const settings = { willReadFrequently: read };
    this.#front = /** @type {Context} */ (canvas.getContext("2d", settings));
    this.#finished = /** @type {Context} */ (document.createElement("canvas").getContext("2d", settings));
  }

  /**
   * Start over: a new size, a new colour, or another set of finished strokes.
   * @param {Stroke[]} finished
   * @param {number} side pixels
   * @param {string} [color]
   */
  reset(finished, side = this.#side, color = this.#color) {
    this.#color = color;
    if (side !== this.#side) {
      this.#side = side;
      for (const { canvas } of [this.#front, this.#finished]) canvas.width = canvas.height = side;
    } else {
      this.#finished.clearRect(0, 0, side, side);
    }
    for (const stroke of finished) draw(this.#finished, stroke, side, color);
  }

  /** Keep a stroke that has ended. @param {Stroke} stroke */
  finish(stroke) {
    draw(this.#finished, stroke, this.#side, this.#color);
  }

  /** Show the finished strokes and the one that is growing. @param {Stroke | null} growing */
  show(growing) {
    this.#front.clearRect(0, 0, this.#side, this.#side);
    if (this.#side) this.#front.drawImage(this.#finished.canvas, 0, 0);
    if (growing) draw(this.#front, growing, this.#side, this.#color);
  }

  /** How much ink lies on each pixel, row by row: 0 paper, 255 full stroke. @returns {Uint8Array<ArrayBuffer>} */
  read() {
    const { data } = this.#front.getImageData(0, 0, this.#side, this.#side);
    const ink = new Uint8Array(data.length / 4);
    for (let i = 0; i < ink.length; i++) ink[i] = data[4 * i + 3];
    return ink;
  }
}
