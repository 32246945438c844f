/**
 * The service worker: one cache for each version, filled whole or not at all, and served before the network.
 * The build puts `const BUILD = {version, files: [{url, bytes, sha256, gz}]}` before this text.
 */

const PREFIX = `inkling-${new URL("./", self.location.href).pathname}#`; // another copy on this host has a folder, and a cache, of its own
const CACHE = PREFIX + BUILD.version;
const HOME = new URL("./index.html", self.location.href).href;
const known = new Map(BUILD.files.map((file) => [new URL(file.url, self.location.href).href, file]));
const TYPES = { wasm: "application/wasm", zip: "application/zip" };
const FOLDER = new URL("./", self.location.href).pathname;
/** What a browser may take out of the cache without starting this worker first: Chromium does, the others ask "fetch" below for all. */
const ROUTES = ["", "app-*/js/*", "app-*/*.css"].map((below) => ({
  condition: { requestMethod: "get", urlPattern: { pathname: FOLDER.replace(/[\\:(){}*+?]/g, "\\$&") + below, search: "" } },
  source: { cacheName: CACHE },
}));
const SMALL = 2 ** 17; // bytes; a smaller file costs more waiting than sending
const AT_ONCE = 6; // as many as browsers open connections to one host
const plain = new Map(); // ending of a large file -> whether this host sends such as they are; known as soon as it has been asked

self.addEventListener("install", (event) => {
  event.waitUntil(install());
  event.addRoutes?.(ROUTES).catch(console.warn);
});
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("message", (event) => {
  if (event.data === "activate") self.skipWaiting();
  // The browser may have thrown files away: they are fetched again before the page promises that all is there.
  if (event.data === "keep") event.waitUntil(install().then(() => event.ports[0].postMessage("kept")));
});
self.addEventListener("fetch", (event) => {
  const url = withoutQuery(event.request);
  if (event.request.method === "GET" && known.has(url)) event.respondWith(serve(event.request, url));
});

/** Fetches what is missing. What an interrupted install has left is used, and so are unchanged files of the version before. */
async function install() {
  const cache = await caches.open(CACHE);
  const there = new Set((await cache.keys()).map(({ url }) => url));
  const missing = [...known].filter(([address]) => !there.has(address));
  const isSmall = ([, { bytes }]) => bytes < SMALL;
  const keepIt = ([address, file]) => keep(cache, address, file);
  await each(missing.filter(isSmall), AT_ONCE, keepIt);
  await each(missing.filter((entry) => !isSmall(entry)), 1, keepIt); // each is held in memory, and fills the line by itself
  if (!(await cache.match(FOLDER))) await cache.put(FOLDER, await cache.match(HOME)); // its address is the page's, too
}

async function keep(cache, address, file) {
  const kept = isImmutable(file) && (await caches.match(address));
  const bytes = kept && (await kept.clone().arrayBuffer());
  const isRight = bytes && (await digest(bytes)) === file.sha256;
  await cache.put(address, isRight ? checked(kept, bytes, file) : await fetchChecked(address, file, isImmutable(file) ? ["default", "reload"] : ["reload"]));
}

/** Does the work for each item, for so many at a time; none is begun any more when one has failed. */
async function each(items, atOnce, work) {
  const waiting = [...items];
  const lane = async () => {
    while (waiting.length) {
      await work(waiting.shift()).catch((error) => {
        waiting.length = 0;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

const isImmutable = ({ url }) => /-[0-9a-f]{8,}\//.test(url);

async function digest(bytes) {
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(sum, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * A file, or an error if it is not byte for byte the one of this build. The browser's own cache spares a second download
 * of what the page has just loaded; but what a broken upload once left there is to stay for a year.
 */
async function fetchChecked(address, file, modes) {
  let status = 0;
  for (const cache of modes) {
    const response = await fetched(address, file, cache);
    const bytes = await response.clone().arrayBuffer().catch(() => new ArrayBuffer(0)); // it broke off, or is no gzip
    status = response.status;
    if (!response.ok || (await digest(bytes)) !== file.sha256) continue;
    return checked(response, bytes, file);
  }
  throw new Error(`${address} is not the file of this version (status ${status})`);
}

/** What is right, as it is to be kept: the heap says that it has been checked, so that nobody need do so at every start (js/downloads.js). */
function checked(response, bytes, { url, sha256 }) {
  const headers = new Headers(response.headers);
  if (url.endsWith(".bin")) headers.set("Inkling-SHA256", sha256);
  // Some hosts redirect index.html to its folder, and a redirected answer may not be given to a navigation.
  else if (!response.redirected) return response;
  for (const name of ["Content-Length", "Content-Encoding"]) headers.delete(name); // were said of what was sent
  return new Response(bytes, { headers });
}

/**
 * The file as a response: made of the .gz beside it where the host would send a large one as it is, which shows in the length
 * that it names. js/downloads.js has done the same for the page, only that it could not wait for an answer without a body.
 */
async function fetched(address, { bytes, gz }, cache) {
  if (!gz || cache === "reload") return fetch(address, { cache });
  const ending = address.split(".").pop();
  if (!plain.has(ending)) {
    const { ok, headers } = await fetch(address, { method: "HEAD" });
    plain.set(ending, ok && headers.get("content-length") === String(bytes));
  }
  const response = plain.get(ending) && (await fetch(`${address}.gz`, { cache }));
  if (!response?.ok) return fetch(address, { cache });
  const sent = await response.blob();
  const [first, second] = new Uint8Array(await sent.slice(0, 2).arrayBuffer());
  const isPacked = first === 0x1f && second === 0x8b; // else the host has called it an encoding, and the browser has undone it
  const body = isPacked ? sent.stream().pipeThrough(new DecompressionStream("gzip")) : sent;
  return new Response(body, { headers: { "Content-Type": TYPES[ending] ?? "application/octet-stream" } });
}

async function activate() {
  const isOld = (name) => (name.startsWith(PREFIX) && name !== CACHE) || /^inkling-[0-9a-f]{10}$/.test(name); // so the first versions named it
  await Promise.all((await caches.keys()).filter(isOld).map((name) => caches.delete(name)));
  await self.clients.claim();
}

/**
 * After a failure the page asks for a file anew: what is kept may be what was wrong. Without network it is all there is.
 */
async function renew(cache, url) {
  const response = await fetchChecked(url, known.get(url), ["reload"]).catch(() => null);
  if (!response) return cache.match(url);
  await cache.put(url, response.clone()).catch(console.warn); // the disk may be full: what has come is good all the same
  return response;
}

async function serve(request, url) {
  const cache = await caches.open(CACHE);
  const kept = request.cache === "reload" ? await renew(cache, url) : await cache.match(url);
  return kept || fetch(request); // the browser may have thrown the cache away
}

/** The address a request is for; the bare folder means index.html, and a file is kept decoded whatever it came as. */
function withoutQuery({ url, mode }) {
  const address = new URL(url);
  address.hash = address.search = "";
  if (address.pathname.endsWith(".gz")) address.pathname = address.pathname.slice(0, -".gz".length);
  if (mode === "navigate" && address.href === new URL("./", HOME).href) return HOME;
  return address.href;
}
