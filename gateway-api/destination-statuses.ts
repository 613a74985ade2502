// The statuses of what says how backends are spoken to, and which of them lie outside.

import type { ServicePlan } from '../policies/plan.ts';
import { changedKeys } from '../routing/patched-map.ts';
import { policiesAt } from './backend-tls/policies.ts';
import { backendTlsStatus } from './backend-tls/status.ts';
import type { PolicyStatus } from './conditions.ts';
import type { DestinationsChange } from './destinations.ts';
import { xBackendStatus } from './egress/x-backend-status.ts';
import { X_BACKEND } from './egress/x-backends.ts';
import type { PartiesChange } from './parties.ts';
import type { State, Translation } from './translation.ts';

export interface DestinationOutcome {
  readonly parties: PartiesChange;
  readonly destinations: DestinationsChange;
  readonly services: ReadonlyMap<string, ServicePlan>;
  /** `backend`, `backend@gateway`: reached by others than before. */
  readonly changedBackends: readonly string[];
}

/** Of those that may be different now; null: there is nothing to say any more. */
export function* destinationStatuses(
  before: Translation,
  state: State,
  { parties, destinations, services, changedBackends }: DestinationOutcome,
): Iterable<readonly [key: string, status: PolicyStatus | null]> {
  const { backendTls, xBackends, changedTlsPolicies, changedXBackends } = destinations;
  if (backendTls.judged.size + xBackends.size + changedTlsPolicies.size + changedXBackends.size === 0) return;
  const reach = { gateways: parties.gateways, services, uses: state.routeTables.uses };
  const reached = new Set(changedBackends.map(ownerOf));
  for (const key of new Set([...changedTlsPolicies, ...policiesAt(reached, backendTls.named)])) {
    const policy = state.resources.BackendTLSPolicy.get(key);
    yield [`BackendTLSPolicy/${key}`, policy === undefined ? null : backendTlsStatus(policy, state, reach)];
  }
  const renamed = changedKeys(before.state.environment.addresses, state.environment.addresses);
  for (const key of new Set([...changedXBackends, ...xBackends.keys()])) {
    const xBackend = xBackends.get(key);
    const isStale =
      changedXBackends.has(key) || reached.has(`${X_BACKEND}${key}`) || renamed.has(xBackend?.hostname ?? '');
    if (isStale) {
      const status = xBackend === undefined ? null : xBackendStatus(xBackend, state.environment, reach);
      yield [`XBackend/${key}`, status];
    }
  }
}

/** `namespace/name` of a Service, `XBackend namespace/name`. */
function ownerOf(use: string): string {
  const id = use.split('@', 1)[0]!;
  return id.slice(0, id.lastIndexOf(':'));
}
