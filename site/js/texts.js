/**
 * The words of one element: in English, until it is given a table from English to another language (languages/).
 */

/** @returns {Translate} */
export function translator() {
  /** @type {any} */
  const t = (/** @type {string} */ english, /** @type {any[]} */ ...values) => (t.table[english] ?? english).replace(/{}/g, () => values.shift());
  t.table = {};
  t.decimal = (/** @type {number} */ number) => number.toFixed(1).replace(".", t("."));
  return t;
}
