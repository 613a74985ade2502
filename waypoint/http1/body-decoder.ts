// Takes the framing off a body (RFC 9112 sections 6 and 7.1): hands on its data, keeps its trailers, stops at its end.

import { CHUNKED, CLOSE, type Framing, LENGTH, NONE } from './framing.ts';
import { FAILED, type ParseFailure, REQUEST_LIMITS } from './limits.ts';
import { TrailerReader } from './trailer-reader.ts';

export interface BodySink {
  /** A view of the chunk that was pushed: copy it to keep it. */
  onBodyData(data: Buffer): void;
}

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILERS = 6;

/** 52 bits: the size stays a safe integer. */
const MAX_SIZE_DIGITS = 13;
/** Of a whole message: tiny chunks with long extensions cost more than they carry. */
const MAX_EXTENSION_BYTES = 16_384;

const LF = 0x0a;
const CR = 0x0d;
const SEMICOLON = 0x3b;

export class BodyDecoder {
  done = true;
  failure: ParseFailure | null = null;
  /** Lines that may be forwarded, each ending in CRLF; '' when there are none. */
  trailers = '';
  #framing: Framing = NONE;
  /** Bytes of data to come: of the body (LENGTH) or of the chunk. */
  #left = 0;
  #state = SIZE;
  #digits = 0;
  #extensionBytes = 0;
  #trailerReader: TrailerReader | null = null;

  /** `length` counts for LENGTH only. */
  begin(framing: Framing, length: number): void {
    this.#framing = framing;
    this.#left = framing === LENGTH ? length : 0;
    this.#state = SIZE;
    this.#digits = 0;
    this.#extensionBytes = 0;
    this.failure = null;
    this.trailers = '';
    this.done = framing === NONE || (framing === LENGTH && length === 0);
  }

  /** Offset in `chunk` behind what belongs to the body, or FAILED: what was handed on until then must not look complete. */
  push(chunk: Buffer, from: number, sink: BodySink): number {
    if (this.done) return from;
    if (this.#framing === CHUNKED) return this.#pushChunked(chunk, from, sink);
    const available = chunk.length - from;
    const taken = this.#framing === LENGTH ? Math.min(available, this.#left) : available;
    if (this.#framing === LENGTH) {
      this.#left -= taken;
      this.done = this.#left === 0;
    }
    if (taken > 0) sink.onBodyData(from === 0 && taken === chunk.length ? chunk : chunk.subarray(from, from + taken));
    return from + taken;
  }

  /** The peer ended its side: whether that is a proper end of this body. */
  end(): boolean {
    if (this.#framing === CLOSE) this.done = true;
    return this.done;
  }

  #pushChunked(chunk: Buffer, from: number, sink: BodySink): number {
    let at = from;
    while (at < chunk.length) {
      if (this.#state === DATA) {
        const taken = Math.min(chunk.length - at, this.#left);
        const data = chunk.subarray(at, at + taken);
        at += taken;
        this.#left -= taken;
        if (this.#left === 0) this.#state = DATA_CR;
        sink.onBodyData(data);
      } else if (this.#state === TRAILERS) {
        return this.#readTrailers(chunk, at);
      } else {
        const reason = this.#step(chunk[at]!);
        if (reason !== '') return this.#fail(reason);
        at++;
      }
    }
    return at;
  }

  /** One byte of what is between the data; '' or the fault. */
  #step(byte: number): string {
    switch (this.#state) {
      case SIZE:
        return this.#stepSize(byte);
      case EXTENSION:
        if (byte === CR) this.#state = SIZE_LF;
        else if (byte === LF) return 'bare_lf';
        else if ((byte < 0x20 && byte !== 0x09) || byte === 0x7f) return 'chunk_extension_invalid';
        else if (++this.#extensionBytes > MAX_EXTENSION_BYTES) return 'chunk_extensions_too_long';
        return '';
      case SIZE_LF:
        if (byte !== LF) return 'bare_cr';
        this.#state = this.#left === 0 ? TRAILERS : DATA;
        return '';
      case DATA_CR:
        this.#state = DATA_LF;
        return byte === CR ? '' : 'chunk_data_unterminated';
      default:
        this.#state = SIZE;
        this.#digits = 0;
        return byte === LF ? '' : 'chunk_data_unterminated';
    }
  }

  #stepSize(byte: number): string {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      if (++this.#digits > MAX_SIZE_DIGITS) return 'chunk_size_too_large';
      this.#left = this.#left * 16 + digit;
      return '';
    }
    if (this.#digits === 0) return 'chunk_size_invalid';
    if (byte === CR) this.#state = SIZE_LF;
    else if (byte === SEMICOLON) this.#state = EXTENSION;
    else return byte === LF ? 'bare_lf' : 'chunk_size_invalid';
    return '';
  }

  #readTrailers(chunk: Buffer, at: number): number {
    this.#trailerReader ??= new TrailerReader(REQUEST_LIMITS);
    const end = this.#trailerReader.push(chunk, at);
    if (end === FAILED) return this.#fail(this.#trailerReader.reason);
    if (end < 0) return chunk.length;
    this.trailers = this.#trailerReader.lines;
    this.#trailerReader = null;
    this.done = true;
    return end;
  }

  #fail(reason: string): number {
    this.failure = { status: 400, reason };
    return FAILED;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
