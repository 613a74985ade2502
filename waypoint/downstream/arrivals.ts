// From an accepted socket to a connection that reads requests: what has to come first on it, by the listener's protocol.

import type { Socket } from 'node:net';
import type { BindPlan } from '../../policies/plan.ts';
import type { Peer } from '../../routing/request.ts';
import type { Worker } from '../worker-context.ts';
import { Downstream, type Home } from './connection.ts';
import { attach, pass } from './socket.ts';

/** Who came, as far as it is known. */
export interface Client extends Omit<Peer, 'namespace'> {
  /** Value of `x-forwarded-client-cert`; '' without a verified certificate. */
  readonly forwardedClientCert: string;
}

export interface Arrivals {
  /** Takes over a socket that was just accepted. */
  arrived(socket: Socket, bind: BindPlan, client: Client): void;
  /** Those that are not connections yet. */
  readonly size: number;
  /** Nothing more is accepted: whoever has not become a connection yet is turned away. */
  close(): void;
}

/** HTTP from the first byte on. */
export class HttpArrivals implements Arrivals, Home {
  readonly size: number = 0;
  readonly #worker: Worker;
  readonly #connections: Set<Downstream>;

  constructor(worker: Worker, connections: Set<Downstream>) {
    this.#worker = worker;
    this.#connections = connections;
  }

  arrived(socket: Socket, bind: BindPlan, client: Client): void {
    attach(socket, this.#open(socket, bind, client));
  }

  /** Of a socket that somebody read from already; `rest` is what he did not use. */
  introduced(socket: Socket, bind: BindPlan, client: Client): Downstream {
    const downstream = this.#open(socket, bind, client);
    pass(socket, downstream);
    return downstream;
  }

  close(): void {}

  #open(socket: Socket, bind: BindPlan, client: Client): Downstream {
    const { forwardedClientCert, ...rest } = client;
    const peer = { ...rest, namespace: this.#worker.namespaceOf(client) };
    const downstream = new Downstream(this.#worker, socket, bind, { peer, forwardedClientCert, home: this });
    this.#connections.add(downstream);
    this.#worker.metrics.connectionOpened();
    return downstream;
  }

  left(downstream: Downstream): void {
    this.#connections.delete(downstream);
    this.#worker.metrics.connectionClosed();
  }
}
