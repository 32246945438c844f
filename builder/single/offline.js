/**
 * In place of site/js/offline.js: the single file needs no network and keeps nothing.
 */

/** @param {import("../../site/js/types.js").OfflineEvents} events */
export function watchOffline({ onOfflineReady }) {
  onOfflineReady();
}
