// One HTTP/1.1 connection to an endpoint: writes a request, reads its response strictly, and goes back to its pool only if both ended well.

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ConnectionsPlan, ProxyProtocol } from '../../policies/traffic.ts';
import type { Endpoint } from '../../routing/endpoint.ts';
import type { Peer } from '../../routing/request.ts';
import { FAILURES, type Failure } from '../errors.ts';
import { BodyDecoder, type BodySink } from '../http1/body-decoder.ts';
import { lastChunk, writeChunk } from '../http1/body-writer.ts';
import { CHUNKED, LENGTH, NONE } from '../http1/framing.ts';
import { FAILED, MORE } from '../http1/limits.ts';
import { ResponseParser } from '../http1/response-parser.ts';
import { pass } from '../read-buffer.ts';
import { Timer, type TimerTarget } from '../timers.ts';
import type { BackendTls } from '../tls/backend-tls.ts';
import type { Worker } from '../worker-context.ts';
import { announced, announcement } from './announcement.ts';
import type { Pool } from './pool.ts';
import { forsake, openSocket, type SocketOwner } from './socket.ts';

/** Who asked: the exchange of a client, or a mirror's copy. Called in this order; after `onUpstreamFailure` or `onUpstreamEnd` nothing more comes. */
export interface UpstreamOwner {
  /** On whose behalf; null: nobody's but our own. */
  readonly client: Peer | null;
  /** The connection is established (or was taken from the pool): the request may be written. */
  onUpstreamReady(connection: UpstreamConnection): void;
  /** What a policy of `connections` in mode Shadow would have done with this connection. */
  onShadow(detail: string): void;
  /** A 1xx other than 101. */
  onInterim(connection: UpstreamConnection): void;
  /** The final head. `rest` holds what came with it, from `from` on: the body may be whole in there. */
  onResponseHead(connection: UpstreamConnection, rest: Buffer, from: number): void;
  onResponseData(connection: UpstreamConnection, data: Buffer): void;
  /** The response is complete. */
  onUpstreamEnd(connection: UpstreamConnection, trailers: string): void;
  /** `101`: from now on bytes go through as they are. `rest` is what came behind the head. */
  onUpgraded(connection: UpstreamConnection, rest: Buffer): void;
  onTunnelData(connection: UpstreamConnection, data: Buffer): void;
  /** The endpoint closed its sending side of the tunnel. */
  onTunnelEnd(connection: UpstreamConnection): void;
  /** The connection under the tunnel is gone. */
  onTunnelClosed(connection: UpstreamConnection, detail: string): void;
  onUpstreamDrain(connection: UpstreamConnection): void;
  onUpstreamFailure(connection: UpstreamConnection, failure: Failure, detail: string): void;
}

const CONNECTING = 0;
const IDLE = 1;
const HEAD = 2;
const BODY = 3;
const TUNNEL = 4;
const CLOSED = 5;

export class UpstreamConnection implements BodySink, SocketOwner, TimerTarget {
  readonly worker: Worker;
  readonly pool: Pool;
  readonly endpoint: Endpoint;
  socket: Socket;
  /** The client that it announced when it began; '' for none. */
  announced: string;
  proxyProtocol: ProxyProtocol | null;
  /** What it was encrypted with; null: cleartext. */
  secure: BackendTls | null;
  readonly parser: ResponseParser;
  readonly decoder: BodyDecoder = new BodyDecoder();
  owner: UpstreamOwner | null;
  /** Requests begun on it. */
  requests = 0;
  /** Bytes of the response to the current request were seen: from then on nothing is repeated. */
  answered = false;
  #state = CONNECTING;
  #requestDone = true;
  #chunkedRequest = false;
  /** When response bytes last came: one look at the clock for all who want to know. */
  readAt = 0;
  #interims = 0;
  readonly #openedAt: number;
  /** Last sign of life: when it was parked, or when response bytes last came. */
  #activeAt = 0;
  /** When the current try must be over, 0 for no limit. */
  #limitAt = 0;
  #limitMs = 0;
  readonly #timer: Timer = new Timer(this);
  #blocked = false;

  constructor(worker: Worker, pool: Pool, owner: UpstreamOwner) {
    const { endpoint } = pool;
    this.worker = worker;
    this.pool = pool;
    this.endpoint = endpoint;
    this.owner = owner;
    this.parser = new ResponseParser(worker.responseLimits);
    this.secure = pool.state.secure;
    this.proxyProtocol = pool.state.proxyProtocol;
    this.announced = announced(this.proxyProtocol, owner.client);
    this.socket = this.#open(owner.client);
    this.#openedAt = performance.now();
    worker.timers.schedule(this.#timer, this.#openedAt + this.#connectTimeoutMs);
  }

  #open(client: Peer | null): Socket {
    const { worker, endpoint, secure, proxyProtocol } = this;
    const first = proxyProtocol === null ? null : announcement(proxyProtocol, client);
    return openSocket({ endpoint, secure, refusal: worker.refusal(endpoint, this.pool.state), first }, this);
  }

  /** What is asked for has changed since it began: then it has to begin anew, with a new socket. */
  get outdated(): boolean {
    return this.secure !== this.pool.state.secure || this.proxyProtocol !== this.pool.state.proxyProtocol;
  }

  #reopen(): void {
    forsake(this.socket);
    const client = this.owner?.client ?? null;
    this.secure = this.pool.state.secure;
    this.proxyProtocol = this.pool.state.proxyProtocol;
    this.announced = announced(this.proxyProtocol, client);
    this.socket = this.#open(client);
  }

  get closed(): boolean {
    return this.#state === CLOSED;
  }

  /** The owner's request will not be repeated on a failure that may mean "closed while idle" only if this is its first. */
  get reused(): boolean {
    return this.requests > 1;
  }

  /**
   * Writes a request head, with its whole body when `body` is a string (Latin-1). `limitMs`: how long this try may take
   * in all, 0 for no limit.
   */
  send(head: string, method: string, framing: number, limitMs: number, now: number): void {
    this.requests++;
    this.answered = false;
    this.#interims = 0;
    this.#state = HEAD;
    this.#requestDone = framing === NONE;
    this.#chunkedRequest = framing === CHUNKED;
    if (limitMs > 0) {
      this.#limitMs = limitMs;
      this.#limitAt = now + limitMs;
      // A timer that fires earlier will look at the new limit then.
      if (this.#timer.index < 0 || this.#timer.at > this.#limitAt) {
        this.worker.timers.schedule(this.#timer, this.#limitAt);
      }
    }
    this.parser.reset(method);
    this.socket.write(head, 'latin1');
  }

  /** One piece of the request body; false: wait for `onUpstreamDrain`. */
  write(data: Buffer): boolean {
    if (this.#state === CLOSED) return true;
    const flowing = this.#chunkedRequest ? writeChunk(this.socket, data) : this.socket.write(data);
    if (!flowing) this.#blocked = true;
    return flowing;
  }

  /** The same with a piece that is valid during the call only. */
  pass(data: Buffer): boolean {
    if (this.#state === CLOSED) return true;
    const flowing = this.#chunkedRequest ? writeChunk(this.socket, data) : pass(this.socket, data);
    if (!flowing) this.#blocked = true;
    return flowing;
  }

  /** The request body is complete. */
  endRequest(trailers: string): void {
    if (this.#chunkedRequest && this.#state !== CLOSED) this.socket.write(lastChunk(trailers), 'latin1');
    this.#requestDone = true;
  }

  /** Gives up: the endpoint sees a reset, never a message that looks complete. */
  abandon(): void {
    this.owner = null;
    this.#destroy();
  }

  onBodyData(data: Buffer): void {
    (this.owner as UpstreamOwner).onResponseData(this, data);
  }

  /** The timer is armed rarely and asked here what it meant: limits move with every request, the timer does not. */
  onTimer(timer: Timer, now: number): void {
    const { limits, timers } = this.worker;
    if (this.#state === CONNECTING) {
      const waited = this.#connectTimeoutMs;
      this.#fail(
        FAILURES.connectTimeout,
        `connect ${this.where}: timed out after ${waited} ms (is a NetworkPolicy blocking it?)`,
      );
    } else if (this.#state === IDLE) {
      const expiresAt = this.#activeAt + this.#idleTimeoutMs;
      if (now < expiresAt) timers.schedule(timer, expiresAt);
      else this.#destroy();
    } else if (this.#limitAt > 0 && now >= this.#limitAt) {
      this.#fail(
        FAILURES.backendTimeout,
        `${this.where}: no complete response within ${this.#limitMs} ms (timeouts.backendRequest)`,
      );
    } else if (this.#state === BODY) {
      // Silence counts only while we are willing to read.
      if (this.socket.isPaused()) this.#activeAt = now;
      const silentAt = this.#activeAt + limits.bodyIdleTimeoutMs;
      if (now < silentAt) timers.schedule(timer, this.#limitAt > 0 ? Math.min(silentAt, this.#limitAt) : silentAt);
      else
        this.#fail(
          FAILURES.upstreamTruncated,
          `${this.where}: response body silent for ${limits.bodyIdleTimeoutMs} ms`,
        );
    } else if (this.#limitAt > 0) {
      timers.schedule(timer, this.#limitAt);
    }
  }

  /** `address:port` for messages. */
  get where(): string {
    const { address, port } = this.endpoint;
    return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  }

  connected(): void {
    const shadow = this.pool.state.shadowConnections?.connectTimeoutMs ?? null;
    if (shadow !== null && performance.now() - this.#openedAt > shadow) this.owner?.onShadow('connect_timeout');
    if (this.outdated) {
      this.#reopen();
      return;
    }
    this.worker.timers.cancel(this.#timer);
    const problem = this.secure === null ? '' : this.secure.problem(this.socket as TLSSocket);
    if (problem !== '') {
      this.#fail(FAILURES.upstreamTls, `TLS with ${this.where}: ${problem}`);
      return;
    }
    this.#state = IDLE;
    this.owner?.onUpstreamReady(this);
  }

  drained(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.owner?.onUpstreamDrain(this);
  }

  received(chunk: Buffer): void {
    this.readAt = performance.now();
    switch (this.#state) {
      case HEAD:
        this.#readHead(chunk, 0);
        break;
      case BODY:
        this.#readBody(chunk, 0);
        break;
      case TUNNEL:
        this.owner?.onTunnelData(this, chunk);
        break;
      default:
        // Bytes nobody asked for: whatever follows cannot be trusted to answer the next request.
        this.#destroy();
    }
  }

  /** The endpoint closed its side. */
  ended(): void {
    if (this.#state === TUNNEL) {
      this.owner?.onTunnelEnd(this);
    } else if (this.#state === BODY && this.decoder.end()) {
      this.#complete('unclean');
    } else {
      this.failed(null);
    }
  }

  failed(error: NodeJS.ErrnoException | null): void {
    const cause = error === null ? 'closed by the endpoint' : (error.code ?? error.message);
    if (this.#state === CONNECTING) {
      this.#connectFailed(cause);
    } else if (this.#state === HEAD) {
      this.#fail(FAILURES.upstreamReset, `${this.where}: ${cause} before a response head`);
    } else if (this.#state === BODY) {
      this.#fail(FAILURES.upstreamTruncated, `${this.where}: ${cause} within the response body`);
    } else if (this.#state === TUNNEL) {
      const owner = this.owner;
      this.owner = null;
      this.#destroy();
      owner?.onTunnelClosed(this, error === null ? '' : `${this.where}: ${cause} within the tunnel`);
    } else {
      this.#destroy();
    }
  }

  #connectFailed(cause: string): void {
    const { state } = this.pool;
    const refusal = this.worker.refusal(this.endpoint, state);
    if (refusal !== '') this.#fail(FAILURES.refusedAddress, `connect ${this.where}: ${refusal}`);
    else if (this.secure === null || (this.socket.connecting && this.socket.remoteAddress === undefined))
      this.#fail(FAILURES.connectFailed, `connect ${this.where}: ${cause} (is the endpoint listening?)`);
    else this.#fail(FAILURES.upstreamTls, `TLS with ${this.where}: ${cause} (does the endpoint speak TLS?)`);
  }

  #readHead(chunk: Buffer, start: number): void {
    this.answered = true;
    let from = start;
    for (;;) {
      const at = this.parser.push(chunk, from);
      if (at === MORE) return;
      if (at === FAILED) {
        this.#fail(
          FAILURES.upstreamProtocol,
          `${this.where}: ${this.parser.failure?.reason ?? 'invalid'} in the response head`,
        );
        return;
      }
      const { status } = this.parser.head;
      if (status === 101) {
        this.#upgrade(chunk.subarray(at));
        return;
      }
      if (status >= 200) {
        this.#startBody(chunk, at);
        return;
      }
      if (++this.#interims > this.worker.limits.interimResponses) {
        this.#fail(FAILURES.upstreamProtocol, `${this.where}: more than ${this.#interims - 1} interim responses`);
        return;
      }
      this.owner?.onInterim(this);
      this.parser.next();
      if (this.#state !== HEAD) return;
      from = at;
      if (from === chunk.length) return;
    }
  }

  #startBody(chunk: Buffer, at: number): void {
    const { head } = this.parser;
    this.#state = BODY;
    this.decoder.begin(head.framing, head.framing === LENGTH ? head.contentLength : 0);
    this.owner?.onResponseHead(this, chunk, at);
    // The owner may have taken the whole body from `chunk` (see consumed) or given up.
    if (this.#state === BODY) this.#readBody(chunk, at);
  }

  #readBody(chunk: Buffer, from: number): void {
    const at = this.decoder.done ? from : this.decoder.push(chunk, from, this);
    if (this.#state !== BODY) return;
    if (at === FAILED) {
      this.#fail(
        FAILURES.upstreamTruncated,
        `${this.where}: ${this.decoder.failure?.reason ?? 'invalid'} in the response body`,
      );
    } else if (this.decoder.done) {
      this.#complete(at === chunk.length ? 'clean' : 'unclean');
    } else {
      this.#activeAt = this.readAt;
      const silentAt = this.#activeAt + this.worker.limits.bodyIdleTimeoutMs;
      if (this.#timer.index < 0 || this.#timer.at > silentAt) this.worker.timers.schedule(this.#timer, silentAt);
    }
  }

  /** The owner took a body of known length whole, together with the head: the fast path of small responses. */
  consumed(): void {
    this.#complete('clean');
  }

  #complete(end: 'clean' | 'unclean'): void {
    const reusable = end === 'clean' && this.#requestDone && this.parser.head.keepAlive && this.#state === BODY;
    const owner = this.owner;
    const { shadowConnections } = this.pool.state;
    if (shadowConnections !== null && reusable && this.#wornOut(shadowConnections)) owner?.onShadow('close_worn_out');
    this.owner = null;
    this.#limitAt = 0;
    const trailers = this.decoder.trailers;
    if (reusable && !this.worker.draining && !this.#wornOut(this.pool.state.connections)) this.#park();
    else this.#destroy();
    owner?.onUpstreamEnd(this, trailers);
  }

  get #connectTimeoutMs(): number {
    return this.pool.state.connections?.connectTimeoutMs ?? this.worker.limits.connectTimeoutMs;
  }

  /** 0 in a policy: kept while idle. */
  get #idleTimeoutMs(): number {
    const ms = this.pool.state.connections?.idleTimeoutMs ?? this.worker.limits.upstreamIdleTimeoutMs;
    return ms === 0 ? Number.MAX_SAFE_INTEGER : ms;
  }

  /** It has served as many requests, or for as long, as the policy of its backend allows. */
  #wornOut(plan: ConnectionsPlan | null): boolean {
    if (plan === null) return false;
    const { maxRequestsPerConnection: most, maxAgeMs } = plan;
    return (most > 0 && this.requests >= most) || (maxAgeMs > 0 && performance.now() - this.#openedAt >= maxAgeMs);
  }

  #park(): void {
    this.#state = IDLE;
    this.#activeAt = this.readAt;
    if (this.socket.isPaused()) this.socket.resume();
    const expiresAt = this.#activeAt + this.#idleTimeoutMs;
    if (this.#timer.index < 0 || this.#timer.at > expiresAt) this.worker.timers.schedule(this.#timer, expiresAt);
    this.pool.park(this);
  }

  #upgrade(rest: Buffer): void {
    if (this.parser.head.upgrade === null) {
      this.#fail(FAILURES.upstreamProtocol, `${this.where}: 101 without an Upgrade`);
      return;
    }
    this.worker.timers.cancel(this.#timer);
    this.#state = TUNNEL;
    this.owner?.onUpgraded(this, rest);
  }

  #fail(failure: Failure, detail: string): void {
    const owner = this.owner;
    this.owner = null;
    this.#destroy();
    owner?.onUpstreamFailure(this, failure, detail);
  }

  #destroy(): void {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    this.worker.timers.cancel(this.#timer);
    this.pool.closed(this);
    this.socket.destroy();
  }
}
