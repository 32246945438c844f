/**
 * A picture behind the pad, shown as it is.
 */

export class Backdrop {
  #image;
  /** @type {Blob | null} */ #file = null;

  /** @param {HTMLImageElement} image */
  constructor(image) {
    this.#image = image;
  }

  /** @param {Blob | null} file */
  show(file) {
    if (file === this.#file) return;
    this.#file = file;
    URL.revokeObjectURL(this.#image.src);
    this.#image.hidden = !file;
    if (file) this.#image.src = URL.createObjectURL(file);
    else this.#image.removeAttribute("src");
  }
}
