/**
 * The 28 x 28 image as the network gets it: one canvas pixel a pixel, enlarged by CSS without smoothing.
 */

const SIDE = 28;

export class Preview {
  #canvas;
  /** @type {ArrayLike<number> | null} */ #image = null;

  /** @param {HTMLCanvasElement} canvas drawn in its own CSS colour on whatever lies behind it */
  constructor(canvas) {
    this.#canvas = canvas;
    canvas.width = canvas.height = SIDE;
  }

  /** @param {ArrayLike<number> | null} image 784 numbers 0..1, row by row; null: nothing */
  show(image) {
    this.#image = image;
    this.repaint();
  }

  /** Draw again in the colour the canvas has now. */
  repaint() {
    const context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d"));
    context.clearRect(0, 0, SIDE, SIDE);
    if (!this.#image) return;
    const picture = context.createImageData(SIDE, SIDE);
    const [red, green, blue] = (getComputedStyle(this.#canvas).color.match(/[\d.]+/g) ?? []).map(Number);
    for (let i = 0; i < SIDE * SIDE; i++) {
      picture.data.set([red, green, blue, Math.round(255 * this.#image[i])], 4 * i);
    }
    context.putImageData(picture, 0, 0);
  }
}
