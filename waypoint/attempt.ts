// One try of an exchange at one endpoint: sends the request, hands the response to the relay, and accounts for how it ended.

import type { Endpoint } from '../routing/endpoint.ts';
import type { Outcome } from '../routing/outcome.ts';
import type { Peer } from '../routing/request.ts';
import { FAILURES, type Failure } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { abort } from './finish.ts';
import { forwardedHead } from './forwarding.ts';
import { LENGTH, NONE } from './http1/framing.ts';
import { replyFailure } from './local-reply.ts';
import { ONE_WRITE_BYTES } from './read-buffer.ts';
import { relayData, relayEnd, relayHead, relayInterim } from './relay.ts';
import { failed, hedge, noteShadowLimit, overflowed, unwanted } from './tries.ts';
import { tunnelClosed, tunnelData, tunnelEnd, upgraded } from './tunnel.ts';
import type { BackendState, Waiting } from './upstream/backend-state.ts';
import type { UpstreamConnection, UpstreamOwner } from './upstream/connection.ts';
import { Discard } from './upstream/discard.ts';
import { Pool } from './upstream/pool.ts';

export class Attempt implements UpstreamOwner, Waiting {
  readonly exchange: Exchange;
  readonly endpoint: Endpoint;
  readonly state: BackendState;
  connection: UpstreamConnection | null = null;
  /** The request is on its way; body pieces go straight to the connection. */
  ready = false;
  /** The response leaves in chunks of our own. */
  chunked = false;
  /** It repeats another, and counts against the limit of those. */
  readonly repeats: boolean;
  readonly client: Peer;
  readonly #beganAt: number;
  #headAt = 0;
  #pending = false;
  #over = false;
  #hedge: NodeJS.Timeout | null = null;

  constructor(x: Exchange, endpoint: Endpoint, state: BackendState) {
    this.exchange = x;
    this.client = x.peer;
    this.endpoint = endpoint;
    this.state = state;
    this.repeats = x.tries > 1;
    this.#beganAt = x.now;
    endpoint.begin();
  }

  /** Takes a connection, opens one, or waits for one; only this last is limited by how many wait. */
  start(): void {
    if (this.#connected()) return;
    const { state } = this;
    const limit = state.admit('pending');
    if (limit !== null) {
      this.#leave('client-gone');
      this.exchange.attempt = null;
      overflowed(this.exchange, limit);
      return;
    }
    noteShadowLimit(this.exchange, state, 'pending');
    this.#pending = true;
    state.wait(this);
  }

  connectionFree(): void {
    if (!this.#connected()) this.state.wait(this);
  }

  /** false: there is neither a connection that idles nor room for one more. */
  #connected(): boolean {
    const { state } = this;
    const pool = Pool.of(this.exchange.worker, this.endpoint, state);
    const idle = pool.take(this);
    if (idle !== null) {
      this.onUpstreamReady(idle);
      return true;
    }
    if (state.circuit.full('connections', state.limits) !== null && !this.#makeRoom()) return false;
    noteShadowLimit(this.exchange, state, 'connections');
    this.connection = pool.open(this);
    this.#settle();
    return true;
  }

  /** Connections that idle at other endpoints give way to one that is needed. */
  #makeRoom(): boolean {
    for (const { slot } of this.state.backend.endpoints) if (slot instanceof Pool && slot.evict()) return true;
    return false;
  }

  // What the client's side asks for.

  /** Passes on a piece that is valid during the call only. */
  pass(data: Buffer): boolean {
    return (this.connection as UpstreamConnection).pass(data);
  }

  endBody(): void {
    if (this.ready) this.connection?.endRequest((this.exchange.body as { trailers: string }).trailers);
  }

  /** The client takes bytes again. */
  resume(): void {
    this.connection?.socket.resume();
  }

  tunnel(data: Buffer): void {
    if (this.connection?.pass(data) === false) this.exchange.downstream.pause();
  }

  endTunnel(): void {
    this.connection?.socket.end();
  }

  /** The endpoint sees a reset; `outcome` is what it is told to have done. */
  cancel(outcome: Outcome): void {
    this.connection?.abandon();
    this.#leave(outcome);
  }

  /** Its answer is not wanted: what is left of it is read, so that the connection may serve again. */
  discard(outcome: Outcome): void {
    if (this.connection !== null) this.connection.owner = new Discard();
    this.#leave(outcome);
  }

  // What the endpoint's side says.

  onUpstreamReady(connection: UpstreamConnection): void {
    const x = this.exchange;
    this.connection = connection;
    this.ready = true;
    this.#settle();
    x.upstreamAt = performance.now();
    const head = forwardedHead(x, x.tries);
    const { retry } = x.policies.enforced.plan;
    const limitMs = shorter(x.plan?.plan.timeouts?.backendRequestMs ?? 0, retry?.perTryTimeoutMs ?? 0);
    if (retry !== null && retry.hedgeAfterMs > 0) this.#hedge = setTimeout(hedge, retry.hedgeAfterMs, this).unref();
    const { method, framing } = x.head;
    const { body } = x;
    if (body === null) {
      connection.send(head, method, NONE, limitMs, x.upstreamAt);
    } else if (body.complete && framing === LENGTH && body.held <= ONE_WRITE_BYTES) {
      let text = head;
      for (const piece of body.pieces) text += piece.toString('latin1');
      connection.send(text, method, NONE, limitMs, x.upstreamAt);
    } else {
      this.#sendWithBody(connection, head, limitMs);
    }
  }

  #sendWithBody(connection: UpstreamConnection, head: string, limitMs: number): void {
    const x = this.exchange;
    const body = x.body as NonNullable<Exchange['body']>;
    connection.socket.cork();
    connection.send(head, x.head.method, x.head.framing, limitMs, x.upstreamAt);
    let flowing = true;
    for (const piece of body.pieces) flowing = connection.write(piece) && flowing;
    if (body.complete) connection.endRequest(body.trailers);
    connection.socket.uncork();
    body.taken();
    if (flowing) x.downstream.resume();
  }

  onShadow(detail: string): void {
    this.exchange.noteShadow('connections', detail);
  }

  onInterim(connection: UpstreamConnection): void {
    relayInterim(this.exchange, connection);
  }

  onResponseHead(connection: UpstreamConnection, rest: Buffer, from: number): void {
    const x = this.exchange;
    const { status } = connection.parser.head;
    this.#headAt = connection.readAt;
    if (status >= 400 && unwanted(this, status)) return;
    x.settleOn(this);
    relayHead(x, this, connection, rest.subarray(from));
  }

  onResponseData(connection: UpstreamConnection, data: Buffer): void {
    relayData(this.exchange, this, connection, data);
  }

  onUpstreamEnd(connection: UpstreamConnection, trailers: string): void {
    this.#leave(outcomeOf(this.exchange.status), connection.readAt);
    relayEnd(this.exchange, this, trailers, connection.readAt);
  }

  onUpgraded(connection: UpstreamConnection, rest: Buffer): void {
    this.exchange.settleOn(this);
    upgraded(this.exchange, connection, rest);
  }

  onTunnelData(connection: UpstreamConnection, data: Buffer): void {
    tunnelData(this.exchange, connection, data);
  }

  onTunnelEnd(): void {
    tunnelEnd(this.exchange);
  }

  onTunnelClosed(_connection: UpstreamConnection, detail: string): void {
    this.#leave('ok');
    tunnelClosed(this.exchange, detail);
  }

  onUpstreamDrain(): void {
    this.exchange.downstream.resume();
  }

  onUpstreamFailure(connection: UpstreamConnection, failure: Failure, detail: string): void {
    const x = this.exchange;
    this.#leave(OUTCOMES.get(failure) ?? 'reset');
    if (x.answered) {
      x.attempt = null;
      abort(x, failure, detail);
      x.downstream.destroy();
    } else if (!x.drop(this) && !failed(x, failure, this.ready, connection)) {
      replyFailure(x, failure, detail);
    }
  }

  /** It waits for a connection no more. */
  #settle(): void {
    if (!this.#pending) return;
    this.#pending = false;
    this.state.circuit.release('pending');
    if (this.connection === null) this.state.leave(this);
  }

  /** The endpoint is relieved of this try, once. */
  #leave(outcome: Outcome, now: number = performance.now()): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#hedge !== null) clearTimeout(this.#hedge);
    this.#settle();
    if (this.repeats) this.state.circuit.release('retries');
    const news = this.state.ended(this.endpoint, outcome, (this.#headAt || now) - this.#beganAt, now);
    if (news !== null) this.exchange.worker.ejected(news);
    for (const { cause, endpoint } of this.state.shadowEjections?.take() ?? NO_EJECTIONS) {
      this.exchange.noteShadow('outlier_detection', `${cause}:${endpoint}`);
    }
  }
}

const NO_EJECTIONS: readonly never[] = [];

const OUTCOMES: ReadonlyMap<Failure, Outcome> = new Map<Failure, Outcome>([
  [FAILURES.connectFailed, 'connect-failure'],
  [FAILURES.connectTimeout, 'connect-failure'],
  [FAILURES.upstreamTls, 'connect-failure'],
  [FAILURES.backendTimeout, 'timeout'],
]);

export function outcomeOf(status: number): Outcome {
  return status >= 500 ? '5xx' : status === 429 ? '429' : 'ok';
}

/** Of two limits where 0 is none. */
function shorter(one: number, other: number): number {
  return one === 0 || other === 0 ? one + other : Math.min(one, other);
}
