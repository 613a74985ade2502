// Reads messages through the HTTP/1 codec as a connection does, and writes down what came of each.

import { BodyDecoder } from '../../waypoint/http1/body-decoder.ts';
import { LENGTH } from '../../waypoint/http1/framing.ts';
import { FAILED, type HeadLimits, MORE, REQUEST_LIMITS, RESPONSE_LIMITS } from '../../waypoint/http1/limits.ts';
import { RequestParser } from '../../waypoint/http1/request-parser.ts';
import { ResponseParser } from '../../waypoint/http1/response-parser.ts';

/** One message, or the fault at which reading ended. */
export interface Reading {
  /** `status reason`, '' when the message was read. */
  fault: string;
  /** What was parsed of the head, '' when it never completed. */
  head: string;
  /** The head as forwarded. */
  forwarded: string;
  body: string;
  trailers: string;
  /** Offset behind the message, -1 when it is incomplete or faulty. */
  end: number;
}

interface Parser {
  push(chunk: Buffer, from: number): number;
  readonly failure: { status: number; reason: string } | null;
}

interface Described {
  head: string;
  forwarded: string;
  framing: 0 | 1 | 2 | 3;
  length: number;
  /** What follows is not HTTP. */
  last: boolean;
}

class Reader {
  readonly readings: Reading[] = [];
  readonly #parser: Parser;
  readonly #describe: () => Described;
  readonly #next: () => void;
  readonly #decoder = new BodyDecoder();
  #current = fresh();
  #inBody = false;
  #over = false;
  #begun = false;

  constructor(parser: Parser, describe: () => Described, next: () => void) {
    this.#parser = parser;
    this.#describe = describe;
    this.#next = next;
  }

  onBodyData(data: Buffer): void {
    this.#current.body += data.toString('latin1');
  }

  read(chunk: Buffer, offset: number): void {
    let at = 0;
    while (at < chunk.length && !this.#over) {
      this.#begun = true;
      at = this.#inBody ? this.#readBody(chunk, at) : this.#readHead(chunk, at);
      if (at < 0) return;
      if (this.#inBody && this.#decoder.done) this.#finish(offset + at);
    }
  }

  end(): Reading[] {
    if (this.#over) return this.readings;
    if (this.#inBody && this.#decoder.end()) this.#finish(-1);
    else if (this.#inBody) this.#fail('0 truncated');
    else if (this.#begun) this.#fail('0 incomplete');
    return this.readings;
  }

  #readHead(chunk: Buffer, from: number): number {
    const at = this.#parser.push(chunk, from);
    if (at === FAILED) this.#fail(`${this.#parser.failure?.status} ${this.#parser.failure?.reason}`);
    if (at === FAILED || at === MORE) return -1;
    const { head, forwarded, framing, length, last } = this.#describe();
    this.#current.head = head;
    this.#current.forwarded = forwarded;
    this.#decoder.begin(framing, framing === LENGTH ? length : 0);
    this.#inBody = !last;
    this.#over = last;
    if (last) this.readings.push(this.#current);
    return at;
  }

  #readBody(chunk: Buffer, from: number): number {
    const at = this.#decoder.push(chunk, from, this);
    if (at === FAILED) this.#fail(`${this.#decoder.failure?.status} ${this.#decoder.failure?.reason}`);
    return at;
  }

  #finish(end: number): void {
    this.#current.trailers = this.#decoder.trailers;
    this.#current.end = end;
    this.readings.push(this.#current);
    this.#current = fresh();
    this.#inBody = false;
    this.#begun = false;
    this.#next();
  }

  #fail(fault: string): void {
    this.#current.fault = fault;
    this.readings.push(this.#current);
    this.#over = true;
  }
}

function fresh(): Reading {
  return { fault: '', head: '', forwarded: '', body: '', trailers: '', end: -1 };
}

function feed(reader: Reader, text: string, cuts: readonly number[]): Reading[] {
  const bytes = Buffer.from(text, 'latin1');
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    // A copy, so that a view that outlives its chunk would show.
    const chunk = Buffer.from(bytes.subarray(from, cut));
    reader.read(chunk, from);
    chunk.fill(0x21);
    from = cut;
  }
  return reader.end();
}

/** Every request in `text`, Latin-1, cut at `cuts`; the last one may be a fault. */
export function readRequests(
  text: string,
  cuts: readonly number[] = [],
  limits: HeadLimits = REQUEST_LIMITS,
): Reading[] {
  const parser = new RequestParser(limits, 'decode-and-merge');
  const { head } = parser;
  const describe = (): Described => ({
    head: JSON.stringify({ ...head, fields: head.fields.entries() }),
    forwarded: head.serialize(''),
    framing: head.framing,
    length: head.contentLength,
    last: false,
  });
  return feed(new Reader(parser, describe, () => parser.reset()), text, cuts);
}

/** Every response in `text` to requests with this method. */
export function readResponses(
  text: string,
  cuts: readonly number[] = [],
  method = 'GET',
  limits: HeadLimits = RESPONSE_LIMITS,
): Reading[] {
  const parser = new ResponseParser(limits);
  parser.reset(method);
  const { head } = parser;
  const describe = (): Described => ({
    head: JSON.stringify({ ...head, fields: head.fields.entries() }),
    forwarded: head.serialize(''),
    framing: head.framing,
    length: head.contentLength,
    last: head.status === 101,
  });
  const next = (): void => (head.status < 200 ? parser.next() : parser.reset(method));
  return feed(new Reader(parser, describe, next), text, cuts);
}
