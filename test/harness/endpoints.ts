// Live endpoints without sockets: what tests of the choice among them begin with.

import type { PickContext } from '../../routing/balancer.ts';
import type { Endpoint, EndpointData } from '../../routing/endpoint.ts';
import { Backend } from '../../routing/registry.ts';

export function endpointData(given: Partial<EndpointData> = {}): EndpointData {
  const state = { ready: true, serving: true, terminating: false };
  return { address: '10.0.0.1', port: 8080, name: null, zone: null, hints: [], ...state, ...given };
}

/** One ready endpoint for each of these, at 10.0.0.1, 10.0.0.2, … */
export function backendOf(given: readonly Partial<EndpointData>[], now = 0): Backend {
  const backend = new Backend('shop/orders:80');
  backend.update(
    given.map((each, at) => endpointData({ address: addressAt(at), ...each })),
    now,
  );
  return backend;
}

export function backendOfSize(size: number, now = 0): Backend {
  return backendOf(
    Array.from({ length: size }, () => ({})),
    now,
  );
}

export function pickContext(given: Partial<PickContext> = {}): PickContext {
  return { now: 0, random: () => 0, avoid: null, zone: null, hash: 0, ...given };
}

/** How often each endpoint was picked, in the order of the backend's list. */
export function countPicks(backend: Backend, times: number, pick: (at: number) => Endpoint | null): number[] {
  const counts = new Map<Endpoint | null, number>();
  for (let at = 0; at < times; at += 1) {
    const endpoint = pick(at);
    counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1);
  }
  return backend.endpoints.map((endpoint) => counts.get(endpoint) ?? 0);
}

function addressAt(at: number): string {
  return `10.0.${Math.floor(at / 250)}.${(at % 250) + 1}`;
}
