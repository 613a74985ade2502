// HTTPS: each connection begins with a handshake, with what the configuration says at that moment.

import type { Socket } from 'node:net';
import type { BindPlan } from '../../policies/plan.ts';
import type { Arrivals, Client, HttpArrivals } from '../downstream/arrivals.ts';
import type { Worker } from '../worker-context.ts';
import { Handshake, type HandshakeFailure, type HandshakeOwner, type Secured } from './handshake.ts';
import { ServerContexts } from './server-contexts.ts';

interface Arrival {
  readonly bind: BindPlan;
  readonly client: Client;
}

export class TlsArrivals implements Arrivals, HandshakeOwner {
  readonly #worker: Worker;
  readonly #http: HttpArrivals;
  readonly #under: Map<Handshake, Arrival> = new Map();
  /** By bind id. */
  readonly #contexts: Map<string, ServerContexts> = new Map();

  constructor(worker: Worker, http: HttpArrivals) {
    this.#worker = worker;
    this.#http = http;
  }

  get size(): number {
    return this.#under.size;
  }

  arrived(socket: Socket, bind: BindPlan, client: Client): void {
    const contexts = this.#contextsOf(bind);
    if (contexts === null) {
      socket.destroy();
      this.#worker.metrics.handshakeFailed('no_certificate');
      return;
    }
    this.#under.set(new Handshake(this.#worker, socket, bind, contexts, this), { bind, client });
  }

  close(): void {
    for (const handshake of this.#under.keys()) handshake.abandon();
    this.#under.clear();
  }

  secured(handshake: Handshake, { socket, serverName, identity, forwardedClientCert }: Secured): void {
    const { bind, client } = this.#under.get(handshake) as Arrival;
    this.#under.delete(handshake);
    this.#http.arrived(socket, bind, { ...client, serverName, identity, forwardedClientCert });
  }

  handshakeFailed(handshake: Handshake, reason: HandshakeFailure): void {
    this.#under.delete(handshake);
    this.#worker.metrics.handshakeFailed(reason);
  }

  /** null: what is configured makes no context; nobody is served in cleartext instead. */
  #contextsOf(bind: BindPlan): ServerContexts | null {
    const { snapshot } = this.#worker;
    const known = this.#contexts.get(bind.id);
    if (known?.holdFor(bind, snapshot)) return known;
    try {
      const fresh = new ServerContexts(bind, this.#worker);
      this.#contexts.set(bind.id, fresh);
      return fresh;
    } catch {
      return null;
    }
  }
}
