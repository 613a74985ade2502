// Reads one request head after the other from a client's bytes: strict, each byte once, wherever chunks end.

import type { PathLevel } from '../../routing/path.ts';
import { FieldScanner } from './field-scanner.ts';
import { HeadInput } from './head-input.ts';
import { HeadMemo } from './head-memo.ts';
import { FAILED, type HeadLimits, MORE, type ParseFailure } from './limits.ts';
import { readRequestFields } from './request-fields.ts';
import { Http1RequestHead } from './request-head.ts';
import { RequestLine } from './request-line.ts';
import { readTarget } from './target.ts';

/** Empty lines before a request that are passed over (RFC 9112 section 2.2 asks for at least one). */
const LEADING_LINES = 4;

export class RequestParser {
  readonly head: Http1RequestHead = new Http1RequestHead();
  failure: ParseFailure | null = null;
  /** A byte of the request line was seen: from here on the head must arrive in time. */
  started = false;
  /** The head is byte for byte the one before it. */
  repeats = false;
  /** The peer may set x-forwarded-* and Forwarded. */
  trusted = false;
  readonly #limits: HeadLimits;
  readonly #level: PathLevel;
  readonly #line: RequestLine;
  readonly #scanner: FieldScanner;
  readonly #input: HeadInput = new HeadInput();
  readonly #memo: HeadMemo = new HeadMemo();
  /** The head is still the previous one's: it is cleared when the next turns out to be another. */
  #stale = false;
  #leading = 0;
  #inFields = false;

  constructor(limits: HeadLimits, level: PathLevel) {
    this.#limits = limits;
    this.#level = level;
    this.#line = new RequestLine(limits.targetBytes);
    this.#scanner = new FieldScanner(limits.fields);
  }

  /** Offset in `chunk` behind the head, MORE, or FAILED. After an offset or FAILED, `reset` comes first. */
  push(chunk: Buffer, from: number): number {
    let at = from;
    if (!this.started) {
      if (this.#stale) {
        const length = this.#memo.match(chunk, from);
        this.repeats = length > 0;
        if (length > 0) return from + length;
        this.#clear();
      }
      at = this.#skipLeading(chunk, from);
      if (at < 0) return at;
      this.started = true;
    }
    const input = this.#input;
    input.feed(chunk, at, this.#limits.headBytes);
    if (!this.#inFields) {
      const result = this.#line.scan(input);
      if (result === FAILED) return this.#fail(this.#line.failure!);
      if (result === MORE) return this.#more();
      this.#inFields = true;
      this.head.fieldsStart = this.#line.at;
      this.#scanner.begin(this.#line.at);
      if (!this.#readMethod()) return FAILED;
    }
    const result = this.#scanner.scan(input, this.head.fields);
    if (result === MORE) return this.#more();
    if (result === FAILED) {
      const { reason } = this.#scanner;
      return this.#fail({ status: reason === 'too_many_fields' ? 431 : 400, reason });
    }
    return this.#finish();
  }

  reset(): void {
    const { head } = this;
    this.failure = null;
    this.started = false;
    this.#stale = true;
    // What was parsed once holds for the same bytes, if what filters changed since can be taken back.
    if (!head.fields.revert()) this.#memo.forget();
    head.forwardPath = null;
    head.forwardQuery = null;
    head.forwardAuthority = null;
  }

  #clear(): void {
    this.head.reset();
    this.#stale = false;
    this.#leading = 0;
    this.#inFields = false;
    this.#line.begin();
    this.#input.release();
  }

  /** Offset of the first byte of the request line, MORE, or FAILED. */
  #skipLeading(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at];
      if ((this.#leading & 1) === 1) {
        if (byte !== 0x0a) return this.#fail({ status: 400, reason: 'bare_cr' });
      } else if (byte !== 0x0d) {
        return at;
      }
      if (++this.#leading > LEADING_LINES * 2) return this.#fail({ status: 400, reason: 'leading_lines' });
    }
    return MORE;
  }

  /** CONNECT would be a tunnel and TRACE an echo of what other hops added: neither is offered. */
  #readMethod(): boolean {
    const { bytes, base } = this.#input;
    const length = this.#line.targetStart - 1;
    this.head.method = methodName(bytes, base, length);
    if (this.head.method !== 'CONNECT' && this.head.method !== 'TRACE') return true;
    this.#fail({ status: 405, reason: 'method_refused' });
    return false;
  }

  #finish(): number {
    const { head } = this;
    const input = this.#input;
    const line = this.#line;
    const text = input.text(this.#scanner.at);
    head.fields.text = text;
    head.minor = line.minor;
    const raw = text.slice(line.targetStart, line.targetEnd);
    const reason = readTarget(raw, head.method === 'OPTIONS', this.#level, head);
    if (reason !== '') return this.#fail({ status: 400, reason });
    const failure = readRequestFields(head, this.trusted);
    if (failure !== null) return this.#fail(failure);
    const offset = input.offset(this.#scanner.at);
    head.fields.parsed();
    // An offset behind a head that began in this chunk is as far as its bytes go.
    // Whoever serves an upgrade or an expectation may forget it: such a head is read anew.
    if (offset === input.base + this.#scanner.at && head.upgrade === null && !head.expectContinue)
      this.#memo.keep(input.bytes, input.base, offset);
    input.release();
    return offset;
  }

  #more(): number {
    if (this.#input.end - this.#input.base < this.#limits.headBytes) {
      this.#input.hold();
      return MORE;
    }
    return this.#fail(
      this.#inFields ? { status: 431, reason: 'head_too_long' } : { status: 414, reason: 'target_too_long' },
    );
  }

  #fail(failure: ParseFailure): number {
    this.failure = failure;
    this.#input.release();
    return FAILED;
  }
}

function methodName(bytes: Buffer, start: number, length: number): string {
  if (length === 3 && bytes[start] === 0x47 && bytes[start + 1] === 0x45 && bytes[start + 2] === 0x54) return 'GET';
  return bytes.toString('latin1', start, start + length);
}
