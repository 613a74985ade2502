// CRC-32C (Castagnoli, RFC 9260 appendix A) of a PROXY protocol header.

const BYTES = 256;
let table: Uint32Array | null = null;

/** Of `bytes`, with the four bytes at `hole`, where the checksum itself stands, taken as zeros. */
export function crc32c(bytes: Buffer, hole: number): number {
  table ??= makeTable();
  let crc = 0xffffffff;
  for (let at = 0; at < bytes.length; at++) {
    const byte = at >= hole && at < hole + 4 ? 0 : bytes[at]!;
    crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

function makeTable(): Uint32Array {
  const values = new Uint32Array(BYTES);
  for (let byte = 0; byte < BYTES; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0x82f63b78 ^ (value >>> 1) : value >>> 1;
    values[byte] = value >>> 0;
  }
  return values;
}
