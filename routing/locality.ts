// Which of a backend's endpoints are near the waypoint, and how much of the traffic they can take.

import type { Endpoint } from './endpoint.ts';

/** As seen from one zone, for one state of the backend. */
export interface ZoneView {
  readonly zone: string | null;
  readonly local: readonly Endpoint[];
  readonly remote: readonly Endpoint[];
  /** Of the requests, that the local ones should take; from 0 to 1. */
  readonly share: number;
}

/** A local endpoint may get this times what it would if zones did not matter: small imbalances are not worth leaving the zone. */
const OVERLOAD = 1.2;

/**
 * Local are those that hints assign to the zone, or those in it. Hints count only where every endpoint has some and one
 * of them names the zone, as in kube-proxy. `eligible` is every endpoint that discovery calls usable, `candidates` what health left of them.
 */
export function viewFrom(
  zone: string | null,
  eligible: readonly Endpoint[],
  candidates: readonly Endpoint[],
): ZoneView {
  if (zone === null) return { zone, local: [], remote: candidates, share: 0 };
  const hinted = eligible.every(({ hints }) => hints.length > 0) && eligible.some(({ hints }) => hints.includes(zone));
  const isLocal = (endpoint: Endpoint) => (hinted ? endpoint.hints.includes(zone) : endpoint.zone === zone);
  const local = candidates.filter(isLocal);
  const remote = candidates.filter((endpoint) => !isLocal(endpoint));
  const fair = hinted ? local.length / eligible.filter(isLocal).length : capacity(local, eligible, candidates);
  return { zone, local, remote, share: Math.min(1, OVERLOAD * fair) };
}

/** 1 where the zone holds its part of the capacity, taking every zone to send alike. */
function capacity(local: readonly Endpoint[], eligible: readonly Endpoint[], candidates: readonly Endpoint[]): number {
  const zones = new Set(eligible.map((endpoint) => endpoint.zone)).size;
  return candidates.length === 0 ? 0 : (local.length * zones) / candidates.length;
}
