// Listeners of protocol waypoint.dev/PROXY: a PROXY protocol header from a trusted source comes first, and says who the
// client is and whereto it went; then HTTP.

import type { Socket } from 'node:net';
import { isTrusted, parseSpiffeId } from '../../policies/identity.ts';
import type { BindPlan } from '../../policies/plan.ts';
import type { Arrivals, Client, HttpArrivals } from '../downstream/arrivals.ts';
import { attach, type Reader } from '../downstream/socket.ts';
import { FAILED, MORE } from '../http1/limits.ts';
import { Timer, type TimerTarget } from '../timers.ts';
import type { Worker } from '../worker-context.ts';
import { ProxyHeaderParser } from './proxy-protocol.ts';

export class ProxyArrivals implements Arrivals {
  readonly worker: Worker;
  readonly http: HttpArrivals;
  readonly under: Set<Introduction> = new Set();

  constructor(worker: Worker, http: HttpArrivals) {
    this.worker = worker;
    this.http = http;
  }

  get size(): number {
    return this.under.size;
  }

  arrived(socket: Socket, bind: BindPlan, client: Client): void {
    // Whoever may not introduce others is not heard at all: its header would be a request to somebody else.
    if (!this.worker.believesProxyProtocol(client.address)) {
      this.worker.metrics.introductionFailed('untrusted_source');
      socket.destroy();
      return;
    }
    const introduction = new Introduction(this, socket, bind, client);
    this.under.add(introduction);
    attach(socket, introduction);
  }

  close(): void {
    for (const introduction of this.under) introduction.abandon();
  }
}

/** A connection of which the header is still awaited. */
class Introduction implements Reader, TimerTarget {
  readonly #arrivals: ProxyArrivals;
  readonly #socket: Socket;
  readonly #bind: BindPlan;
  readonly #client: Client;
  readonly #parser: ProxyHeaderParser = new ProxyHeaderParser();
  readonly #timer: Timer = new Timer(this);

  constructor(arrivals: ProxyArrivals, socket: Socket, bind: BindPlan, client: Client) {
    this.#arrivals = arrivals;
    this.#socket = socket;
    this.#bind = bind;
    this.#client = client;
    const { timers, limits } = arrivals.worker;
    timers.schedule(this.#timer, performance.now() + limits.requestHeadTimeoutMs);
  }

  received(data: Buffer): void {
    const at = this.#parser.push(data, 0);
    if (at === MORE) return;
    if (at === FAILED) {
      this.#fail(this.#parser.failure);
      return;
    }
    this.#leave();
    const downstream = this.#arrivals.http.introduced(this.#socket, this.#bind, this.#introduced());
    if (at < data.length) downstream.received(data.subarray(at));
  }

  ended(): void {
    this.#fail('truncated');
  }

  drained(): void {}

  closed(): void {
    if (this.#arrivals.under.has(this)) this.#fail('truncated');
  }

  onTimer(): void {
    this.#fail('timeout');
  }

  abandon(): void {
    this.#leave();
    this.#socket.destroy();
  }

  /** LOCAL and UNKNOWN: the proxy speaks for itself, as when it checks our health. */
  #introduced(): Client {
    const { source, destination, identity } = this.#parser;
    const { worker } = this.#arrivals;
    const told = identity === null ? null : parseSpiffeId(identity);
    const believed = told !== null && isTrusted(told, worker.trustDomains) ? told : null;
    return {
      ...this.#client,
      ...(source === null ? {} : { address: source.address, port: source.port }),
      ...(destination === null ? {} : { localAddress: destination.address, localPort: destination.port }),
      identity: believed,
      forwardedClientCert: believed === null ? '' : `URI=${believed.uri}`,
    };
  }

  #fail(reason: string): void {
    this.#arrivals.worker.metrics.introductionFailed(reason);
    this.abandon();
  }

  #leave(): void {
    this.#arrivals.under.delete(this);
    this.#arrivals.worker.timers.cancel(this.#timer);
  }
}
