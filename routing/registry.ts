// The live backends: they outlive snapshots, so that load, failures and connections are known per (Service, port).

import { type Balancer, balancerFor, type PickContext } from './balancer.ts';
import type { EndpointData } from './endpoint.ts';
import { Endpoint, endpointId } from './endpoint.ts';
import { viewFrom, type ZoneView } from './locality.ts';

const NONE: readonly Endpoint[] = [];

export class Backend {
  /** `namespace/name:port`. */
  readonly id: string;
  endpoints: readonly Endpoint[] = NONE;
  /** Those that take new requests as discovery has it, whatever their health. */
  eligible: readonly Endpoint[] = NONE;
  /** How endpoints are chosen where a rule does not say otherwise. */
  balancer: Balancer = balancerFor(null);
  /** While fewer than this percentage of the eligible endpoints is healthy, health is ignored; 0: never. */
  panicPercent = 50;
  /** Health is ignored now; as of the last `candidates`. */
  panicking = false;
  /** Time of its round robin: what the latest choice has spent (weighted-turns.ts). */
  turn = 0;
  /** When the latest of the candidates became ready. */
  newestAt: number = Number.NEGATIVE_INFINITY;
  /** When the candidates change by themselves, because an ejection ends. */
  nextChangeAt: number = Number.NEGATIVE_INFINITY;
  /** Belongs to whoever sends to it: limits, budgets, who waits. */
  slot: unknown = null;
  #byId: ReadonlyMap<string, Endpoint> = new Map();
  #candidates: readonly Endpoint[] = NONE;
  #view: ZoneView | null = null;

  constructor(id: string) {
    this.id = id;
  }

  /** null: no endpoint takes requests. `balancer` is a rule's own. */
  pick(context: PickContext, balancer: Balancer = this.balancer): Endpoint | null {
    return balancer.pick(this, context);
  }

  /** Eligible ones that are neither ejected nor unhealthy; all eligible ones when too few are left. The same list until something changes. */
  candidates(now: number): readonly Endpoint[] {
    if (now >= this.nextChangeAt) this.#settle(now);
    return this.#candidates;
  }

  /** The candidates as seen from a zone. A process asks for its own only. */
  zoneView(zone: string | null, now: number): ZoneView {
    const candidates = this.candidates(now);
    if (this.#view === null || this.#view.zone !== zone) this.#view = viewFrom(zone, this.eligible, candidates);
    return this.#view;
  }

  /** The endpoint a session belongs to: it need not be ready while it serves. null: choose another. */
  persistent(id: string, now: number): Endpoint | null {
    const endpoint = this.#byId.get(id);
    if (endpoint === undefined || !(endpoint.ready || endpoint.serving)) return null;
    return usable(endpoint, now) || this.candidates(now).includes(endpoint) ? endpoint : null;
  }

  /** Something that decides about candidates changed: health, an ejection, `panicPercent`. */
  changed(): void {
    this.nextChangeAt = Number.NEGATIVE_INFINITY;
  }

  /** Takes over the list, first of equal addresses; the live state of an address that stays is kept. Returns those that went. */
  update(list: readonly EndpointData[], now: number): Endpoint[] {
    // Who was there before anybody looked is taken to be warm.
    const addedAt = this.endpoints.length === 0 ? Number.NEGATIVE_INFINITY : now;
    const before = new Map(this.#byId);
    const after = new Map<string, Endpoint>();
    for (const data of list) {
      const id = endpointId(data);
      if (after.has(id)) continue;
      const known = before.get(id);
      if (known === undefined) after.set(id, new Endpoint(data, addedAt, now));
      else {
        known.describe(data, now);
        before.delete(id);
        after.set(id, known);
      }
    }
    this.#byId = after;
    this.endpoints = [...after.values()];
    this.eligible = eligible(this.endpoints);
    this.changed();
    const gone = [...before.values()];
    for (const endpoint of gone) endpoint.removed = true;
    return gone;
  }

  #settle(now: number): void {
    const { eligible } = this;
    const healthy = eligible.filter((endpoint) => usable(endpoint, now));
    this.panicking = healthy.length * 100 < this.panicPercent * eligible.length;
    this.#candidates = this.panicking ? eligible : healthy;
    this.#view = null;
    this.nextChangeAt = Number.POSITIVE_INFINITY;
    this.newestAt = Number.NEGATIVE_INFINITY;
    for (const { ejectedUntil } of eligible) {
      if (ejectedUntil > now && ejectedUntil < this.nextChangeAt) this.nextChangeAt = ejectedUntil;
    }
    for (const { addedAt } of this.#candidates) if (addedAt > this.newestAt) this.newestAt = addedAt;
  }
}

function usable(endpoint: Endpoint, now: number): boolean {
  return endpoint.healthy && endpoint.ejectedUntil <= now;
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
  update(id: string, list: readonly EndpointData[], now: number): Endpoint[] {
    return this.backend(id).update(list, now);
  }

  /** Forgets the backend; returns its endpoints, all of them gone. */
  drop(id: string): Endpoint[] {
    const backend = this.backends.get(id);
    this.backends.delete(id);
    return backend === undefined ? [] : backend.update([], 0);
  }
}
