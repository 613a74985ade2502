// What an X.509 certificate says, read from its raw DER (RFC 5280 section 4.1): never from a text made of it, in which a
// name can contain what separates names.

import {
  BIT_STRING,
  BOOLEAN,
  type Element,
  elementAt,
  elementsIn,
  INTEGER,
  OCTET_STRING,
  OID,
  SEQUENCE,
} from './der.ts';
import { timeOf } from './der-time.ts';

export interface Certificate {
  /** DER of the subject's Name. */
  readonly subject: Uint8Array;
  /** Milliseconds since the epoch; both ends are still valid. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Subject alternative names in order, as they are written: printable ASCII, any case. */
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
  /** `10.0.0.1`; IPv6 as eight groups. */
  readonly addresses: readonly string[];
  /** It says that it may sign certificates or revocation lists. */
  readonly certifies: boolean;
  /** Object identifiers of its extended key usage in hexadecimal; null: it is not limited. */
  readonly purposes: readonly string[] | null;
}

const SUBJECT_ALTERNATIVE_NAME = '551d11';
const BASIC_CONSTRAINTS = '551d13';
const KEY_USAGE = '551d0f';
const EXTENDED_KEY_USAGE = '551d25';
/** Bits keyCertSign and cRLSign of the first byte (RFC 5280 section 4.2.1.3). */
const SIGNING = 0x06;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const DNS_NAME = 0x82;
const URI = 0x86;
const IP_ADDRESS = 0x87;
/** The other forms of a name: otherName, rfc822Name, x400Address, directoryName, ediPartyName, registeredID. */
const OTHER_NAMES: readonly number[] = [0xa0, 0x81, 0xa3, 0xa4, 0xa5, 0x88];

/** null: these bytes are not one certificate, or a name in it is nothing that a name may be (a NUL, a letter beyond ASCII). */
export function readCertificate(der: Uint8Array): Certificate | null {
  const whole = elementAt(der, 0, der.length);
  if (whole === null || whole.end !== der.length) return null;
  const [body, algorithm, signature, ...more] = elementsIn(der, whole, SEQUENCE) ?? [];
  if (algorithm?.tag !== SEQUENCE || signature?.tag !== BIT_STRING || more.length > 0) return null;
  const fields = [...(elementsIn(der, body, SEQUENCE) ?? [])];
  if (fields[0]?.tag === VERSION) fields.shift();
  const [serial, , issuer, validity, subject, key, ...rest] = fields;
  if (serial?.tag !== INTEGER || issuer?.tag !== SEQUENCE || subject?.tag !== SEQUENCE || key?.tag !== SEQUENCE) {
    return null;
  }
  const times = elementsIn(der, validity, SEQUENCE);
  if (times?.length !== 2) return null;
  const notBefore = timeOf(der, times[0]!);
  const notAfter = timeOf(der, times[1]!);
  const extensions = readExtensions(der, rest);
  if (notBefore === null || notAfter === null || extensions === null) return null;
  const said = readExtended(der, extensions);
  return said === null ? null : { subject: der.subarray(subject.from, subject.end), notBefore, notAfter, ...said };
}

/** The contents of the extensions by object identifier; null when they are malformed or one is there twice. */
function readExtensions(der: Uint8Array, rest: readonly Element[]): ReadonlyMap<string, Element> | null {
  const found = new Map<string, Element>();
  const outer = rest.at(-1);
  if (outer?.tag !== EXTENSIONS) return found;
  const [list, ...more] = elementsIn(der, outer, EXTENSIONS) ?? [];
  const extensions = elementsIn(der, list, SEQUENCE);
  if (extensions === null || more.length > 0) return null;
  for (const extension of extensions) {
    const parts = elementsIn(der, extension, SEQUENCE);
    const [id, second] = parts ?? [];
    const value = parts?.at(-1);
    const known = parts?.length === 2 || (parts?.length === 3 && second?.tag === BOOLEAN);
    if (!known || id?.tag !== OID || value?.tag !== OCTET_STRING) return null;
    const name = hexOf(der, id);
    if (found.has(name)) return null;
    found.set(name, value);
  }
  return found;
}

type Extended = Pick<Certificate, 'dnsNames' | 'uris' | 'addresses' | 'certifies' | 'purposes'>;

function readExtended(der: Uint8Array, extensions: ReadonlyMap<string, Element>): Extended | null {
  const names = readNames(der, extensions.get(SUBJECT_ALTERNATIVE_NAME));
  const isAuthority = readBasicConstraints(der, extensions.get(BASIC_CONSTRAINTS));
  const signs = readKeyUsage(der, extensions.get(KEY_USAGE));
  const purposes = readPurposes(der, extensions.get(EXTENDED_KEY_USAGE));
  if (names === null || isAuthority === null || signs === null || purposes === 'malformed') return null;
  return { ...names, certifies: isAuthority || signs, purposes };
}

/** Section 4.2.1.6. */
function readNames(
  der: Uint8Array,
  value: Element | undefined,
): Pick<Extended, 'dnsNames' | 'uris' | 'addresses'> | null {
  const dnsNames: string[] = [];
  const uris: string[] = [];
  const addresses: string[] = [];
  if (value === undefined) return { dnsNames, uris, addresses };
  const names = elementsIn(der, only(der, value), SEQUENCE);
  if (names === null) return null;
  for (const name of names) {
    if (name.tag === IP_ADDRESS) {
      const address = addressOf(der.subarray(name.start, name.end));
      if (address === null) return null;
      addresses.push(address);
    } else if (name.tag === DNS_NAME || name.tag === URI) {
      const text = asciiOf(der, name);
      if (text === null) return null;
      (name.tag === URI ? uris : dnsNames).push(text);
    } else if (!OTHER_NAMES.includes(name.tag)) {
      return null;
    }
  }
  return { dnsNames, uris, addresses };
}

/** Section 4.2.1.9: whether it is a CA. */
function readBasicConstraints(der: Uint8Array, value: Element | undefined): boolean | null {
  if (value === undefined) return false;
  const parts = elementsIn(der, only(der, value), SEQUENCE);
  if (parts === null) return null;
  const [first] = parts;
  return first?.tag === BOOLEAN && first.end > first.start && der[first.start] !== 0;
}

function readKeyUsage(der: Uint8Array, value: Element | undefined): boolean | null {
  if (value === undefined) return false;
  const bits = only(der, value);
  if (bits?.tag !== BIT_STRING || bits.end - bits.start < 1) return null;
  return bits.end - bits.start > 1 && (der[bits.start + 1]! & SIGNING) !== 0;
}

function readPurposes(der: Uint8Array, value: Element | undefined): readonly string[] | null | 'malformed' {
  if (value === undefined) return null;
  const ids = elementsIn(der, only(der, value), SEQUENCE);
  if (ids === null || ids.some(({ tag }) => tag !== OID)) return 'malformed';
  return ids.map((id) => hexOf(der, id));
}

/** The one element that an extension's value is. */
function only(der: Uint8Array, value: Element): Element | undefined {
  const element = elementAt(der, value.start, value.end);
  return element?.end === value.end ? element : undefined;
}

/** Printable ASCII, not empty; anything else is a trick: what comes behind a NUL is seen by some readers only. */
function asciiOf(der: Uint8Array, { start, end }: Element): string | null {
  if (start === end) return null;
  let text = '';
  for (let i = start; i < end; i++) {
    const byte = der[i]!;
    if (byte < 0x20 || byte > 0x7e) return null;
    text += String.fromCharCode(byte);
  }
  return text;
}

function addressOf(bytes: Uint8Array): string | null {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return null;
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((bytes[i]! * 256 + bytes[i + 1]!).toString(16));
  return groups.join(':');
}

function hexOf(der: Uint8Array, { start, end }: Element): string {
  let text = '';
  for (let i = start; i < end; i++) text += der[i]!.toString(16).padStart(2, '0');
  return text;
}
