// Messages as bytes, by dns-packet: questions in, records out. Questions go back as they came, to the letter (0x20).

import { type Answer, decode, encode } from 'dns-packet';
import { type Edns, FLAG, HEADER_BYTES, type Rcode } from './query.ts';

export type { Answer };

export interface Question {
  /** As it was sent. */
  readonly name: string;
  /** `A`, `SRV`, `UNKNOWN_65`. */
  readonly type: string;
  readonly class: string;
  /** Made of letters, digits, hyphens and underscores alone, as names of Services are. */
  readonly isPlain: boolean;
}

export interface Reply {
  readonly id: number;
  readonly flags: number;
  readonly rcode: Rcode;
  readonly question: Uint8Array | null;
  /** That of the query; null: the answer has none either. */
  readonly edns: Edns | null;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
  readonly additionals: readonly Answer[];
}

/** What we take over UDP, and the most that we send: fits every path without fragments (RFC 9715 3.1). */
export const UDP_BYTES = 1232;
/** What everybody takes (RFC 1035 2.3.4). */
export const LEAST_UDP_BYTES = 512;
export const TCP_BYTES = 65_535;

const NONE: readonly Answer[] = [];

/** `question`: name, type and class as `readQuery` found them. null: no codec can read it. */
export function readQuestion(question: Uint8Array): Question | null {
  const message = Buffer.alloc(HEADER_BYTES + question.length);
  message.writeUInt16BE(1, 4);
  message.set(question, HEADER_BYTES);
  try {
    const { name, type, class: kind } = decode(message).questions![0]!;
    return { name: name === '.' ? '' : name, type, class: String(kind ?? 'IN'), isPlain: isPlain(question) };
  } catch {
    return null;
  }
}

/** As bytes, no more than `limit`: what does not fit is asked for again over TCP (RFC 2181 9). */
export function writeReply(reply: Reply, limit: number): Buffer {
  const whole = write(reply);
  if (whole.length <= limit) return whole;
  // Additional records are a courtesy.
  const shorter = reply.additionals.length === 0 ? whole : write({ ...reply, additionals: NONE });
  if (shorter.length <= limit) return shorter;
  return write({ ...reply, flags: reply.flags | FLAG.TC, answers: NONE, authorities: NONE, additionals: NONE });
}

/** A question for another server, without what concerns only the way from the client to us. */
export function writeQuestion(id: number, flags: number, question: Uint8Array, edns: Edns | null): Buffer {
  const additionals = edns === null ? [] : [optRecord(edns, 0)];
  return withQuestion(encode({ type: 'query', id, flags, additionals }), question);
}

function write({ id, flags, rcode, question, edns, answers, authorities, additionals }: Reply): Buffer {
  const message = encode({
    type: 'response',
    id,
    flags: flags | (rcode & 15),
    answers: [...answers],
    authorities: [...authorities],
    additionals: edns === null ? [...additionals] : [...additionals, optRecord(edns, rcode >> 4)],
  });
  return question === null ? message : withQuestion(message, question);
}

function optRecord({ dnssec }: Edns, extendedRcode: number): Answer {
  const flags = dnssec ? 0x8000 : 0;
  return {
    ...{ type: 'OPT', name: '.', udpPayloadSize: UDP_BYTES, extendedRcode },
    ...{ ednsVersion: 0, flags, flag_do: dnssec, options: [] },
  };
}

/** dns-packet writes no pointers, so that records can move. */
function withQuestion(message: Buffer, question: Uint8Array): Buffer {
  message.writeUInt16BE(1, 4);
  return Buffer.concat([message.subarray(0, HEADER_BYTES), question, message.subarray(HEADER_BYTES)]);
}

function isPlain(question: Uint8Array): boolean {
  for (let at = 0; question[at] !== 0; at += 1 + question[at]!) {
    for (let next = at + 1; next <= at + question[at]!; next++) if (!isWord(question[next]!)) return false;
  }
  return true;
}

function isWord(byte: number): boolean {
  const lower = byte | 0x20;
  return (lower >= 97 && lower <= 122) || (byte >= 48 && byte <= 57) || byte === 45 || byte === 95;
}
