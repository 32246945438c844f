/**
 * The images to learn from and to measure with: fetched when they are first wanted, and kept for use without network.
 */

import { data } from "./data.js";
import { download, isRight } from "./downloads.js";

const KEPT = `inkling-data#${new URL("../../", import.meta.url).pathname}`; // the cache of data sets: a copy of the site elsewhere on this host has its own

/**
 * Where a data set is to be had, by its file's name; null if it is not here.
 * @param {Record<string, FileAsset>} carried what came with the page itself
 * @param {string} name
 * @returns {FileAsset | null}
 */
export function dataFile(carried, name) {
  if (carried[name]) return carried[name];
  return Object.hasOwn(data, name) ? { ...data[name], url: new URL(data[name].url, import.meta.url).href } : null;
}

/**
 * The file as it was kept when it first came, or downloaded and then kept. The build's name for it follows from its content.
 * @param {FileAsset} file
 * @param {(bytes: number) => void} count
 */
export async function dataBytes(file, count) {
  const cache = file.data || !self.caches ? null : await caches.open(KEPT).catch(() => null); // storage may be denied
  const found = await cache?.match(file.url);
  if (found) {
    const bytes = new Uint8Array(await found.arrayBuffer());
    if (bytes.length === file.bytes && (await isRight(file, bytes))) return bytes;
  }
  const bytes = await download(file, count);
  await cache?.put(file.url, new Response(bytes)).catch(() => {}); // full
  if (cache) await forgetOthers(cache, file.url);
  return bytes;
}

/** Whatever an older build called a file of the same name. @param {Cache} cache @param {string} url */
async function forgetOthers(cache, url) {
  const nameOf = (/** @type {string} */ address) => address.slice(address.lastIndexOf("/"));
  for (const request of await cache.keys()) {
    if (request.url !== url && nameOf(request.url) === nameOf(url)) await cache.delete(request);
  }
}
