// What each byte may be part of, as one table: the scanners ask it once per byte.

export const TCHAR = 1;
/** field-vchar, obs-text, SP and HTAB: what a value or a reason phrase may hold. */
export const VALUE = 2;
/** Visible US-ASCII: what a request-target may hold. */
export const TARGET = 4;

export const BYTE_CLASS: Uint8Array = build();

function build(): Uint8Array {
  const table = new Uint8Array(256);
  for (let byte = 0x20; byte < 0x100; byte++) if (byte !== 0x7f) table[byte] = VALUE;
  table[0x09] = VALUE;
  for (let byte = 0x21; byte < 0x7f; byte++) table[byte] = table[byte]! | TARGET;
  for (const char of "!#$%&'*+-.^_`|~0123456789") table[char.charCodeAt(0)]! |= TCHAR;
  for (let letter = 0; letter < 26; letter++) {
    table[0x41 + letter]! |= TCHAR;
    table[0x61 + letter]! |= TCHAR;
  }
  return table;
}
