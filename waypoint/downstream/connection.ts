// One client connection: reads requests one after another, strictly, and carries the answers back in order.

import type { Socket } from 'node:net';
import type { BindPlan } from '../../policies/plan.ts';
import type { Peer } from '../../routing/request.ts';
import { FAILURES, type Failure } from '../errors.ts';
import { Exchange } from '../exchange.ts';
import { abort, finish } from '../finish.ts';
import { BodyDecoder, type BodySink } from '../http1/body-decoder.ts';
import { NONE } from '../http1/framing.ts';
import { FAILED, MORE } from '../http1/limits.ts';
import { RequestParser } from '../http1/request-parser.ts';
import { refuse, replyFailure } from '../local-reply.ts';
import { kept } from '../read-buffer.ts';
import { RequestBody } from '../request-body.ts';
import { serve } from '../serve.ts';
import type { Timer, TimerTarget } from '../timers.ts';
import type { Worker } from '../worker-context.ts';
import { LastRequest } from './last-request.ts';
import { ConnectionLimits } from './limits.ts';
import type { Reader } from './socket.ts';
import { BODY, CLOSED, CLOSING, DISCARD, HEAD, type State, TUNNEL, WAIT } from './state.ts';

/** Unread request body that is drained to keep a connection; beyond it the connection closes. */
const DRAIN_BYTES = 65_536;
/** How long a closing connection waits for its client to read the last answer. */
const LINGER_MS = 1000;

/** Where connections are at home; told when one is gone. */
export interface Home {
  left(downstream: Downstream): void;
}

/** Who is at the other end of a connection. */
interface Caller {
  readonly peer: Peer;
  /** Value of `x-forwarded-client-cert`; '' without a verified certificate. */
  readonly forwardedClientCert: string;
  readonly home: Home;
}

export class Downstream implements BodySink, Reader, TimerTarget {
  readonly worker: Worker;
  readonly socket: Socket;
  readonly bind: BindPlan;
  readonly peer: Peer;
  readonly parser: RequestParser;
  readonly forwardedClientCert: string;
  readonly decoder: BodyDecoder = new BodyDecoder();
  readonly last: LastRequest = new LastRequest();
  exchange: Exchange | null = null;
  /** `x-forwarded-for`, `-proto` lines of this connection, made once. */
  forwardedLines = '';
  #state: State = HEAD;
  #body: RequestBody | null = null;
  /** Bytes behind the current request: they wait for its answer. */
  #pending: Buffer | null = null;
  #reading = false;
  #closeAfter = false;
  #halfClosed = false;
  #discarded = 0;
  readonly #home: Home;
  readonly #limits: ConnectionLimits;

  constructor(worker: Worker, socket: Socket, bind: BindPlan, { peer, forwardedClientCert, home }: Caller) {
    this.worker = worker;
    this.socket = socket;
    this.bind = bind;
    this.peer = peer;
    this.forwardedClientCert = forwardedClientCert;
    this.#home = home;
    this.parser = new RequestParser(worker.requestLimits, worker.pathLevel);
    this.parser.trusted = worker.trusts(peer.address);
    if (bind.protocol === 'HTTPS') this.parser.head.scheme = 'https';
    this.#limits = new ConnectionLimits(worker.timers, worker.limits, this, performance.now());
  }

  // What the socket says.

  received(chunk: Buffer): void {
    switch (this.#state) {
      case HEAD:
        this.#readRequests(chunk, 0);
        break;
      case BODY:
      case DISCARD:
        this.#limits.activeAt = performance.now();
        this.#readRequests(chunk, this.#readBody(chunk, 0));
        break;
      case WAIT:
        this.#hold(chunk);
        break;
      case TUNNEL:
        this.#limits.activeAt = performance.now();
        this.exchange?.attempt?.tunnel(chunk);
        break;
      default:
    }
  }

  /** The client closed its sending side. */
  ended(): void {
    this.#halfClosed = true;
    if (this.#state === TUNNEL) {
      this.exchange?.attempt?.endTunnel();
    } else if (this.#state === WAIT) {
      // It may still be reading (RFC 9112 section 9.6), so the answer goes out; an answer that does not come is not waited for.
      this.#closeAfter = true;
      this.#limits.halfClosed(this.exchange?.responseBytes ?? 0);
    } else if (this.#state === BODY) {
      this.exchange !== null && abort(this.exchange, FAILURES.clientGone, 'the client closed within the request body');
      this.destroy();
    } else if (this.#state !== CLOSING) {
      this.close();
    } else {
      this.destroy();
    }
  }

  drained(): void {
    this.#limits.unblocked();
    if (this.exchange !== null) this.exchange.attempt?.resume();
    else if (this.#state === HEAD) this.#continue();
  }

  closed(): void {
    if (this.#state === CLOSED) return;
    this.#home.left(this);
    const tunnel = this.#state === TUNNEL;
    this.#state = CLOSED;
    this.#limits.close();
    this.#pending = null;
    const x = this.exchange;
    if (x === null) return;
    if (tunnel) {
      x.cancelAttempt();
      finish(x);
    } else abort(x, FAILURES.clientGone, 'the client closed the connection');
  }

  // What the exchange asks for.

  /** Writes a head, or an answer of our own; Latin-1. */
  write(text: string): void {
    if (!this.socket.write(text, 'latin1')) this.blocked();
  }

  /** The socket's buffer is full: from now on the client has the write idle limit to read some of it. */
  blocked(): void {
    this.#limits.blocked();
  }

  get body(): RequestBody | null {
    return this.#body;
  }

  /** Whether the answer must say that the connection closes: the client will not be heard again. */
  mustClose(x: Exchange): boolean {
    return this.#closeAfter || !x.head.keepAlive || this.worker.draining;
  }

  closeAfter(): void {
    this.#closeAfter = true;
  }

  /** Somebody here needs the body before the endpoint is asked: a client that waits for a word gets it. */
  askForBody(x: Exchange): void {
    if (!x.head.expectContinue || x.requestBytes > 0) return;
    x.head.expectContinue = false;
    x.head.fields.remove('expect');
    this.write('HTTP/1.1 100 Continue\r\n\r\n');
  }

  /** Whether an answer given now leaves more of the request unread than is worth reading. */
  get unreadTooLong(): boolean {
    if (this.#state !== BODY) return false;
    const { head } = this.parser;
    if (head.expectContinue && this.exchange?.requestBytes === 0) return true;
    return head.contentLength - (this.exchange?.requestBytes ?? 0) > DRAIN_BYTES;
  }

  /** The whole request, its answer included, must be over at `at` (`timeouts.request`). */
  endRequestAt(at: number): void {
    this.#limits.endRequestAt(at);
  }

  pause(): void {
    if (this.#state === BODY || this.#state === TUNNEL) this.socket.pause();
  }

  resume(): void {
    if (this.#pending === null) this.socket.resume();
  }

  startTunnel(): Buffer | null {
    this.#state = TUNNEL;
    this.#closeAfter = true;
    const early = this.#pending;
    this.#pending = null;
    this.#limits.tunnelBegan(performance.now());
    this.socket.resume();
    return early;
  }

  /** The tunnel carried something from the endpoint: it is not idle. */
  touch(): void {
    this.#limits.activeAt = performance.now();
  }

  /** The answer is complete and the exchange is over. */
  finished(now: number): void {
    this.exchange = null;
    this.#body = null;
    this.#limits.requestEnded(now);
    if (this.#state === CLOSED) return;
    if (this.#closeAfter || this.worker.draining) {
      this.close();
      return;
    }
    if (this.#state === BODY) {
      this.#state = DISCARD;
      this.#discarded = 0;
      if (this.socket.isPaused()) this.socket.resume();
      return;
    }
    this.#state = HEAD;
    this.parser.reset();
    if (!this.#reading) this.#continue();
  }

  /** Says goodbye: what was written still reaches the client, what still comes is not read. */
  close(): void {
    if (this.#state >= CLOSING) return;
    this.#state = CLOSING;
    this.#pending = null;
    this.socket.end();
    if (this.#halfClosed && this.socket.writableLength === 0) {
      this.socket.destroySoon();
      return;
    }
    if (this.socket.isPaused()) this.socket.resume();
    const linger = this.socket.writableLength > 0 ? this.worker.limits.writeIdleTimeoutMs : LINGER_MS;
    this.#limits.closing(linger);
  }

  /** Cuts: an unfinished answer must not look finished. */
  destroy(): void {
    this.socket.destroy();
  }

  /** Closes at once if it has been idle since before `at` (draining); true if it did. */
  closeIfIdleSince(at: number): boolean {
    if (this.#state !== HEAD || this.parser.started || this.#limits.activeAt > at) return false;
    this.close();
    return true;
  }

  // Reading.

  onBodyData(data: Buffer): void {
    const x = this.exchange;
    if (x === null || this.#state !== BODY) {
      this.#discarded += data.length;
      return;
    }
    x.requestBytes += data.length;
    x.takeBody(data);
  }

  #readRequests(chunk: Buffer, start: number): void {
    let from = start;
    if (from < 0 || this.#reading) return;
    this.#reading = true;
    while (from < chunk.length) {
      if (this.#state !== HEAD || this.socket.writableNeedDrain) {
        // Neither before its turn nor while the client leaves earlier answers unread.
        if (this.#state === WAIT || this.#state === HEAD) this.#hold(chunk.subarray(from));
        break;
      }
      const at = this.parser.push(chunk, from);
      if (at === MORE) {
        if (this.parser.started) this.#limits.headBegan();
        break;
      }
      if (at === FAILED) {
        this.#refuse();
        break;
      }
      from = this.#begin(chunk, at);
      if (from < 0) break;
    }
    this.#reading = false;
  }

  /** A head is complete: whatever came of its body is read before the exchange starts, so that small ones leave in one write. */
  #begin(chunk: Buffer, at: number): number {
    const now = performance.now();
    this.#limits.requestBegan(now);
    const { framing } = this.parser.head;
    this.#body =
      framing === NONE ? null : new RequestBody(this.parser.head.contentLength, this.worker.limits.mirrorBodyBytes);
    const x = this.#open(now);
    let from = at;
    if (framing === NONE) {
      this.#state = WAIT;
    } else {
      this.#state = BODY;
      this.decoder.begin(framing, this.parser.head.contentLength);
      from = this.#readBody(chunk, at);
      if (from < 0) return from;
      if (!this.decoder.done) this.#limits.bodyAwaited();
    }
    serve(x);
    return from;
  }

  #open(now: number): Exchange {
    const x = new Exchange(this, this.worker.snapshot, now);
    this.exchange = x;
    this.worker.metrics.requestStarted();
    return x;
  }

  /** Returns the offset behind what belongs to the body, or FAILED. */
  #readBody(chunk: Buffer, start: number): number {
    const at = this.decoder.done ? start : this.decoder.push(chunk, start, this);
    if (this.#state !== BODY && this.#state !== DISCARD) return FAILED;
    if (at === FAILED) {
      this.#bodyFailed();
      return FAILED;
    }
    if (this.decoder.done) this.#bodyDone();
    else if (this.#state === DISCARD && this.#discarded > DRAIN_BYTES) this.close();
    return at;
  }

  #bodyDone(): void {
    if (this.#state === DISCARD) {
      this.#state = HEAD;
      this.parser.reset();
      return;
    }
    this.#state = WAIT;
    const body = this.#body as RequestBody;
    body.complete = true;
    body.trailers = this.decoder.trailers;
    this.exchange?.endBody();
  }

  #bodyFailed(): void {
    const x = this.exchange;
    const failure = this.decoder.failure;
    const reason = failure?.reason ?? 'invalid_body';
    this.worker.metrics.parseFailed(reason);
    this.#closeAfter = true;
    if (x === null) {
      this.close();
    } else {
      const status = failure?.status ?? 400;
      this.#giveUp(x, { ...FAILURES.badRequest, reason, status }, `request body: ${reason}`);
    }
  }

  #refuse(): void {
    const failure = this.parser.failure ?? { status: 400, reason: 'invalid' };
    this.worker.metrics.parseFailed(failure.reason);
    this.#closeAfter = true;
    refuse(this.#open(performance.now()), failure);
  }

  #hold(chunk: Buffer): void {
    this.#pending = this.#pending === null ? kept(chunk) : Buffer.concat([this.#pending, chunk]);
    this.socket.pause();
  }

  /** The next request may have come already. */
  #continue(): void {
    const pending = this.#pending;
    if (pending !== null) {
      this.#pending = null;
      this.#readRequests(pending, 0);
      if (this.#pending !== null) return;
    }
    if (this.#state < CLOSING && this.socket.isPaused()) this.socket.resume();
    if (this.#halfClosed && this.#state === HEAD) this.close();
  }

  // Limits.

  get paused(): boolean {
    return this.socket.isPaused();
  }

  get responseBytes(): number {
    return this.exchange?.responseBytes ?? 0;
  }

  onTimer(_timer: Timer, now: number): void {
    switch (this.#limits.expired(now, this.#state, this)) {
      case null:
        break;
      case 'request':
        this.#requestTimedOut();
        break;
      case 'head':
        this.#headTimedOut();
        break;
      case 'body':
        this.#bodyTimedOut();
        break;
      case 'idle':
        this.close();
        break;
      default:
        this.destroy();
    }
  }

  #headTimedOut(): void {
    this.#closeAfter = true;
    refuse(this.#open(this.#limits.headAt), { status: 408, reason: 'request_head_timeout' });
  }

  #bodyTimedOut(): void {
    const x = this.exchange;
    this.#closeAfter = true;
    if (x === null) this.close();
    else this.#giveUp(x, FAILURES.bodyTimeout, `request body silent for ${this.worker.limits.bodyIdleTimeoutMs} ms`);
  }

  #requestTimedOut(): void {
    const x = this.exchange;
    if (x === null) return;
    const detail = `no complete response within ${x.plan?.plan.timeouts?.requestMs} ms (timeouts.request)`;
    this.#giveUp(x, FAILURES.requestTimeout, detail);
  }

  /** An answer that has begun is cut off; else it is this failure. */
  #giveUp(x: Exchange, failure: Failure, detail: string): void {
    if (failure === FAILURES.requestTimeout) x.cancelAttempt('timeout');
    if (x.answered) {
      abort(x, failure, detail);
      this.destroy();
      return;
    }
    x.cancelAttempt();
    replyFailure(x, failure, detail);
  }
}
