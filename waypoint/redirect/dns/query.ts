// What a client sent, read byte by byte before any codec sees it: work is bounded by its length, pointers are not followed.

/** RFC 1035 4.1.1, RFC 6891 6.1.3. */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;
export type Rcode = (typeof RCODE)[keyof typeof RCODE];

export interface Edns {
  /** What the client takes over UDP. */
  readonly size: number;
  readonly version: number;
  /** It wants DNSSEC records. */
  readonly dnssec: boolean;
}

/** As much of a query as could be read. */
export interface Query {
  readonly id: number;
  /** Opcode, RD and CD as sent: the bits of the second header word that an answer repeats (RFC 1035 4.1.1, RFC 4035 3.2.2). */
  readonly flags: number;
  /** Name, type and class as sent; null: none could be read. */
  readonly question: Uint8Array | null;
  /** null: the client does not speak EDNS. */
  readonly edns: Edns | null;
  /** NOERROR: it may be answered. */
  readonly verdict: Rcode;
}

export const HEADER_BYTES = 12;
/** No query is longer but by its padding. */
export const MAX_QUERY_BYTES = 4096;

export const FLAG: {
  readonly QR: number;
  readonly AA: number;
  readonly TC: number;
  readonly RD: number;
  readonly RA: number;
  readonly AD: number;
  readonly CD: number;
} = { QR: 0x8000, AA: 0x0400, TC: 0x0200, RD: 0x0100, RA: 0x0080, AD: 0x0020, CD: 0x0010 };

const OPCODE = 0x7800;
const TYPE_OPT = 41;
/** An OPT record and a signature: more does not stand behind a question. */
const MAX_ADDITIONALS = 4;
const MAX_NAME_BYTES = 255;

/** null: nothing that deserves an answer (too short, or an answer itself: two servers could talk for ever). */
export function readQuery(message: Buffer): Query | null {
  if (message.length < HEADER_BYTES) return null;
  const word = message.readUInt16BE(2);
  if ((word & FLAG.QR) !== 0) return null;
  const id = message.readUInt16BE(0);
  const flags = word & (OPCODE | FLAG.RD | FLAG.CD);
  const rejected = (verdict: Rcode): Query => ({ id, flags, question: null, edns: null, verdict });
  if ((word & OPCODE) !== 0) return rejected(RCODE.NOTIMP);
  const [questions, answers, authorities, additionals] = [4, 6, 8, 10].map((at) => message.readUInt16BE(at));
  if (message.length > MAX_QUERY_BYTES || questions !== 1 || answers !== 0 || authorities !== 0) {
    return rejected(RCODE.FORMERR);
  }
  const end = questionEnd(message, HEADER_BYTES);
  if (end < 0) return rejected(RCODE.FORMERR);
  const question = message.subarray(HEADER_BYTES, end);
  const edns = additionals! > MAX_ADDITIONALS ? undefined : readEdns(message, end, additionals!);
  if (edns === undefined) return { id, flags, question, edns: null, verdict: RCODE.FORMERR };
  return { id, flags, question, edns, verdict: edns !== null && edns.version > 0 ? RCODE.BADVERS : RCODE.NOERROR };
}

/** Where a question at `from` ends, -1: nowhere. There is nothing yet that its name could point at. */
export function questionEnd(message: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > 63) return -1;
    at += 1 + length;
    if (at - from > MAX_NAME_BYTES) return -1;
    if (length === 0) break;
  }
  return at + 4 > message.length ? -1 : at + 4;
}

/** Where a record at `from` has its type, -1: nowhere. A pointer ends a name (RFC 1035 4.1.4). */
export function recordType(message: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    const length = message[at];
    if (length === undefined) return -1;
    if (length === 0) break;
    if (length >= 0xc0) {
      at += 1;
      break;
    }
    if (length > 63) return -1;
    at += 1 + length;
    if (at - from > MAX_NAME_BYTES) return -1;
  }
  // Type, class, TTL and length stand behind it.
  return at + 11 > message.length ? -1 : at + 1;
}

/** Where the data of a record ends whose type stands at `type`, -1: behind the message. */
export function recordEnd(message: Buffer, type: number): number {
  const end = type + 10 + message.readUInt16BE(type + 8);
  return end > message.length ? -1 : end;
}

/** undefined: malformed. */
function readEdns(message: Buffer, from: number, count: number): Edns | null | undefined {
  let edns: Edns | null = null;
  let at = from;
  for (let record = 0; record < count; record++) {
    const type = recordType(message, at);
    const end = type < 0 ? -1 : recordEnd(message, type);
    if (end < 0) return undefined;
    if (message.readUInt16BE(type) === TYPE_OPT) {
      // One at most, and of the root (RFC 6891 6.1.1).
      if (edns !== null || message[at] !== 0 || !areOptions(message, type + 10, end)) return undefined;
      const size = message.readUInt16BE(type + 2);
      edns = { size, version: message[type + 5]!, dnssec: (message[type + 6]! & 0x80) !== 0 };
    }
    at = end;
  }
  return edns;
}

function areOptions(message: Buffer, from: number, end: number): boolean {
  let at = from;
  while (at + 4 <= end) at += 4 + message.readUInt16BE(at + 2);
  return at === end;
}
