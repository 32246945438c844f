/**
 * In place of site/js/offline.js: the single file needs no network and keeps nothing.
 */

/** @param {OfflineEvents} events */
export function watchOffline({ onOfflineReady }) {
  onOfflineReady();
}
