/**
 * Tells one content from another, where nobody means harm and a sha256 would take too long, or a pause.
 */

/** heap.bin has a checksum of its own (i32, little endian), of all that stands behind its first bytes. */
export const CHECKSUM_AT = 4, CHECKED_FROM = 8;

/**
 * @param {Uint8Array} memory
 * @param {[number, number][]} ranges multiples of four
 * @param {number} [sum] of what came before
 */
export function checksumOf(memory, ranges, sum = 0) {
  for (const [begin, length] of ranges) {
    const words = new Int32Array(memory.buffer, memory.byteOffset + begin, length / 4);
    for (let i = 0; i < words.length; i++) sum = (Math.imul(sum, 31) + words[i]) | 0;
  }
  return sum;
}
