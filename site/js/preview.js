/**
 * The 28 x 28 image as the network gets it: one canvas pixel a pixel, enlarged by CSS without smoothing.
 */

const SIDE = 28;

export class Preview {
  #canvas;
  /** @type {ArrayLike<number> | null} */ #image = null;
  // Red, green and blue of the ink, asked for rarely: the browser lays out the page to answer.
  /** @type {number[] | null} */ #color = null;

  /** @param {HTMLCanvasElement} canvas drawn in its own CSS colour on whatever lies behind it */
  constructor(canvas) {
    this.#canvas = canvas;
    canvas.width = canvas.height = SIDE;
  }

  /** While there is time: what `show` wants to know of the page, which is laid out for it. */
  prepare() {
    this.#color ??= (getComputedStyle(this.#canvas).color.match(/[\d.]+/g) ?? []).map(Number);
    return this.#color;
  }

  /** @param {ArrayLike<number> | null} image 784 numbers 0..1, row by row; null: nothing */
  show(image) {
    this.#image = image;
    this.#paint();
  }

  /** Draw again in the colour the canvas has now. */
  repaint() {
    this.#color = null;
    this.#paint();
  }

  #paint() {
    const context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d"));
    context.clearRect(0, 0, SIDE, SIDE);
    if (!this.#image) return;
    const picture = context.createImageData(SIDE, SIDE);
    const [red, green, blue] = this.prepare();
    for (let i = 0; i < SIDE * SIDE; i++) {
      picture.data.set([red, green, blue, Math.round(255 * this.#image[i])], 4 * i);
    }
    context.putImageData(picture, 0, 0);
  }
}
