// Reads the request line (RFC 9112 section 3) byte by byte: the first wrong byte fails, wherever chunks end.

import { BYTE_CLASS, TARGET, TCHAR } from './byte-class.ts';
import type { HeadInput } from './head-input.ts';
import { FAILED, MORE, type ParseFailure } from './limits.ts';

const METHOD = 0;
const IN_TARGET = 1;
const VERSION = 2;

const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const VERSION_PREFIX = [0x48, 0x54, 0x54, 0x50, 0x2f];
const METHOD_BYTES = 32;

export class RequestLine {
  at = 0;
  failure: ParseFailure | null = null;
  minor: 0 | 1 = 1;
  targetStart = 0;
  targetEnd = 0;
  readonly #targetBytes: number;
  #phase = METHOD;

  constructor(targetBytes: number) {
    this.#targetBytes = targetBytes;
  }

  begin(): void {
    this.at = 0;
    this.#phase = METHOD;
  }

  /** 0 when the line with its CRLF was read. */
  scan(input: HeadInput): number {
    const { bytes, base, end } = input;
    let at = this.at + base;
    if (this.#phase === METHOD) {
      const last = Math.min(end, base + METHOD_BYTES + 1);
      while (at < last && (BYTE_CLASS[bytes[at]!]! & TCHAR) !== 0) at++;
      this.at = at - base;
      if (this.at > METHOD_BYTES) return this.#fail(400, 'method_too_long');
      if (at === end) return MORE;
      if (bytes[at] !== SP || at === base) return this.#fail(400, lineFault(bytes[at]!, 'method_invalid'));
      this.targetStart = this.at = ++at - base;
      this.#phase = IN_TARGET;
    }
    if (this.#phase === IN_TARGET) {
      const last = Math.min(end, base + this.targetStart + this.#targetBytes + 1);
      while (at < last && (BYTE_CLASS[bytes[at]!]! & TARGET) !== 0) at++;
      this.at = at - base;
      if (this.at - this.targetStart > this.#targetBytes) return this.#fail(414, 'target_too_long');
      if (at === end) return MORE;
      if (bytes[at] !== SP || this.at === this.targetStart)
        return this.#fail(400, lineFault(bytes[at]!, 'target_invalid'));
      this.targetEnd = this.at++;
      this.#phase = VERSION;
    }
    return this.#version(bytes, base, end);
  }

  #version(bytes: Uint8Array, base: number, end: number): number {
    const start = this.targetEnd + 1;
    for (; this.at + base < end; this.at++) {
      const byte = bytes[this.at + base]!;
      const index = this.at - start;
      if (index < 5) {
        if (byte !== VERSION_PREFIX[index]) return this.#fail(400, lineFault(byte, 'version_invalid'));
      } else if (index === 6) {
        if (byte !== 0x2e) return this.#fail(isDigit(byte) ? 505 : 400, lineFault(byte, 'version_invalid'));
      } else if (index === 5 || index === 7) {
        if (!isDigit(byte)) return this.#fail(400, lineFault(byte, 'version_invalid'));
        if (index === 5 ? byte !== 0x31 : byte > 0x31) return this.#fail(505, 'version_unsupported');
        this.minor = byte === 0x30 ? 0 : 1;
      } else if (index === 8) {
        if (byte !== CR) return this.#fail(isDigit(byte) ? 505 : 400, lineFault(byte, 'version_invalid'));
      } else if (byte !== LF) {
        return this.#fail(400, 'bare_cr');
      } else {
        this.at++;
        return 0;
      }
    }
    return MORE;
  }

  #fail(status: number, reason: string): number {
    this.failure = { status, reason };
    return FAILED;
  }
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function lineFault(byte: number, otherwise: string): string {
  if (byte === LF) return 'bare_lf';
  return byte === CR ? 'request_line_incomplete' : otherwise;
}
