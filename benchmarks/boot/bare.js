/** A page without any work: how soon a canvas has a size here, measured as pad.js does for ours. */

const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector("canvas"));
const observer = new ResizeObserver(async () => {
  observer.disconnect();
  canvas.width = canvas.clientWidth;
  const pad = performance.now();
  const { report } = await import("./visit.js"); // only now: it is no part of the page
  report({ ms: pad, pad });
});
observer.observe(canvas);
