// One HTTP/2 connection to an endpoint that is called over gRPC, for all calls of this worker: opened by the first of them,
// closed when there were none for a while.
//
// On Node's own HTTP/2 and not on @grpc/grpc-js: through its channels, filters and promises a bare call takes 120 to 160 µs
// of CPU time, here 50 to 65; endpoints, deadlines, breakers and repetition are ours anyway.

import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Endpoint } from '../../routing/endpoint.ts';
import { Timer, type TimerTarget } from '../timers.ts';
import type { BackendTls } from '../tls/backend-tls.ts';
import { announcement } from '../upstream/announcement.ts';
import type { BackendState } from '../upstream/backend-state.ts';
import type { Worker } from '../worker-context.ts';

/** Whoever waits for a connection, and then for a stream of it. */
export interface StreamOwner {
  /** The request may be written. */
  opened(session: GrpcSession): void;
  /** There will be no connection. */
  refused(message: string): void;
}

const IDLE_MS = 60_000;
/** Calls are under way, and nothing has come for so long: the other end may be gone without a word. */
const SILENCE_MS = 5_000;
const ALPN = ['h2'];

/** By endpoint, which is one worker's own. */
const known: WeakMap<Endpoint, GrpcSession> = new WeakMap();

export class GrpcSession implements TimerTarget {
  readonly endpoint: Endpoint;
  /** null: cleartext, with prior knowledge (RFC 9113 section 3.3). */
  readonly secure: BackendTls | null;
  /** A call was answered on it: it is not the first use that fails. */
  proven = false;
  readonly #worker: Worker;
  #session: ClientHttp2Session | null = null;
  #socket: Socket | null = null;
  /** null: connected, or never will be. */
  #waiting: StreamOwner[] | null = [];
  #streams = 0;
  /** When the first call began of those that were made since the last sign of life, monotonic ms; 0: there was none. */
  #silentSince = 0;
  /** Takes no further calls. */
  #retired = false;
  readonly #timer: Timer = new Timer(this);

  private constructor(worker: Worker, endpoint: Endpoint, state: BackendState) {
    this.#worker = worker;
    this.endpoint = endpoint;
    this.secure = state.secure;
    const limitMs = state.connections?.connectTimeoutMs ?? worker.limits.connectTimeoutMs;
    worker.timers.schedule(this.#timer, performance.now() + limitMs);
    try {
      const refusal = worker.refusal(endpoint, state);
      if (refusal !== '') throw new Error(refusal);
      this.#connect(state);
    } catch (error) {
      queueMicrotask(() => this.#fail((error as Error).message));
    }
  }

  /** The endpoint's connection as it has to be now, made where there is none. */
  static of(worker: Worker, endpoint: Endpoint, state: BackendState): GrpcSession {
    let session = known.get(endpoint);
    if (session === undefined || session.#retired || session.secure !== state.secure) {
      if (session !== undefined) session.#retire();
      session = new GrpcSession(worker, endpoint, state);
      known.set(endpoint, session);
    }
    return session;
  }

  /** Tells `owner` when it may write; not before this returns. */
  wait(owner: StreamOwner): void {
    if (this.#waiting !== null) this.#waiting.push(owner);
    else queueMicrotask(() => owner.opened(this));
  }

  /** null: it closed meanwhile. Each is followed by `done`. */
  request(headers: Record<string, string>): ClientHttp2Stream | null {
    const session = this.#session;
    if (session === null || session.closed || session.destroyed) return null;
    this.#worker.timers.cancel(this.#timer);
    if (this.#silentSince === 0) this.#silentSince = performance.now();
    this.#streams += 1;
    return session.request(headers);
  }

  /** A sign of life. */
  heard(): void {
    this.proven = true;
    this.#silentSince = this.#streams > 1 ? performance.now() : 0;
  }

  /** A stream of it is over. */
  done(): void {
    this.#streams -= 1;
    if (this.#streams > 0) return;
    if (this.endpoint.removed) this.#retire();
    else if (!this.#retired) this.#worker.timers.schedule(this.#timer, performance.now() + IDLE_MS);
  }

  /** A call waited in vain. */
  timedOut(): void {
    if (this.#silentSince > 0 && performance.now() - this.#silentSince > SILENCE_MS) this.#destroy();
  }

  onTimer(): void {
    if (this.#waiting === null) this.#retire();
    else {
      this.#fail('connect: timed out (is a NetworkPolicy blocking it?)');
      this.#destroy();
    }
  }

  /** Closes once the calls under way are over. */
  #retire(): void {
    this.#retired = true;
    this.#worker.timers.cancel(this.#timer);
    this.#session?.close();
  }

  #destroy(): void {
    this.#retire();
    this.#session?.destroy();
    this.#socket?.destroy();
  }

  #connect(state: BackendState): void {
    const { address: host, port } = this.endpoint;
    const { secure } = this;
    const options = { host, port, noDelay: true };
    const net = process.getBuiltinModule('node:net');
    let socket: Socket;
    if (state.proxyProtocol === null) {
      socket =
        secure === null ? net.connect(options) : secure.connect(this.endpoint, { ...options, ALPNProtocols: ALPN });
    } else {
      const raw = net.connect(options);
      raw.write(announcement(state.proxyProtocol, null));
      socket = secure === null ? raw : secure.connect(this.endpoint, { socket: raw, ALPNProtocols: ALPN });
    }
    this.#socket = socket;
    socket.once('error', (error: NodeJS.ErrnoException) => this.#fail(`connect: ${error.code ?? error.message}`));
    socket.once('close', () => this.#fail('connect: closed by the endpoint'));
    socket.once(secure === null ? 'connect' : 'secureConnect', () => this.#connected(socket));
  }

  #connected(socket: Socket): void {
    const problem = this.#problem(socket);
    if (problem !== '') {
      this.#fail(`TLS: ${problem}`);
      this.#destroy();
      return;
    }
    const { address } = this.endpoint;
    const authority = `http://${address.includes(':') ? `[${address}]` : address}`;
    const session = process
      .getBuiltinModule('node:http2')
      .connect(authority, { createConnection: () => socket, settings: { enablePush: false } });
    this.#session = session;
    session.on('goaway', () => this.#retire());
    session.on('error', () => this.#destroy());
    session.on('close', () => this.#destroy());
    this.#worker.timers.schedule(this.#timer, performance.now() + IDLE_MS);
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const owner of waiting) owner.opened(this);
    if (this.#retired) this.#retire();
  }

  #problem(socket: Socket): string {
    if (this.secure === null) return '';
    const problem = this.secure.problem(socket as TLSSocket);
    if (problem !== '') return problem;
    return (socket as TLSSocket).alpnProtocol === 'h2' ? '' : 'the endpoint does not speak HTTP/2';
  }

  #fail(message: string): void {
    this.#retired = true;
    this.#worker.timers.cancel(this.#timer);
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const owner of waiting) owner.refused(message);
  }
}
