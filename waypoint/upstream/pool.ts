// The connections of one worker to one endpoint: idle ones popped without a promise, parked again after a clean response.

import type { Endpoint } from '../../routing/endpoint.ts';
import type { Worker } from '../worker-context.ts';
import { announced } from './announcement.ts';
import type { BackendState } from './backend-state.ts';
import { UpstreamConnection, type UpstreamOwner } from './connection.ts';

export class Pool {
  readonly worker: Worker;
  readonly endpoint: Endpoint;
  readonly state: BackendState;
  /** Last parked, first used: the connection least likely to have been closed by its server. */
  readonly #idle: UpstreamConnection[] = [];
  /** The endpoint left the backend: what is in use finishes, nothing is kept. */
  #retired = false;

  constructor(worker: Worker, endpoint: Endpoint, state: BackendState) {
    this.worker = worker;
    this.endpoint = endpoint;
    this.state = state;
  }

  /** The pool of an endpoint, made at its first use. */
  static of(worker: Worker, endpoint: Endpoint, state: BackendState): Pool {
    if (endpoint.slot === null) endpoint.slot = new Pool(worker, endpoint, state);
    return endpoint.slot as Pool;
  }

  /** An idle connection for `owner`, or null: then `open` one. */
  take(owner: UpstreamOwner): UpstreamConnection | null {
    const connection = this.#fitting(owner);
    if (connection === undefined) return null;
    connection.owner = owner;
    const idleMs = this.state.shadowConnections?.idleTimeoutMs ?? 0;
    if (idleMs > 0 && performance.now() - connection.readAt > idleMs) owner.onShadow('close_idle');
    return connection;
  }

  /** A new connection; the owner hears `onUpstreamReady` or `onUpstreamFailure`. */
  open(owner: UpstreamOwner): UpstreamConnection {
    this.state.circuit.add('connections');
    return new UpstreamConnection(this.worker, this, owner);
  }

  park(connection: UpstreamConnection): void {
    // What announced a client is of use to that client only: those of clients that left long ago make room.
    if (this.#full && connection.announced !== '') this.evict();
    if (this.#retired || connection.outdated || this.#full) {
      connection.abandon();
      return;
    }
    if (this.state.settleDebt()) {
      connection.abandon();
      this.state.neighbours?.room(this.state.backend.id);
      return;
    }
    this.#idle.push(connection);
    this.state.next();
  }

  /** The last one parked; of those that announced a client, one that announced this one. */
  #fitting(owner: UpstreamOwner): UpstreamConnection | undefined {
    const { proxyProtocol } = this.state;
    if (proxyProtocol === null) return this.#idle.pop();
    const wanted = announced(proxyProtocol, owner.client);
    const at = this.#idle.findLastIndex((connection) => connection.announced === wanted);
    return at < 0 ? undefined : this.#idle.splice(at, 1)[0];
  }

  /** The connection is gone. */
  closed(connection: UpstreamConnection): void {
    const index = this.#idle.lastIndexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
    this.state.circuit.release('connections');
    this.state.next();
  }

  /** Closes one idle connection, to make room for one to another endpoint; false: there is none. */
  evict(): boolean {
    const connection = this.#idle.shift();
    if (connection === undefined) return false;
    connection.abandon();
    return true;
  }

  get #full(): boolean {
    return this.#idle.length >= this.worker.limits.upstreamIdleConnections;
  }

  get idle(): number {
    return this.#idle.length;
  }

  /** Closes what is idle and keeps nothing from now on. */
  retire(): void {
    this.#retired = true;
    this.clear();
  }

  /** Closes what is idle. */
  clear(): void {
    for (const connection of this.#idle.splice(0)) connection.abandon();
  }
}
