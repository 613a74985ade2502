// Takes the framing off a body (RFC 9112 sections 6 and 7.1): hands on its data, keeps its trailers, stops at its end.

import { ChunkLine } from './chunk-line.ts';
import { CHUNKED, CLOSE, type Framing, LENGTH, NONE } from './framing.ts';
import { FAILED, type ParseFailure, REQUEST_LIMITS } from './limits.ts';
import { TrailerReader } from './trailer-reader.ts';

export interface BodySink {
  /** A view of the chunk that was pushed: copy it to keep it. */
  onBodyData(data: Buffer): void;
}

const LINE = 0;
const DATA = 1;
const DATA_CR = 2;
const DATA_LF = 3;
const TRAILERS = 4;

const LF = 0x0a;
const CR = 0x0d;

export class BodyDecoder {
  done = true;
  failure: ParseFailure | null = null;
  /** Lines that may be forwarded, each ending in CRLF; '' when there are none. */
  trailers = '';
  #framing: Framing = NONE;
  /** Bytes of data to come: of the body (LENGTH) or of the chunk. */
  #left = 0;
  #state = LINE;
  readonly #line: ChunkLine = new ChunkLine();
  #trailerReader: TrailerReader | null = null;

  /** `length` counts for LENGTH only. */
  begin(framing: Framing, length: number): void {
    this.#framing = framing;
    this.#left = framing === LENGTH ? length : 0;
    this.#state = LINE;
    this.#line.begin();
    this.#trailerReader = null;
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
    if (this.#state === LINE) {
      const fault = this.#line.step(byte);
      if (this.#line.complete) this.#startData();
      return fault;
    }
    const expected = this.#state === DATA_CR ? CR : LF;
    this.#state = this.#state === DATA_CR ? DATA_LF : LINE;
    return byte === expected ? '' : 'chunk_data_unterminated';
  }

  #startData(): void {
    this.#left = this.#line.size;
    this.#state = this.#left === 0 ? TRAILERS : DATA;
    this.#line.next();
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
