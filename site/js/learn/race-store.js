/**
 * The race that is remembered, until it has come to its end: its runs among the others, each under a key of its own, so that with the
 * checkpoint of one not all are written.
 */

import { NAMES } from "./entrants.js";
import { runStore } from "./store.js";

const keyOf = (/** @type {string} */ optimizer) => `race ${optimizer}`;

/** Its runs as they were kept; none, if none was cut short. @returns {KeptRun[]} */
export const keptRace = () => NAMES.flatMap((name) => runStore.get(keyOf(name)) ?? []);

/** @param {KeptRun[]} runs of the race that is remembered @returns {Promise<string | null>} a warning, if they are not kept beyond this tab */
export const keepInRace = (runs) => runStore.putAll(runs.map((run) => [keyOf(run.settings.optimizer), run]));

/** Remembers this race, and no other. @param {KeptRun[]} runs none: no race at all @returns {Promise<string | null>} as `keepInRace` */
export async function keepRace(runs) {
  const racing = runs.map(({ settings }) => settings.optimizer);
  for (const { settings: { optimizer } } of keptRace()) if (!racing.includes(optimizer)) await runStore.remove(keyOf(optimizer));
  return runs.length ? keepInRace(runs) : null;
}
