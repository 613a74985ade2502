// A distinguished name as text (RFC 4514), safe in a quoted string and in a header: ASCII, no quote, no lone backslash.

import { type Element, elementsBetween, elementsIn, OID, SEQUENCE, SET, UTF8_STRING } from './der.ts';

/** Section 3, and the e-mail address that old certificates carry, by object identifier. */
const KEYWORDS: ReadonlyMap<string, string> = new Map([
  ['550403', 'CN'],
  ['550406', 'C'],
  ['550407', 'L'],
  ['550408', 'ST'],
  ['550409', 'STREET'],
  ['55040a', 'O'],
  ['55040b', 'OU'],
  ['0992268993f22c640119', 'DC'],
  ['0992268993f22c640101', 'UID'],
  ['2a864886f70d010901', 'emailAddress'],
]);
const NUMERIC_STRING = 0x12;
const PRINTABLE_STRING = 0x13;
const IA5_STRING = 0x16;

/** Most specific first, as section 2.1 says; null for what is no name. '' for the empty one. */
export function distinguishedName(der: Uint8Array): string | null {
  const [name, ...more] = elementsBetween(der, 0, der.length) ?? [];
  const sets = elementsIn(der, name, SEQUENCE);
  if (sets === null || more.length > 0) return null;
  const parts: string[] = [];
  for (const set of sets) {
    const attributes = elementsIn(der, set, SET);
    if (attributes === null || attributes.length === 0) return null;
    const texts = attributes.map((attribute) => attributeText(der, attribute));
    if (texts.includes(null)) return null;
    parts.push(texts.join('+'));
  }
  return parts.reverse().join(',');
}

function attributeText(der: Uint8Array, attribute: Element): string | null {
  const [type, value, ...more] = elementsIn(der, attribute, SEQUENCE) ?? [];
  if (type?.tag !== OID || value === undefined || more.length > 0) return null;
  const id = hex(der.subarray(type.start, type.end));
  const keyword = KEYWORDS.get(id);
  const bytes = der.subarray(value.start, value.end);
  // Section 2.4: what has no keyword, or is no string that is ASCII or UTF-8, is written as the bytes of its encoding.
  if (keyword === undefined) return `${dotted(der.subarray(type.start, type.end))}=#${encoded(der, value)}`;
  const isText =
    value.tag === UTF8_STRING ||
    value.tag === NUMERIC_STRING ||
    value.tag === PRINTABLE_STRING ||
    value.tag === IA5_STRING;
  return isText ? `${keyword}=${escaped(bytes)}` : `${keyword}=#${encoded(der, value)}`;
}

/** Everything but plain characters as a backslash and two digits (section 2.4 allows it for any character). */
function escaped(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    const character = String.fromCharCode(byte);
    const inner = i > 0 && i < bytes.length - 1;
    const plain = /[A-Za-z0-9._:/@*'()?!&-]/.test(character) || (character === ' ' && inner);
    text += plain ? character : `\\${byte.toString(16).padStart(2, '0').toUpperCase()}`;
  }
  return text;
}

function encoded(der: Uint8Array, { from, end }: Element): string {
  return hex(der.subarray(from, end));
}

function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** An object identifier with dots (X.690 section 8.19). */
function dotted(bytes: Uint8Array): string {
  const numbers: number[] = [];
  let number = 0;
  for (const byte of bytes) {
    number = number * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    numbers.push(number);
    number = 0;
  }
  const [first = 0, ...rest] = numbers;
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - root * 40, ...rest].join('.');
}
