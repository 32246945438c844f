/**
 * Keeps the page for use without network: registers the service worker and tells what becomes of it.
 */

const CHECK_EVERY = 3_600_000; // ms between looks for a new version, when the person comes back to the tab

/**
 * Call it once the page is ready, so that keeping files does not compete with loading them.
 * Does nothing but report the connection where there are no service workers (file:, private windows, plain http).
 * @param {OfflineEvents} events
 */
export async function watchOffline({ onOfflineReady, onServed, onUpdate, onConnection }) {
  addEventListener("online", () => onConnection(true));
  addEventListener("offline", () => onConnection(false));
  if (!navigator.onLine) onConnection(false);
  const container = navigator.serviceWorker;
  if (!container) return;
  reloadOnTakeOver(container);
  try {
    const registration = await container.register(new URL("sw.js", document.baseURI), { updateViaCache: "none" });
    reportUpdates(registration, onUpdate);
    checkNowAndThen(registration);
    const { active } = await container.ready;
    if (active) await kept(active);
    onOfflineReady();
    if (!container.controller) await new Promise((resolve) => container.addEventListener("controllerchange", resolve, { once: true }));
    onServed();
  } catch (error) {
    console.warn("Not kept for use without network:", error);
  }
}

/** @param {ServiceWorker} worker @returns {Promise<unknown>} as soon as it has everything, again if need be */
function kept(worker) {
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise((resolve) => (port1.onmessage = resolve));
  worker.postMessage("keep", [port2]);
  return answer;
}

/** @param {ServiceWorkerContainer} container */
function reloadOnTakeOver(container) {
  let controlled = Boolean(container.controller);
  container.addEventListener("controllerchange", () => {
    // The very first worker takes over a page of its own version; any later one brings another.
    if (controlled) location.reload();
    controlled = true;
  });
}

/**
 * @param {ServiceWorkerRegistration} registration
 * @param {OfflineEvents["onUpdate"]} onUpdate
 */
function reportUpdates(registration, onUpdate) {
  const report = (/** @type {ServiceWorker} */ worker) => onUpdate(() => {
    // By its state, as a hard reload leaves this page without a worker that could change; and another tab may have accepted it.
    const isDone = () => ["activated", "redundant"].includes(worker.state);
    if (isDone()) return location.reload();
    worker.addEventListener("statechange", () => isDone() && location.reload());
    worker.postMessage("activate");
  });
  const follow = (/** @type {ServiceWorker | null} */ worker) => worker?.addEventListener("statechange", () => {
    if (worker.state === "installed" && registration.active) report(worker);
  });
  if (registration.waiting && registration.active) report(registration.waiting);
  follow(registration.installing);
  registration.addEventListener("updatefound", () => follow(registration.installing));
}

/** @param {ServiceWorkerRegistration} registration */
function checkNowAndThen(registration) {
  let last = Date.now();
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible" || Date.now() - last < CHECK_EVERY) return;
    last = Date.now();
    registration.update().catch(() => {}); // without network there is nothing new
  });
}
