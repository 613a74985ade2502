// The live backends: they outlive snapshots, so that load, failures and connections are known per (Service, port).

import type { Random } from './balancer.ts';
import { leastRequest } from './balancer.ts';
import type { EndpointData } from './endpoint.ts';
import { Endpoint, endpointId } from './endpoint.ts';

export class Backend {
  /** `namespace/name:port`. */
  readonly id: string;
  endpoints: readonly Endpoint[] = [];
  /** Those that take new requests: recomputed only on update. */
  eligible: readonly Endpoint[] = [];

  constructor(id: string) {
    this.id = id;
  }

  /** null: no endpoint takes requests. `avoid`, the one that just failed, is chosen only where there is no other. */
  pick(random: Random, avoid: Endpoint | null): Endpoint | null {
    return leastRequest.pick(this.eligible, random, avoid);
  }

  /** Takes over the list, first of equal addresses; the live state of an address that stays is kept. Returns those that went. */
  update(list: readonly EndpointData[]): Endpoint[] {
    const before = new Map<string, Endpoint>();
    for (const endpoint of this.endpoints) before.set(endpoint.id, endpoint);
    const after = new Map<string, Endpoint>();
    for (const data of list) {
      const id = endpointId(data);
      if (after.has(id)) continue;
      const known = before.get(id);
      if (known === undefined) after.set(id, new Endpoint(data));
      else {
        known.describe(data);
        before.delete(id);
        after.set(id, known);
      }
    }
    this.endpoints = [...after.values()];
    this.eligible = eligible(this.endpoints);
    const gone = [...before.values()];
    for (const endpoint of gone) endpoint.removed = true;
    return gone;
  }
}

/** Ready ones; while none is, those that still serve although they terminate (KEP-1669). */
function eligible(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  return ready.length > 0 ? ready : endpoints.filter((endpoint) => endpoint.serving && endpoint.terminating);
}

export class Registry {
  private readonly backends = new Map<string, Backend>();

  /** The backend of this id, made when it is new. */
  backend(id: string): Backend {
    let backend = this.backends.get(id);
    if (backend === undefined) {
      backend = new Backend(id);
      this.backends.set(id, backend);
    }
    return backend;
  }

  peek(id: string): Backend | undefined {
    return this.backends.get(id);
  }

  ids(): Iterable<string> {
    return this.backends.keys();
  }

  /** Returns the endpoints that went. */
  update(id: string, list: readonly EndpointData[]): Endpoint[] {
    return this.backend(id).update(list);
  }

  /** Forgets the backend; returns its endpoints, all of them gone. */
  drop(id: string): Endpoint[] {
    const backend = this.backends.get(id);
    this.backends.delete(id);
    return backend === undefined ? [] : backend.update([]);
  }
}
