// Which certificate of our own a backend is shown: that of the Gateway through which it is reached (GEP-3155).

import type { BackendTlsPlan } from '../../policies/plan.ts';
import type { GatewayState } from '../gateways.ts';
import { gatewaysTo, type Reach } from './reach.ts';

/** Gateways with a client certificate, the one that counts first: the oldest. */
export function presenters(gateways: ReadonlyMap<string, GatewayState>): readonly GatewayState[] {
  return [...gateways.values()].filter(({ clientCertificate }) => clientCertificate !== null).sort(olderFirst);
}

/**
 * Connections are shared by all who reach a backend, so that there can be one certificate only: of several Gateways
 * the oldest decides. Where its own is broken nothing is connected, as if it were the only one.
 */
export function withClientCertificate(
  tls: BackendTlsPlan,
  backend: string,
  candidates: readonly GatewayState[],
  reach: Reach,
): BackendTlsPlan {
  if (candidates.length === 0) return tls;
  const through = new Set(gatewaysTo(backend, reach));
  const own = candidates.find(({ key }) => through.has(key))?.clientCertificate ?? null;
  if (own === null) return tls;
  if ('credential' in own) return { ...tls, certificate: own.credential };
  return { ...tls, failure: tls.failure ?? own.failure };
}

function olderFirst(a: GatewayState, b: GatewayState): number {
  if (a.gateway.createdAt !== b.gateway.createdAt) return a.gateway.createdAt - b.gateway.createdAt;
  return a.key < b.key ? -1 : 1;
}
