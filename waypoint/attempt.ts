// One try of an exchange at one endpoint: sends the request, hands the response to the relay, or decides about another try.

import type { Endpoint } from '../routing/endpoint.ts';
import { FAILURES, type Failure } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { abort } from './finish.ts';
import { forwardedHead } from './forwarding.ts';
import { LENGTH, NONE } from './http1/framing.ts';
import { replyFailure } from './local-reply.ts';
import { relayData, relayEnd, relayHead, relayInterim } from './relay.ts';
import { mayRetry } from './retry.ts';
import { tunnelClosed, tunnelData, tunnelEnd, upgraded } from './tunnel.ts';
import type { UpstreamConnection, UpstreamOwner } from './upstream/connection.ts';
import { Pool } from './upstream/pool.ts';

/** A body that came with its head and is this small leaves in the same write. */
const ONE_WRITE_BYTES = 16_384;

/** Begins a try at an endpoint of the exchange's backend. */
export function attempt(x: Exchange): void {
  const endpoint = x.backend?.pick(x.worker.random, x.endpoint) ?? null;
  if (endpoint === null) {
    replyFailure(
      x,
      FAILURES.noEndpoint,
      `${x.backend?.id}: no endpoint is ready or serving (is an EndpointSlice there?)`,
    );
    return;
  }
  x.tries++;
  x.endpoint = endpoint;
  endpoint.inFlight++;
  endpoint.requests++;
  const current = new Attempt(x, endpoint);
  x.attempt = current;
  const pool = Pool.of(x.worker, endpoint);
  const connection = pool.take(current);
  if (connection !== null) current.onUpstreamReady(connection);
  else current.connection = pool.open(current);
}

export class Attempt implements UpstreamOwner {
  readonly exchange: Exchange;
  readonly endpoint: Endpoint;
  connection: UpstreamConnection | null = null;
  /** The request is on its way; body pieces go straight to the connection. */
  ready = false;
  /** The response leaves in chunks of our own. */
  chunked = false;
  #over = false;

  constructor(x: Exchange, endpoint: Endpoint) {
    this.exchange = x;
    this.endpoint = endpoint;
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

  cancel(): void {
    this.connection?.abandon();
    this.#leave();
  }

  // What the endpoint's side says.

  onUpstreamReady(connection: UpstreamConnection): void {
    const x = this.exchange;
    this.connection = connection;
    this.ready = true;
    x.upstreamAt = performance.now();
    if (x.upstreamHead === '') x.upstreamHead = forwardedHead(x);
    const head = x.upstreamHead;
    const limitMs = x.plan?.plan.timeouts?.backendRequestMs ?? 0;
    const { method, framing } = x.head;
    const { body } = x;
    if (body === null) {
      connection.send(head, method, NONE, limitMs);
    } else if (body.complete && framing === LENGTH && body.held <= ONE_WRITE_BYTES) {
      let text = head;
      for (const piece of body.pieces) text += piece.toString('latin1');
      connection.send(text, method, NONE, limitMs);
    } else {
      this.#sendWithBody(connection, head, limitMs);
    }
  }

  #sendWithBody(connection: UpstreamConnection, head: string, limitMs: number): void {
    const x = this.exchange;
    const body = x.body as NonNullable<Exchange['body']>;
    connection.socket.cork();
    connection.send(head, x.head.method, x.head.framing, limitMs);
    let flowing = true;
    for (const piece of body.pieces) flowing = connection.write(piece) && flowing;
    if (body.complete) connection.endRequest(body.trailers);
    connection.socket.uncork();
    body.taken();
    if (flowing) x.downstream.resume();
  }

  onInterim(connection: UpstreamConnection): void {
    relayInterim(this.exchange, connection);
  }

  onResponseHead(connection: UpstreamConnection, rest: Buffer, from: number): void {
    relayHead(this.exchange, this, connection, rest.subarray(from));
  }

  onResponseData(connection: UpstreamConnection, data: Buffer): void {
    relayData(this.exchange, this, connection, data);
  }

  onUpstreamEnd(_connection: UpstreamConnection, trailers: string): void {
    this.#leave();
    relayEnd(this.exchange, this, trailers);
  }

  onUpgraded(connection: UpstreamConnection, rest: Buffer): void {
    upgraded(this.exchange, connection, rest);
  }

  onTunnelData(connection: UpstreamConnection, data: Buffer): void {
    tunnelData(this.exchange, connection, data);
  }

  onTunnelEnd(): void {
    tunnelEnd(this.exchange);
  }

  onTunnelClosed(_connection: UpstreamConnection, detail: string): void {
    this.#leave();
    tunnelClosed(this.exchange, detail);
  }

  onUpstreamDrain(): void {
    this.exchange.downstream.resume();
  }

  onUpstreamFailure(connection: UpstreamConnection, failure: Failure, detail: string): void {
    const x = this.exchange;
    this.#leave();
    x.attempt = null;
    this.endpoint.failures++;
    if (x.answered) {
      abort(x, failure, detail);
      x.downstream.destroy();
    } else if (mayRetry(x, failure, connection)) {
      attempt(x);
    } else {
      replyFailure(x, failure, detail);
    }
  }

  /** The endpoint is relieved of this try, once. */
  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.endpoint.inFlight--;
  }
}
