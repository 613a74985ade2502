// The line before a chunk's data: its size in hexadecimal, and extensions that are checked and forgotten (RFC 9112 section 7.1.1).

import { BYTE_CLASS, TCHAR, VALUE } from './byte-class.ts';

const SIZE = 0;
const NAME_START = 1;
const NAME = 2;
const VALUE_START = 3;
const TOKEN = 4;
const QUOTED = 5;
const ESCAPED = 6;
const QUOTE_END = 7;
const LINE_FEED = 8;

/** 52 bits: the size stays a safe integer. */
const MAX_SIZE_DIGITS = 13;
/** Of a whole message: tiny chunks with long extensions cost more than they carry. */
const MAX_EXTENSION_BYTES = 16_384;

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

export class ChunkLine {
  size = 0;
  complete = false;
  #state = SIZE;
  #digits = 0;
  #extensionBytes = 0;

  /** A new body. */
  begin(): void {
    this.#extensionBytes = 0;
    this.next();
  }

  /** The next chunk of the same body. */
  next(): void {
    this.size = 0;
    this.complete = false;
    this.#state = SIZE;
    this.#digits = 0;
  }

  /** Takes one byte; '' or the fault. */
  step(byte: number): string {
    if (this.#state === SIZE) return this.#stepSize(byte);
    if (this.#state === LINE_FEED) {
      this.complete = byte === LF;
      return this.complete ? '' : 'bare_cr';
    }
    if (byte === LF) return 'bare_lf';
    if (++this.#extensionBytes > MAX_EXTENSION_BYTES) return 'chunk_extensions_too_long';
    this.#state = extension(this.#state, byte);
    return this.#state < 0 ? 'chunk_extension_invalid' : '';
  }

  #stepSize(byte: number): string {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      if (++this.#digits > MAX_SIZE_DIGITS) return 'chunk_size_too_large';
      this.size = this.size * 16 + digit;
      return '';
    }
    if (byte === LF) return 'bare_lf';
    if (this.#digits === 0 || (byte !== CR && byte !== SEMICOLON)) return 'chunk_size_invalid';
    this.#state = byte === CR ? LINE_FEED : NAME_START;
    return '';
  }
}

/** The state behind `byte` within an extension, -1 when it can't stand there. White space can't, anywhere but in quotes. */
function extension(state: number, byte: number): number {
  const isToken = (BYTE_CLASS[byte]! & TCHAR) !== 0;
  switch (state) {
    case NAME_START:
      return isToken ? NAME : -1;
    case NAME:
      if (isToken) return NAME;
      return byte === EQUALS ? VALUE_START : afterValue(byte);
    case VALUE_START:
      if (isToken) return TOKEN;
      return byte === QUOTE ? QUOTED : -1;
    case TOKEN:
      return isToken ? TOKEN : afterValue(byte);
    case QUOTED:
      if (byte === QUOTE) return QUOTE_END;
      if (byte === BACKSLASH) return ESCAPED;
      return (BYTE_CLASS[byte]! & VALUE) !== 0 ? QUOTED : -1;
    case ESCAPED:
      return (BYTE_CLASS[byte]! & VALUE) !== 0 ? QUOTED : -1;
    default:
      return afterValue(byte);
  }
}

function afterValue(byte: number): number {
  if (byte === SEMICOLON) return NAME_START;
  return byte === CR ? LINE_FEED : -1;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
