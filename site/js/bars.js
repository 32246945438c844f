/**
 * Ten bars, one a digit, in which ink rises with the probability. Only transforms move, so the compositor does the work.
 */

export class Bars {
  #parent;
  #t;
  /** @type {HTMLElement[]} */ #bars;

  /** @param {HTMLElement} parent @param {Translate} t */
  constructor(parent, t) {
    this.#t = t;
    this.#parent = parent;
    this.#bars = Array.from({ length: 10 }, (_, digit) => {
      const bar = document.createElement("div");
      bar.className = "bar";
      bar.dataset.testid = `bar-${digit}`;
      bar.dataset.digit = `${digit}`;
      bar.setAttribute("role", "meter");
      bar.setAttribute("aria-label", `Digit ${digit}`);
      bar.setAttribute("aria-valuemin", "0");
      bar.setAttribute("aria-valuemax", "100");
      const tube = document.createElement("div");
      tube.append(document.createElement("div"));
      bar.append(tube);
      parent.append(bar);
      return bar;
    });
    this.show(null);
  }

  /**
   * @param {ArrayLike<number> | null} probabilities ten numbers 0..1; null: nothing drawn
   * @param {number | null} [best] the digit to mark; null: none of them is the answer
   */
  show(probabilities, best = null) {
    this.#parent.toggleAttribute("data-hollow", best === null);
    this.#bars.forEach((bar, digit) => {
      const probability = probabilities ? probabilities[digit] : 0;
      const percent = (100 * probability).toFixed(1);
      const ink = /** @type {HTMLElement} */ (bar.firstElementChild?.firstElementChild);
      ink.style.transform = `translateY(${100 * (1 - probability)}%)`;
      bar.setAttribute("aria-valuenow", percent);
      bar.setAttribute("aria-valuetext", this.#t("{} percent", percent));
      bar.title = `${digit}: ${percent}%`;
      bar.toggleAttribute("data-best", digit === best);
    });
  }
}
