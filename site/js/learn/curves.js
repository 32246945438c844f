/**
 * Curves: one chart, drawn by uPlot, which is loaded with the first; and the points that a run leaves.
 */

import { make } from "./dom.js";
import { bringStyles } from "./look.js";

/** @typedef {{label: string, color: string, dash?: number[], dots?: boolean}} Line color: a custom property */
/** @typedef {[number[], (number | null)[]]} Points x and y */

const HEIGHT = 180; // px
const MOST_POINTS = 3000; // of a run; then each two become one
const FADE = 0.9; // of a running mean: it looks about ten steps back
const RECOLOR = "recolor"; // event at the plots that are seen; the others are drawn anew when they come into view

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.querySelectorAll(".plot").forEach((plot) => plot.dispatchEvent(new Event(RECOLOR))));

/** Appends what a report of a run brings. @param {CurvePoints} points @param {{steps: CurvePoint[], validations: CurvePoint[]}} news */
export function append(points, { steps, validations }) {
  points.steps.push(...steps);
  points.validations = points.validations.filter(({ step }) => !validations.some((newer) => newer.step === step)).concat(validations);
  if (points.steps.length > MOST_POINTS) points.steps = halved(points.steps);
}

/** @param {CurvePoint[]} steps */
function halved(steps) {
  const mean = (/** @type {number | null} */ a, /** @type {number | null} */ b) => (a === null || b === null ? (a ?? b) : (a + b) / 2);
  return steps.filter((_, i) => i % 2).map((point, i) => {
    const before = steps[2 * i];
    return { ...point, loss: mean(before.loss, point.loss), accuracy: (before.accuracy + point.accuracy) / 2 };
  });
}

/** The running mean of a batch's loss or accuracy, which by itself jumps about. @param {CurvePoint[]} steps @param {"loss" | "accuracy"} what @returns {Points} */
export function smoothed(steps, what) {
  let sum = 0;
  let weight = 0;
  const values = steps.map((point) => {
    const value = point[what];
    if (value === null) return null;
    sum = FADE * sum + (1 - FADE) * value;
    weight = FADE * weight + (1 - FADE);
    return sum / weight;
  });
  return [steps.map(({ step }) => step), values];
}

/** @param {CurvePoint[]} points @param {"loss" | "accuracy"} what @returns {Points} */
export const plain = (points, what) => [points.map(({ step }) => step), points.map((point) => point[what])];

/** @param {string} name of a custom property */
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class Chart {
  #host = make("div", { className: "plot", role: "img" });
  #lines;
  #isShare;
  #title;
  /** @type {any} */ #plot = null;
  /** @type {Promise<any> | undefined} */ #library;
  /** @type {Points[]} */ #points = [];
  #waiting = 0;
  element;

  /** @param {string} title @param {Line[]} lines @param {{isShare?: boolean}} [options] isShare: y is 0..1, shown in percent */
  constructor(title, lines, { isShare = false } = {}) {
    this.#title = title;
    this.#lines = lines;
    this.#isShare = isShare;
    this.element = make("figure", { className: "chart" }, make("figcaption", {}, make("b", {}, title), ...lines.map(keyOf)), this.#host);
    new ResizeObserver(() => this.#plot?.setSize({ width: this.#host.clientWidth, height: HEIGHT })).observe(this.#host);
    this.#host.addEventListener(RECOLOR, () => this.#plot?.redraw()); // a listener at the media query would hold every chart for ever
  }

  /** Draws these points of each line, at most once a frame. @param {Points[]} points */
  show(points) {
    this.#points = points;
    this.#waiting ||= requestAnimationFrame(() => {
      this.#waiting = 0;
      this.#draw().catch((error) => console.warn("The chart could not be drawn; the table has the same numbers.", error));
    });
  }

  async #draw() {
    this.#library ??= Promise.all([import("../vendor/uplot/uPlot.esm.js"), bringStyles(["js/vendor/uplot/uPlot.min.css"])]).then(([{ default: uPlot }]) => uPlot);
    const uPlot = await this.#library;
    if (!this.#host.isConnected || !this.#host.clientWidth) return;
    const data = uPlot.join(this.#points);
    if (this.#plot) this.#plot.setData(data);
    else this.#plot = new uPlot(this.#options(), data, this.#host);
    this.#host.setAttribute("aria-label", this.#words());
  }

  #options() {
    const axis = { stroke: () => color("--quiet"), font: `12px ${color("--sans")}`, grid: { stroke: () => color("--trace"), width: 1 }, ticks: { show: false } };
    const format = (/** @type {any} */ _, /** @type {number[]} */ values) => values.map((value) => (this.#isShare ? `${+(100 * value).toFixed(1)}%` : `${+value.toPrecision(3)}`));
    return {
      width: this.#host.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false }, y: { range: (/** @type {any} */ _, /** @type {number} */ low, /** @type {number} */ high) => this.#range(low, high) } },
      axes: [{ ...axis, size: 28 }, { ...axis, size: 48, values: format }],
      series: [{}, ...this.#lines.map(({ label, color: name, dash, dots }) => ({
        label, stroke: () => color(name), width: 2, dash, spanGaps: true, points: { show: dots ?? false, size: 6, fill: () => color(name) },
      }))],
    };
  }

  /** @param {number} low @param {number} high @returns {[number, number]} */
  #range(low, high) {
    if (!Number.isFinite(low)) return [0, 1];
    return this.#isShare ? [Math.max(0, low - 0.02), 1] : [0, 1.05 * high || 1];
  }

  /** The ends of the lines, for those who do not see them. */
  #words() {
    const ends = this.#lines.map(({ label }, i) => {
      const [steps, values] = this.#points[i];
      const value = values.at(-1);
      return typeof value === "number" ? `${label} ${this.#isShare ? `${(100 * value).toFixed(1)}%` : value.toFixed(3)} at step ${steps.at(-1)}` : `${label} none yet`;
    });
    return `${this.#title}: ${ends.join(", ")}`;
  }
}

/** What a line stands for, beside a piece of it. @param {Line} line */
function keyOf({ label, color: name, dash }) {
  const piece = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  for (const [key, value] of Object.entries({ x1: 0, x2: 24, y1: 4, y2: 4, "stroke-dasharray": dash?.join(" ") ?? "none" })) line.setAttribute(key, `${value}`);
  piece.setAttribute("viewBox", "0 0 24 8");
  piece.setAttribute("aria-hidden", "true");
  piece.style.stroke = `var(${name})`;
  piece.append(line);
  return make("span", { className: "key" }, piece, label);
}

/**
 * The numbers behind the curves, for those who do not see them. Filled when it is opened.
 * @param {string[]} head
 * @param {() => string[][]} rows
 */
export function numbersTable(head, rows) {
  const body = make("tbody", {});
  const cells = (/** @type {string[]} */ row) => make("tr", {}, ...row.map((text, i) => make(i ? "td" : "th", i ? {} : { scope: "row" }, text)));
  const fill = () => element.open && body.replaceChildren(...rows().map(cells));
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))), body);
  const element = make("details", { className: "numbers" }, make("summary", {}, "As a table"), make("div", { className: "scrolls", tabIndex: 0, role: "region", "aria-label": "The numbers behind the curves" }, table));
  element.addEventListener("toggle", fill);
  return { element, fill };
}
