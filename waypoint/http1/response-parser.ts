// Reads response heads from an upstream's bytes: strict, each byte once, wherever chunks end. Every fault is a 502.

import { FieldScanner } from './field-scanner.ts';
import { HeadInput } from './head-input.ts';
import { HeadMemo } from './head-memo.ts';
import { FAILED, type HeadLimits, MORE, type ParseFailure } from './limits.ts';
import { readResponseFields } from './response-fields.ts';
import { Http1ResponseHead } from './response-head.ts';
import { PHRASE_START, StatusLine } from './status-line.ts';

export class ResponseParser {
  readonly head: Http1ResponseHead = new Http1ResponseHead();
  failure: ParseFailure | null = null;
  readonly #limits: HeadLimits;
  readonly #line: StatusLine = new StatusLine();
  readonly #scanner: FieldScanner;
  readonly #input: HeadInput = new HeadInput();
  readonly #memo: HeadMemo = new HeadMemo();
  /** The head is still that of the previous response: it is cleared when the next turns out to be another. */
  #stale = false;
  #method = '';
  #inFields = false;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
    this.#scanner = new FieldScanner(limits.fields);
  }

  /** Offset in `chunk` behind the head, MORE, or FAILED. Interim (1xx) heads come out like any other; then call `next`. */
  push(chunk: Buffer, from: number): number {
    if (this.#stale) {
      const length = this.#memo.match(chunk, from);
      if (length > 0) return from + length;
      this.#clear();
    }
    const input = this.#input;
    input.feed(chunk, from, this.#limits.headBytes);
    if (!this.#inFields) {
      const result = this.#line.scan(input);
      if (result === FAILED) return this.#fail(this.#line.reason);
      if (result === MORE) return this.#more();
      this.#inFields = true;
      this.head.fieldsStart = this.#line.at;
      this.#scanner.begin(this.#line.at);
    }
    const result = this.#scanner.scan(input, this.head.fields);
    if (result === MORE) return this.#more();
    if (result === FAILED) return this.#fail(this.#scanner.reason);
    return this.#finish();
  }

  /** The answer to a request with this method comes next: HEAD has no body. */
  reset(method: string): void {
    // What was parsed once holds for the same bytes in answer to the same method, if edits can be taken back.
    if (!this.head.fields.revert() || method !== this.#method || this.head.status < 200) this.#memo.forget();
    this.#method = method;
    this.failure = null;
    this.#stale = true;
  }

  /** The head was interim: the same request's next head follows. */
  next(): void {
    this.failure = null;
    this.#memo.forget();
    this.#clear();
  }

  #clear(): void {
    this.head.reset();
    this.#stale = false;
    this.#inFields = false;
    this.#line.begin();
    this.#input.release();
  }

  #finish(): number {
    const { head } = this;
    const input = this.#input;
    const line = this.#line;
    const text = input.text(this.#scanner.at);
    head.fields.text = text;
    head.minor = line.minor;
    head.status = line.status;
    head.verbatim = line.minor === 1 && line.phraseEnd >= PHRASE_START;
    if (head.verbatim || line.phraseEnd > PHRASE_START) head.reasonPhrase = text.slice(PHRASE_START, line.phraseEnd);
    const reason = readResponseFields(head, this.#method);
    if (reason !== '') return this.#fail(reason);
    const offset = input.offset(this.#scanner.at);
    head.fields.parsed();
    if (offset === input.base + this.#scanner.at) this.#memo.keep(input.bytes, input.base, offset);
    input.release();
    return offset;
  }

  #more(): number {
    if (this.#input.end - this.#input.base >= this.#limits.headBytes) return this.#fail('head_too_long');
    this.#input.hold();
    return MORE;
  }

  #fail(reason: string): number {
    this.failure = { status: 502, reason };
    this.#input.release();
    return FAILED;
  }
}
