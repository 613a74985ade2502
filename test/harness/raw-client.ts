// A client made of bytes: sends exactly what it is told, split where it is told, and keeps every byte that comes back.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Signal } from './signal.ts';
import { type Message, MessageReader } from './wire.ts';

export type End = 'end' | 'reset';

export interface Dial {
  readonly port: number;
  readonly host?: string;
  /** Bytes the kernel may take before the reader does; small for slow readers. */
  readonly paused?: boolean;
}

export class RawClient {
  readonly socket: Socket;
  /** 1xx responses met on the way to final ones. */
  readonly interim: Message[] = [];
  ended: End | null = null;
  receivedBytes = 0;
  readonly #signal = new Signal();
  #unread: Buffer = Buffer.alloc(0);
  #all: Buffer[] = [];

  static readonly #living = new Set<RawClient>();

  private constructor(socket: Socket) {
    this.socket = socket;
    RawClient.#living.add(this);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => this.#onEnd('end'));
    socket.on('error', () => this.#onEnd('reset'));
    socket.on('close', () => {
      RawClient.#living.delete(this);
      this.#onEnd('end');
    });
  }

  /** Ends the connections that tests left open. */
  static async destroyAll(): Promise<void> {
    const living = [...RawClient.#living];
    await Promise.all(
      living.map(async (client) => {
        const closed = once(client.socket, 'close');
        client.socket.destroy();
        await closed;
      }),
    );
  }

  static async connect(dial: Dial | number): Promise<RawClient> {
    const { port, host = '127.0.0.1', paused = false } = typeof dial === 'number' ? { port: dial } : dial;
    const socket = connect({ port, host, allowHalfOpen: true });
    await once(socket, 'connect');
    const client = new RawClient(socket);
    if (paused) socket.pause();
    return client;
  }

  /** Goes on where somebody else made the connection: behind a handshake. */
  static over(socket: Socket): RawClient {
    return new RawClient(socket);
  }

  /** Sends the bytes (a string is Latin-1); with offsets, each piece leaves before the next is given to the kernel. */
  async send(bytes: string | Buffer, offsets: readonly number[] = []): Promise<void> {
    const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    const cuts = [...offsets.filter((offset) => offset > 0 && offset < data.length), data.length];
    let from = 0;
    for (const cut of cuts) {
      await this.#write(data.subarray(from, cut));
      from = cut;
    }
  }

  /** Everything received so far. */
  get received(): string {
    return Buffer.concat(this.#all).toString('latin1');
  }

  /** Forgets what was received, for tests of many megabytes; bytes are only counted from now on. */
  countOnly(): void {
    this.#all = [];
    this.#unread = Buffer.alloc(0);
    this.socket.removeAllListeners('data');
    this.socket.on('data', (chunk: Buffer) => {
      this.receivedBytes += chunk.length;
      this.#signal.notify();
    });
  }

  /** Waits until what was received matches. */
  async until(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray> {
    return this.#signal.until(
      () => {
        const match = this.received.match(pattern);
        if (match === null && this.ended !== null) throw new Error(`closed before ${pattern}: ${this.#shown()}`);
        return match;
      },
      () => `${pattern} in ${this.#shown()}`,
      timeoutMs,
    );
  }

  async untilBytes(count: number, timeoutMs?: number): Promise<void> {
    await this.#signal.until(
      () => this.receivedBytes >= count,
      () => `${count} bytes, got ${this.receivedBytes}`,
      timeoutMs,
    );
  }

  /** The next final response to a request of this method; its reader's fault, or the end before it, is an error. */
  async response(method: string = 'GET', timeoutMs?: number): Promise<Message> {
    for (;;) {
      const reader = await this.readResponse(method, timeoutMs);
      if (reader.error !== null) throw new Error(`invalid response (${reader.error}): ${this.#shown()}`);
      if (!reader.done) throw new Error(`no response, connection ${this.ended}: ${this.#shown()}`);
      const status = reader.message.status;
      if (status >= 200 || status === 101) return reader.message;
      this.interim.push(reader.message);
    }
  }

  /** Reads one response as far as it goes: to its end, to a fault, or to the end of the connection. */
  async readResponse(method: string = 'GET', timeoutMs?: number): Promise<MessageReader> {
    const reader = new MessageReader('response', method);
    await this.#signal.until(
      () => {
        const rest = reader.push(this.#unread);
        this.#unread = rest;
        if (reader.done || reader.error !== null) return true;
        if (this.ended === null) return false;
        reader.end();
        return true;
      },
      () => `a response to ${method}: ${this.#shown()}`,
      timeoutMs,
    );
    return reader;
  }

  /** Bytes received and not yet read as a response (behind a 101: the tunnel's). */
  takeUnread(): Buffer {
    const rest = this.#unread;
    this.#unread = Buffer.alloc(0);
    return rest;
  }

  /** Waits for `count` unread bytes and takes them. */
  async take(count: number, timeoutMs?: number): Promise<Buffer> {
    await this.#signal.until(
      () => this.#unread.length >= count || this.ended !== null,
      () => `${count} bytes, ${this.#unread.length} are here`,
      timeoutMs,
    );
    const taken = this.#unread.subarray(0, count);
    this.#unread = this.#unread.subarray(count);
    return taken;
  }

  /** Waits until the waypoint closed its side. */
  async closed(timeoutMs?: number): Promise<End> {
    return this.#signal.until(
      () => this.ended,
      () => `the connection's end after ${this.#shown()}`,
      timeoutMs,
    );
  }

  /** Half-close: no more bytes from here. */
  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  async #write(data: Buffer): Promise<void> {
    if (this.socket.destroyed || !this.socket.writable) return;
    await new Promise<void>((resolve) => this.socket.write(data, () => resolve()));
    // One turn of the loop between pieces, so that they do not leave as one segment.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  #onData(chunk: Buffer): void {
    this.receivedBytes += chunk.length;
    this.#all.push(chunk);
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    this.#signal.notify();
  }

  #onEnd(end: End): void {
    this.ended ??= end;
    this.#signal.notify();
  }

  #shown(): string {
    const text = this.received;
    return JSON.stringify(text.length > 600 ? `${text.slice(0, 600)}… (${text.length})` : text);
  }
}
