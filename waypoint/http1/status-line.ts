// Reads the status line (RFC 9112 section 4) byte by byte: the first wrong byte fails, wherever chunks end.

import { BYTE_CLASS, VALUE } from './byte-class.ts';
import type { HeadInput } from './head-input.ts';
import { FAILED, MORE } from './limits.ts';

const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const PREFIX = [0x48, 0x54, 0x54, 0x50, 0x2f, 0x31, 0x2e];
const VERSION_END = 8;
const STATUS_START = 9;
const STATUS_END = 12;
const PHRASE_START = 13;

export class StatusLine {
  at = 0;
  reason = '';
  minor: 0 | 1 = 1;
  status = 0;
  phraseEnd = 0;

  begin(): void {
    this.at = 0;
    this.status = 0;
    this.phraseEnd = 0;
  }

  /** 0 when the line with its CRLF was read. */
  scan(input: HeadInput): number {
    const { bytes, base, end } = input;
    for (; this.at + base < end && this.at <= STATUS_END && this.phraseEnd === 0; this.at++) {
      const fault = this.#fixed(bytes[this.at + base]!, this.at);
      if (fault !== '') return this.#fail(fault);
    }
    if (this.phraseEnd === 0) {
      let at = this.at + base;
      while (at < end && (BYTE_CLASS[bytes[at]!]! & VALUE) !== 0) at++;
      this.at = at - base;
      if (at === end) return MORE;
      if (bytes[at] !== CR) return this.#fail(bytes[at] === LF ? 'bare_lf' : 'reason_phrase_invalid');
      this.phraseEnd = this.at++;
    }
    if (this.at + base === end) return MORE;
    if (bytes[this.at + base] !== LF) return this.#fail('bare_cr');
    this.at++;
    return 0;
  }

  /** The part of fixed length, `HTTP/1.1 200`, and what may follow it; '' or the fault. */
  #fixed(byte: number, index: number): string {
    if (index < PREFIX.length) return byte === PREFIX[index] ? '' : 'version_invalid';
    if (index < VERSION_END) {
      this.minor = byte === 0x30 ? 0 : 1;
      return byte === 0x30 || byte === 0x31 ? '' : 'version_unsupported';
    }
    if (index < STATUS_START) return byte === SP ? '' : 'version_invalid';
    if (index < STATUS_END) {
      if (byte < 0x30 || byte > 0x39) return 'status_invalid';
      this.status = this.status * 10 + byte - 0x30;
      return index + 1 === STATUS_END && (this.status < 100 || this.status > 599) ? 'status_invalid' : '';
    }
    // Servers that have no phrase often leave its space out too.
    if (byte === CR) this.phraseEnd = STATUS_END;
    else if (byte !== SP) return byte === LF ? 'bare_lf' : 'status_invalid';
    return '';
  }

  #fail(reason: string): number {
    this.reason = reason;
    return FAILED;
  }
}

export { PHRASE_START };
