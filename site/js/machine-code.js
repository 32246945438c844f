/**
 * Has the browser keep the machine code of the WebAssembly that runs, so that the next start need not make it again.
 *
 * Chromium does so by itself where a response from its own cache or out of a service worker's was compiled as it came, a little while after functions of
 * it have got hot. On a first visit the page has compiled what the network sent, by pieces: so only a third visit would be quick. Here the same files come
 * once more, now from where the next start will have them; V8 knows the module by its bytes and compiles nothing twice. Then Python does for a second what it
 * does for every drawing.
 */

/** The moment at which all is done, in the worker's own list of times (User Timing). */
const DONE = "inkling:machine-code";
const RUNS = 150; // of the session's self-test: after 20 Chromium has kept nothing, after 100 most of what a start needs

/**
 * @param {string[]} addresses of the files that the page compiled
 * @param {typeof fetch} request
 * @param {() => void} run what is to get hot
 * @param {() => Promise<void>} idle resolves in a task of its own, when nobody has asked for anything for a while
 */
export async function keepMachineCode(addresses, request, run, idle) {
  const { brands = [] } = /** @type {any} */ (navigator).userAgentData ?? {};
  if (!brands.some((/** @type {{brand: string}} */ { brand }) => brand === "Chromium")) return; // others would compile it all again, and keep nothing
  for (const address of addresses) {
    await idle();
    await WebAssembly.compileStreaming(request(address));
  }
  for (let i = 0; i < RUNS; i++) {
    await idle();
    run();
  }
  performance.mark(DONE);
}
