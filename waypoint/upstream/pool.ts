// The idle connections of one worker to one endpoint: popped without a promise, parked again after a clean response.

import type { Endpoint } from '../../routing/endpoint.ts';
import type { Worker } from '../worker-context.ts';
import { UpstreamConnection, type UpstreamOwner } from './connection.ts';

export class Pool {
  readonly worker: Worker;
  readonly endpoint: Endpoint;
  /** Last parked, first used: the connection least likely to have been closed by its server. */
  readonly #idle: UpstreamConnection[] = [];
  /** The endpoint left the backend: what is in use finishes, nothing is kept. */
  #retired = false;

  constructor(worker: Worker, endpoint: Endpoint) {
    this.worker = worker;
    this.endpoint = endpoint;
  }

  /** The pool of an endpoint, made at its first use. */
  static of(worker: Worker, endpoint: Endpoint): Pool {
    if (endpoint.slot === null) endpoint.slot = new Pool(worker, endpoint);
    return endpoint.slot as Pool;
  }

  /** An idle connection for `owner`, or null: then `open` one. */
  take(owner: UpstreamOwner): UpstreamConnection | null {
    const connection = this.#idle.pop();
    if (connection === undefined) return null;
    connection.owner = owner;
    return connection;
  }

  /** A new connection; the owner hears `onUpstreamReady` or `onUpstreamFailure`. */
  open(owner: UpstreamOwner): UpstreamConnection {
    return new UpstreamConnection(this.worker, this, this.endpoint, owner);
  }

  park(connection: UpstreamConnection): void {
    if (this.#retired || this.#idle.length >= this.worker.limits.upstreamIdleConnections) connection.abandon();
    else this.#idle.push(connection);
  }

  forget(connection: UpstreamConnection): void {
    const index = this.#idle.lastIndexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  }

  get idle(): number {
    return this.#idle.length;
  }

  /** Closes what is idle and keeps nothing from now on. */
  retire(): void {
    this.#retired = true;
    for (const connection of this.#idle.splice(0)) connection.abandon();
  }
}
