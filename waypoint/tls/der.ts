// DER (X.690 section 10) element by element: definite, shortest lengths within bounds, or nothing at all.

export const BOOLEAN = 0x01;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const OID = 0x06;
export const UTF8_STRING = 0x0c;
export const UTC_TIME = 0x17;
export const GENERALIZED_TIME = 0x18;
export const SEQUENCE = 0x30;
export const SET = 0x31;

/** One element; its content is from `start` to `end`, its header from `from` to `start`. */
export interface Element {
  readonly tag: number;
  readonly from: number;
  readonly start: number;
  readonly end: number;
}

/** The element that begins at `at` and ends by `end`; null when there is none that is well-formed. */
export function elementAt(bytes: Uint8Array, at: number, end: number): Element | null {
  if (end - at < 2) return null;
  const tag = bytes[at]!;
  // Tags of more than one byte occur in nothing that is read here.
  if ((tag & 0x1f) === 0x1f) return null;
  const first = bytes[at + 1]!;
  const count = first < 0x80 ? 0 : first & 0x7f;
  const start = at + 2 + count;
  // 0x80 alone is the indefinite length; four bytes are more than any certificate has.
  if (first === 0x80 || count > 4 || start > end) return null;
  let length = count === 0 ? first : 0;
  for (let i = at + 2; i < start; i++) length = length * 256 + bytes[i]!;
  if (count > 0 && (length < 0x80 || bytes[at + 2] === 0)) return null;
  return length > end - start ? null : { tag, from: at, start, end: start + length };
}

/** The elements side by side in these bytes, which they fill; null when one of them is malformed. */
export function elementsBetween(bytes: Uint8Array, start: number, end: number): readonly Element[] | null {
  const elements: Element[] = [];
  for (let at = start; at < end; ) {
    const element = elementAt(bytes, at, end);
    if (element === null) return null;
    elements.push(element);
    at = element.end;
  }
  return elements;
}

/** The elements inside `parent`, when it has this tag; null when it is another, absent or malformed. */
export function elementsIn(bytes: Uint8Array, parent: Element | undefined, tag: number): readonly Element[] | null {
  return parent?.tag === tag ? elementsBetween(bytes, parent.start, parent.end) : null;
}
