/**
 * A part of restoring the heap snapshot (restore.js) that only engines need which are not the one that made it.
 */

/**
 * Lays the table out as in the engine that made the snapshot: JavaScriptCore adds functions in another order.
 * @param {any} module
 * @param {HeapHeader["table"]} table
 * @param {Record<string, number>} bareGot
 */
export function renumber({ GOT, wasmTable, setWasmTableEntry, LDSO }, table, bareGot) {
  const { exports } = LDSO.loadedLibsByName.__main__;
  const moves = [];
  for (const [symbol, address] of Object.entries(bareGot)) {
    if (!GOT[symbol]) throw new Error(`this engine knows no ${symbol}`);
    if (GOT[symbol].value === address) continue;
    if (typeof exports[symbol] !== "function") throw new Error(`${symbol} lies elsewhere in this engine`);
    moves.push({ symbol, address, call: wasmTable.get(GOT[symbol].value) });
  }
  if (wasmTable.length < table.bareLength) wasmTable.grow(table.bareLength - wasmTable.length);
  for (const { symbol, address, call } of moves) {
    if (address >= table.ownLength) setWasmTableEntry(address, call);
    GOT[symbol].value = address;
  }
}
