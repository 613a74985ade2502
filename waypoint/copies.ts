// Mirrored requests: fire and forget, on connections of their own count, never a reason for the primary to wait or fail.

import { type MirrorPlan, shouldMirror } from '../policies/mirror.ts';
import type { Endpoint } from '../routing/endpoint.ts';
import type { Peer } from '../routing/request.ts';
import type { Exchange } from './exchange.ts';
import { copiedHead } from './forwarding.ts';
import { LENGTH, NONE } from './http1/framing.ts';
import { stateOf } from './upstream/backend-state.ts';
import type { UpstreamConnection, UpstreamOwner } from './upstream/connection.ts';
import { Pool } from './upstream/pool.ts';
import type { Worker } from './worker-context.ts';

/** Copies in flight in one worker; beyond it they are dropped and counted. */
const MAX_COPIES = 128;
/** A copy that is not answered in this time is given up. */
const COPY_LIMIT_MS = 10_000;
/** Response bytes of a copy that are read (and thrown away) to keep its connection. */
const DRAIN_BYTES = 1_048_576;

const inFlight: WeakMap<Worker, number> = new WeakMap();

/** Notes the copies whose place in the filter list has come: their head is what the filters made so far. */
export function noteCopies(x: Exchange, mirrors: readonly MirrorPlan[], position: number): void {
  if (x.head.upgrade !== null) return;
  for (const mirror of mirrors) {
    if (mirror.afterFilter !== position || !shouldMirror(mirror, x.worker.random())) continue;
    x.copies ??= [];
    x.copies.push(new Copy(x, mirror.backend as string, headFor(x, mirror.backend as string)));
  }
}

/** A server outside is told its own name, as where requests are forwarded to it. */
function headFor(x: Exchange, backend: string): string {
  const { authority } = stateOf(x.worker.registry.backend(backend));
  if (authority === null || x.head.forwardAuthority !== null) return copiedHead(x);
  x.head.forwardAuthority = authority;
  const head = copiedHead(x);
  x.head.forwardAuthority = null;
  return head;
}

/** Sends what was noted, if the request is whole; called once its filters let it pass, and when its body ends. */
export function sendCopies(x: Exchange): void {
  const copies = x.copies;
  if (copies === null || (x.body !== null && !x.body.complete)) return;
  x.copies = null;
  if (x.body !== null && !x.body.kept) {
    for (let count = copies.length; count > 0; count--) x.worker.metrics.mirrorDropped('body_too_large');
    return;
  }
  for (const copy of copies) copy.start(x);
}

export class Copy implements UpstreamOwner {
  readonly worker: Worker;
  readonly backend: string;
  readonly head: string;
  readonly method: string;
  readonly client: Peer;
  #payload: Buffer[] = [];
  #framing = NONE;
  #trailers = '';
  #endpoint: Endpoint | null = null;
  #beganAt = 0;
  #drained = 0;

  constructor(x: Exchange, backend: string, head: string) {
    this.worker = x.worker;
    this.backend = backend;
    this.head = head;
    this.method = x.head.method;
    this.client = x.peer;
  }

  start(x: Exchange): void {
    const { metrics, registry, random } = this.worker;
    const count = inFlight.get(this.worker) ?? 0;
    const endpoint = registry
      .backend(this.backend)
      .pick({ now: x.startedAt, random, avoid: null, zone: x.zone, hash: 0 });
    if (count >= MAX_COPIES || endpoint === null) {
      metrics.mirrorDropped(endpoint === null ? 'no_endpoint' : 'too_many');
      return;
    }
    inFlight.set(this.worker, count + 1);
    metrics.mirrorSent();
    if (x.body !== null) {
      this.#payload = x.body.pieces.slice();
      this.#framing = x.head.framing;
      this.#trailers = x.body.trailers;
    }
    this.#endpoint = endpoint;
    endpoint.begin();
    this.#beganAt = performance.now();
    const pool = Pool.of(this.worker, endpoint, stateOf(registry.backend(this.backend)));
    const connection = pool.take(this);
    if (connection !== null) this.onUpstreamReady(connection);
    else pool.open(this);
  }

  onUpstreamReady(connection: UpstreamConnection): void {
    connection.socket.cork();
    connection.send(this.head, this.method, this.#framing, COPY_LIMIT_MS, performance.now());
    for (const piece of this.#payload) connection.write(piece);
    if (this.#framing !== NONE) connection.endRequest(this.#framing === LENGTH ? '' : this.#trailers);
    connection.socket.uncork();
    this.#payload = [];
  }

  onShadow(): void {}

  onInterim(): void {}

  onResponseHead(): void {}

  onResponseData(connection: UpstreamConnection, data: Buffer): void {
    this.#drained += data.length;
    if (this.#drained > DRAIN_BYTES) this.#giveUp(connection);
  }

  onUpstreamEnd(): void {
    this.#leave();
  }

  onUpgraded(connection: UpstreamConnection): void {
    this.#giveUp(connection);
  }

  onTunnelData(): void {}

  onTunnelEnd(): void {}

  onTunnelClosed(): void {}

  onUpstreamDrain(): void {}

  onUpstreamFailure(): void {
    this.#leave();
    this.worker.metrics.mirrorDropped('failed');
  }

  #giveUp(connection: UpstreamConnection): void {
    connection.abandon();
    this.#leave();
  }

  #leave(): void {
    if (this.#endpoint === null) return;
    const now = performance.now();
    // Its answer is no part of what the endpoint is judged by.
    this.#endpoint.end(now, 'client-gone', now - this.#beganAt);
    this.#endpoint = null;
    inFlight.set(this.worker, (inFlight.get(this.worker) ?? 1) - 1);
  }
}
