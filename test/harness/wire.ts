// A strict HTTP/1.1 reader of its own for tests: one message, byte for byte, sharing nothing with the product's codec.

import { createHash, type Hash } from 'node:crypto';

export type Kind = 'request' | 'response';
export type Framing = 'none' | 'length' | 'chunked' | 'close' | 'tunnel';

const KEPT_BODY_BYTES = 2_097_152;
const MAX_HEAD_BYTES = 1_048_576;
const EMPTY: Buffer = Buffer.alloc(0);
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e\x80-\xff]+) HTTP\/1\.[01]$/;
const STATUS_LINE = /^HTTP\/1\.[01] ([1-5][0-9][0-9]) [\t\x20-\x7e\x80-\xff]*$/;
const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;

export class Message {
  startLine = '';
  /** As sent: name in its case, value without surrounding white space. */
  readonly fields: [name: string, value: string][] = [];
  trailers: [name: string, value: string][] = [];
  framing: Framing = 'none';
  /** Sizes of the chunks received, for canonical framing checks. */
  readonly chunkSizes: number[] = [];
  bodyBytes = 0;
  complete = false;
  readonly #parts: Buffer[] = [];
  #kept = 0;
  readonly #hash: Hash = createHash('sha256');
  #digest = '';

  get method(): string {
    return this.startLine.split(' ', 1)[0] as string;
  }

  get target(): string {
    return this.startLine.split(' ')[1] as string;
  }

  get status(): number {
    return Number(this.startLine.slice(9, 12));
  }

  values(name: string): string[] {
    return this.fields.filter(([n]) => n.toLowerCase() === name).map(([, value]) => value);
  }

  /** All values joined by ',', undefined when absent. */
  get(name: string): string | undefined {
    const values = this.values(name);
    return values.length === 0 ? undefined : values.join(',');
  }

  /** The body so far, up to its first 2 MiB. */
  get body(): string {
    return Buffer.concat(this.#parts).toString('latin1');
  }

  /** SHA-256 of the whole body; call when complete. */
  get hash(): string {
    if (this.#digest === '') this.#digest = this.#hash.digest('hex');
    return this.#digest;
  }

  add(data: Buffer): void {
    this.bodyBytes += data.length;
    this.#hash.update(data);
    if (this.#kept + data.length > KEPT_BODY_BYTES) return;
    this.#kept += data.length;
    this.#parts.push(data);
  }
}

type State = 'head' | 'length' | 'size' | 'data' | 'data-end' | 'trailers' | 'close' | 'done';

/** Reads one message; what belongs to the next one is handed back. */
export class MessageReader {
  readonly message: Message = new Message();
  headDone = false;
  done = false;
  /** Why the bytes are no valid message; nothing is read behind the fault. */
  error: string | null = null;
  /** Some byte of this message was seen. */
  started = false;
  readonly #kind: Kind;
  readonly #method: string;
  #state: State = 'head';
  #pending: Buffer = EMPTY;
  #left = 0;

  /** `method` is that of the request which a response answers. */
  constructor(kind: Kind, method: string = 'GET') {
    this.#kind = kind;
    this.#method = method;
  }

  /** Returns the bytes behind the message, empty while it goes on. */
  push(chunk: Buffer): Buffer {
    if (this.done) return chunk;
    if (chunk.length > 0) this.started = true;
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (!this.done && this.error === null && this.#step()) {}
    if (!this.done) return EMPTY;
    const rest = this.#pending;
    this.#pending = EMPTY;
    return rest;
  }

  /** The connection ended. */
  end(): void {
    if (this.#state === 'close') this.#finish();
    else if (!this.done && this.started) this.error ??= `truncated in ${this.#state}`;
  }

  #step(): boolean {
    switch (this.#state) {
      case 'head':
        return this.#head();
      case 'length':
      case 'data':
        return this.#data();
      case 'close':
        return this.#take(this.#pending.length);
      case 'size':
        return this.#line((line) => this.#size(line));
      case 'data-end':
        return this.#line((line) => {
          if (line !== '') this.error = `chunk data followed by ${JSON.stringify(line)}`;
          this.#state = 'size';
        });
      case 'trailers':
        return this.#line((line) => {
          if (line === '') this.#finish();
          else this.#field(line, this.message.trailers);
        });
      default:
        return false;
    }
  }

  #head(): boolean {
    const end = this.#pending.indexOf('\r\n\r\n');
    if (end < 0) {
      if (this.#pending.length > MAX_HEAD_BYTES) this.error = 'endless head';
      return false;
    }
    const lines = this.#pending.toString('latin1', 0, end).split('\r\n');
    this.#pending = this.#pending.subarray(end + 4);
    this.message.startLine = lines[0] as string;
    if (!(this.#kind === 'request' ? REQUEST_LINE : STATUS_LINE).test(this.message.startLine)) {
      this.error = `bad start line ${JSON.stringify(this.message.startLine)}`;
      return false;
    }
    for (const line of lines.slice(1)) this.#field(line, this.message.fields);
    if (this.error === null) this.#frame();
    this.headDone = this.error === null;
    return this.headDone;
  }

  #field(line: string, into: [string, string][]): void {
    const match = FIELD_LINE.exec(line);
    if (match === null) this.error ??= `bad field line ${JSON.stringify(line)}`;
    else into.push([match[1] as string, match[2] as string]);
  }

  #frame(): void {
    const lengths = this.message.values('content-length');
    const codings = this.message.values('transfer-encoding');
    if (lengths.length + codings.length > 1) {
      this.error = `ambiguous framing: ${JSON.stringify([...lengths, ...codings])}`;
    } else if (this.#bodiless()) {
      this.#finish();
    } else if (codings.length === 1) {
      if ((codings[0] as string).toLowerCase() !== 'chunked') this.error = `transfer-encoding ${codings[0]}`;
      this.#begin('chunked', 'size');
    } else if (lengths.length === 1) {
      if (!/^(0|[1-9][0-9]{0,14})$/.test(lengths[0] as string)) this.error = `content-length ${lengths[0]}`;
      this.#left = Number(lengths[0]);
      this.#begin('length', 'length');
      if (this.#left === 0) this.#finish();
    } else if (this.#kind === 'request') {
      this.#finish();
    } else if (this.message.status === 101) {
      this.message.framing = 'tunnel';
      this.#finish();
    } else {
      this.#begin('close', 'close');
    }
  }

  #bodiless(): boolean {
    if (this.#kind === 'request') return false;
    const status = this.message.status;
    return this.#method === 'HEAD' || (status < 200 && status !== 101) || status === 204 || status === 304;
  }

  #begin(framing: Framing, state: State): void {
    this.message.framing = framing;
    this.#state = state;
  }

  #data(): boolean {
    const taken = Math.min(this.#left, this.#pending.length);
    this.#left -= taken;
    const progressed = this.#take(taken);
    if (this.#left > 0) return progressed;
    if (this.#state === 'length') this.#finish();
    else this.#state = 'data-end';
    return true;
  }

  #take(count: number): boolean {
    if (count === 0) return false;
    this.message.add(this.#pending.subarray(0, count));
    this.#pending = this.#pending.subarray(count);
    return true;
  }

  #line(use: (line: string) => void): boolean {
    const end = this.#pending.indexOf('\n');
    if (end < 0) return false;
    const line = this.#pending.toString('latin1', 0, end + 1);
    this.#pending = this.#pending.subarray(end + 1);
    if (/^[^\r\n]*\r\n$/.test(line)) use(line.slice(0, -2));
    else this.error = `bad line end ${JSON.stringify(line)}`;
    return true;
  }

  #size(line: string): void {
    if (!/^[0-9a-fA-F]{1,13}$/.test(line)) {
      this.error = `chunk size line ${JSON.stringify(line)}`;
      return;
    }
    this.#left = Number.parseInt(line, 16);
    this.message.chunkSizes.push(this.#left);
    this.#state = this.#left === 0 ? 'trailers' : 'data';
  }

  #finish(): void {
    this.#state = 'done';
    this.message.complete = true;
    this.done = true;
  }
}
