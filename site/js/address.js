/**
 * The page's settings live in the address, after the #, so that a link can carry them.
 */

const settings = () => new URLSearchParams(location.hash.slice(1));

/** @param {string} name */
export const inAddress = (name) => settings().get(name);

/** @param {string} name @param {string | null} value null: as the page opens without it */
export function keepInAddress(name, value) {
  const kept = settings();
  if (value === null) kept.delete(name);
  else kept.set(name, value);
  const text = String(kept);
  history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
}
