// A backend that keeps every byte it got, reads requests strictly, and answers as a test scripts it.

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { Signal } from './signal.ts';
import { type Message, MessageReader } from './wire.ts';

/** A body that is never finished is ended by its connection, not by the echo. */
const LONGEST_BODY_MS = 60_000;

/** Called when a request's head is complete; its body may still be arriving. */
export type Script = (request: BackendRequest) => void | Promise<void>;

export interface Answer {
  readonly status?: number;
  readonly fields?: readonly (readonly [name: string, value: string])[];
  readonly body?: string | Buffer;
}

export class BackendRequest {
  readonly connection: BackendConnection;
  readonly message: Message;

  constructor(connection: BackendConnection, message: Message) {
    this.connection = connection;
    this.message = message;
  }

  /** The whole body arrived. */
  async whole(timeoutMs?: number): Promise<this> {
    await this.connection.signal.until(
      () => this.message.complete || this.#gone(),
      () => `the rest of the body of ${this.message.startLine}`,
      timeoutMs,
    );
    return this;
  }

  async bodyBytes(count: number, timeoutMs?: number): Promise<void> {
    await this.connection.signal.until(
      () => this.message.bodyBytes >= count || this.#gone(),
      () => `${count} body bytes of ${this.message.startLine}, got ${this.message.bodyBytes}`,
      timeoutMs,
    );
  }

  /** A well-formed answer with a content-length. */
  async respond(answer: Answer = {}): Promise<void> {
    const { status = 200, fields = [], body = '' } = answer;
    const data = typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const head = `HTTP/1.1 ${status} Scripted\r\n${lines}content-length: ${data.length}\r\n\r\n`;
    const bodiless = this.message.method === 'HEAD' || status === 204 || status === 304;
    await this.send(Buffer.concat([Buffer.from(head, 'latin1'), bodiless ? Buffer.alloc(0) : data]));
  }

  /** Exactly these bytes (a string is Latin-1); settles when the kernel took them. */
  async send(bytes: string | Buffer): Promise<void> {
    await this.connection.send(bytes);
  }

  /** From now on the connection carries raw bytes; to be called before anything is awaited. */
  startTunnel(): void {
    this.connection.tunnel = [];
  }

  #gone(): boolean {
    return this.connection.ended !== null;
  }
}

export class BackendConnection {
  readonly socket: Socket;
  readonly signal: Signal = new Signal();
  readonly requests: BackendRequest[] = [];
  /** Why what arrived is no sequence of valid requests. */
  malformed: string | null = null;
  /** How the waypoint closed it, null while open. */
  ended: 'end' | 'reset' | null = null;
  receivedBytes = 0;
  /** Once a tunnel was started: what came behind the head. */
  tunnel: Buffer[] | null = null;
  tunnelLength = 0;
  readonly #parts: Buffer[] = [];
  #reader = new MessageReader('request');
  #told = false;
  readonly #backend: ScriptedBackend;

  constructor(socket: Socket, backend: ScriptedBackend) {
    this.socket = socket;
    this.#backend = backend;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => this.#onEnd('end'));
    socket.on('error', () => this.#onEnd('reset'));
    socket.on('close', () => this.#onEnd('end'));
  }

  get received(): string {
    return Buffer.concat(this.#parts).toString('latin1');
  }

  /** A request was begun here and is not whole. */
  get unfinished(): boolean {
    return this.#reader.started && !this.#reader.done;
  }

  async closed(timeoutMs?: number): Promise<'end' | 'reset'> {
    return this.signal.until(
      () => this.ended,
      () => `the waypoint to close its upstream connection after ${JSON.stringify(this.received.slice(-300))}`,
      timeoutMs,
    );
  }

  async tunnelBytes(count: number, timeoutMs?: number): Promise<Buffer> {
    await this.signal.until(
      () => this.tunnelLength >= count,
      () => `${count} tunnel bytes, got ${this.tunnelLength}`,
      timeoutMs,
    );
    return Buffer.concat(this.tunnel as Buffer[]);
  }

  async send(bytes: string | Buffer): Promise<void> {
    if (this.socket.destroyed || !this.socket.writable) return;
    const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    await new Promise<void>((resolve) => this.socket.write(data, () => resolve()));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  #onData(chunk: Buffer): void {
    this.receivedBytes += chunk.length;
    this.#backend.receivedBytes += chunk.length;
    if (this.#backend.recording) this.#parts.push(chunk);
    if (this.tunnel !== null) this.#tunnelled(chunk);
    else this.#read(chunk);
    this.signal.notify();
    this.#backend.signal.notify();
  }

  #read(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0 && this.malformed === null) {
      rest = this.#reader.push(rest);
      if (this.#reader.headDone && !this.#told) this.#tell();
      if (this.#reader.error !== null) this.malformed = this.#reader.error;
      if (!this.#reader.done) return;
      if (this.tunnel !== null) {
        this.#tunnelled(rest);
        return;
      }
      this.#reader = new MessageReader('request');
      this.#told = false;
    }
  }

  #tunnelled(data: Buffer): void {
    this.tunnel?.push(data);
    this.tunnelLength += data.length;
  }

  #tell(): void {
    this.#told = true;
    const request = new BackendRequest(this, this.#reader.message);
    this.requests.push(request);
    this.#backend.requests.push(request);
    void Promise.resolve(this.#backend.script(request)).catch((error: unknown) => {
      this.#backend.scriptError ??= error;
    });
  }

  #onEnd(end: 'end' | 'reset'): void {
    this.ended ??= end;
    this.#backend.open.delete(this);
    if (this.#backend.answersEnd) this.socket.end();
    this.signal.notify();
    this.#backend.signal.notify();
  }
}

export class ScriptedBackend {
  readonly name: string;
  readonly connections: BackendConnection[] = [];
  readonly open: Set<BackendConnection> = new Set();
  /** Requests whose head arrived, in order. */
  readonly requests: BackendRequest[] = [];
  readonly signal: Signal = new Signal();
  receivedBytes = 0;
  /** Keep the bytes; off for tests of many megabytes. */
  recording = true;
  answersEnd = true;
  script: Script;
  scriptError: unknown = null;
  readonly #server: Server;

  private constructor(name: string, script: Script, server: Server) {
    this.name = name;
    this.script = script;
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      const connection = new BackendConnection(socket, this);
      this.connections.push(connection);
      this.open.add(connection);
      this.signal.notify();
    });
  }

  static async start(script: Script = echo, name: string = 'backend', port: number = 0): Promise<ScriptedBackend> {
    const server = createServer({ allowHalfOpen: true });
    const backend = new ScriptedBackend(name, script, server);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return backend;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** The n-th request (from 0) that ever arrived here. */
  async request(index: number, timeoutMs?: number): Promise<BackendRequest> {
    return this.signal.until(
      () => this.requests[index] ?? null,
      () => `request ${index} at ${this.name}, ${this.requests.length} arrived`,
      timeoutMs,
    );
  }

  /** Requests still unanswered do not survive it. */
  async close(): Promise<void> {
    for (const connection of this.open) connection.socket.destroy();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
    if (this.scriptError !== null) throw this.scriptError;
  }
}

/** Answers with what arrived, as JSON: who answered, method, target, fields in order, body length and hash. */
export async function echo(request: BackendRequest): Promise<void> {
  const { message } = await request.whole(LONGEST_BODY_MS);
  if (!message.complete) return;
  const id = message.get('x-test-id') ?? '';
  const body = JSON.stringify({
    backend: request.connection.socket.localPort,
    method: message.method,
    target: message.target,
    fields: message.fields,
    bodyBytes: message.bodyBytes,
    bodyHash: message.hash,
  });
  await request.respond({
    fields: [
      ['content-type', 'application/json'],
      ['x-echo-id', id],
    ],
    body,
  });
}
