// Reads field lines (RFC 9112 section 5) byte by byte, exactly once each, resuming wherever a chunk ended.

import { BYTE_CLASS, TCHAR } from './byte-class.ts';
import type { FieldBlock } from './fields.ts';
import type { HeadInput } from './head-input.ts';
import { FAILED, MORE } from './limits.ts';

const START = 0;
const NAME = 1;
const SPACE = 2;
const TEXT = 3;
const LINE_FEED = 4;
const LAST_LINE_FEED = 5;

const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const COLON = 0x3a;
const DEL = 0x7f;

export class FieldScanner {
  /** Offset in the block of the next byte to read. */
  at = 0;
  /** After FAILED: why; `too_many_fields` is about a limit, all others about syntax. */
  reason = '';
  readonly #limit: number;
  #phase = START;
  #nameStart = 0;
  #nameEnd = 0;
  #valueStart = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  begin(at: number): void {
    this.at = at;
    this.#phase = START;
  }

  /** 0 when the empty line that ends the section was read. */
  scan(input: HeadInput, fields: FieldBlock): number {
    const { bytes, base, end } = input;
    let at = this.at + base;
    let phase = this.#phase;
    let nameStart = this.#nameStart + base;
    let nameEnd = this.#nameEnd + base;
    let valueStart = this.#valueStart + base;
    while (at < end) {
      if (phase === START) {
        if (bytes[at] === CR) {
          phase = LAST_LINE_FEED;
          at++;
          continue;
        }
        if (fields.count >= this.#limit) return this.#fail('too_many_fields');
        nameStart = at;
        phase = NAME;
      }
      if (phase === NAME) {
        while (at < end && (BYTE_CLASS[bytes[at]!]! & TCHAR) !== 0) at++;
        if (at === end) break;
        if (bytes[at] !== COLON || at === nameStart) return this.#fail(nameFault(bytes[at]!, at - nameStart));
        nameEnd = at++;
        phase = SPACE;
      }
      if (phase === SPACE) {
        while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at++;
        if (at === end) break;
        valueStart = at;
        phase = TEXT;
      }
      if (phase === TEXT) {
        for (; at < end; at++) {
          const byte = bytes[at]!;
          if (byte >= SP ? byte === DEL : byte !== HTAB) break;
        }
        if (at === end) break;
        if (bytes[at] !== CR) return this.#fail(bytes[at] === LF ? 'bare_lf' : 'field_value_invalid');
        at++;
        phase = LINE_FEED;
        if (at === end) break;
      }
      if (bytes[at++] !== LF) return this.#fail('bare_cr');
      if (phase === LAST_LINE_FEED) {
        this.at = at - base;
        return 0;
      }
      fields.add(bytes, base, nameStart, nameEnd, valueStart, at);
      phase = START;
    }
    this.at = at - base;
    this.#phase = phase;
    this.#nameStart = nameStart - base;
    this.#nameEnd = nameEnd - base;
    this.#valueStart = valueStart - base;
    return MORE;
  }

  #fail(reason: string): number {
    this.reason = reason;
    return FAILED;
  }
}

function nameFault(byte: number, read: number): string {
  if (byte === LF) return 'bare_lf';
  if (read === 0) return byte === SP || byte === HTAB ? 'obs_fold' : 'field_name_empty';
  if (byte === SP || byte === HTAB) return 'space_before_colon';
  return byte === CR ? 'field_without_colon' : 'field_name_invalid';
}
