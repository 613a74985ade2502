// Reads the trailer section behind a chunked body and keeps what may stand there (RFC 9110 section 6.5.1).

import { FieldScanner } from './field-scanner.ts';
import { FieldBlock } from './fields.ts';
import { HeadInput } from './head-input.ts';
import { OTHER } from './known-fields.ts';
import { FAILED, type HeadLimits, MORE } from './limits.ts';

/** What a receiver that merges trailers into the head would be deceived by; known-fields.ts has the others. */
const FORBIDDEN: ReadonlySet<string> = new Set([
  ...['authorization', 'cookie', 'cookie2', 'set-cookie', 'set-cookie2', 'www-authenticate', 'authentication-info'],
  ...['content-encoding', 'content-type', 'content-range', 'content-location', 'trailer', 'cache-control', 'expires'],
  ...[
    'via',
    'x-request-id',
    'age',
    'date',
    'location',
    'retry-after',
    'vary',
    'warning',
    'pragma',
    'max-forwards',
    'range',
    'if-match',
  ],
  ...['if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range', 'origin'],
]);
const FORBIDDEN_PREFIXES = ['x-forwarded-', 'sec-', 'access-control-'];

export class TrailerReader {
  reason = '';
  /** After the end: canonical lines, each ending in CRLF. */
  lines = '';
  readonly #limits: HeadLimits;
  readonly #fields: FieldBlock = new FieldBlock();
  readonly #scanner: FieldScanner;
  readonly #input: HeadInput = new HeadInput();

  constructor(limits: HeadLimits) {
    this.#limits = limits;
    this.#scanner = new FieldScanner(limits.fields);
  }

  /** Offset behind the section, MORE, or FAILED. */
  push(chunk: Buffer, from: number): number {
    const input = this.#input;
    input.feed(chunk, from, this.#limits.headBytes);
    const result = this.#scanner.scan(input, this.#fields);
    if (result === FAILED) return this.#fail(this.#scanner.reason);
    if (result === MORE) {
      if (input.end - input.base >= this.#limits.headBytes) return this.#fail('trailers_too_long');
      input.hold();
      return MORE;
    }
    this.#fields.text = input.text(this.#scanner.at);
    for (let i = 0; i < this.#fields.count; i++) {
      const name = this.#fields.name(i);
      if (this.#fields.kind(i) === OTHER && !isForbidden(name)) this.lines += `${name}: ${this.#fields.value(i)}\r\n`;
    }
    return input.offset(this.#scanner.at);
  }

  #fail(reason: string): number {
    this.reason = reason;
    return FAILED;
  }
}

function isForbidden(name: string): boolean {
  const dashed = name.replaceAll(/[_.]/g, '-');
  return FORBIDDEN.has(dashed) || FORBIDDEN_PREFIXES.some((prefix) => dashed.startsWith(prefix));
}
