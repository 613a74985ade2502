// Who is who before any route is looked at: grants, Gateways, enrolled Services, and what of that changed.

import { changedKeys } from '../routing/patched-map.ts';
import { type Changes, namespaceOf } from './changes.ts';
import { DraftMap } from './draft-map.ts';
import { type Enrolment, type EnrolmentScope, enrolmentOf } from './enrolment.ts';
import type { Environment } from './environment.ts';
import { type GatewayState, gatewaysOf } from './gateways.ts';
import { type Grants, indexGrants } from './references.ts';
import type { Resources } from './resources.ts';
import { reuse } from './reuse.ts';

export interface Parties {
  readonly grants: Grants;
  readonly gateways: ReadonlyMap<string, GatewayState>;
  readonly enrolments: ReadonlyMap<string, Enrolment>;
}

export interface PartiesChange extends Parties {
  readonly changedGateways: ReadonlySet<string>;
  readonly changedEnrolments: ReadonlySet<string>;
  /** `Kind key` of everything that a route may have read and that is different now. */
  readonly touched: ReadonlySet<string>;
}

export const NO_PARTIES: Parties = { grants: new Map(), gateways: new Map(), enrolments: new Map() };

export function updateParties(
  before: Parties,
  resources: Resources,
  environment: Environment,
  changes: Changes,
): PartiesChange {
  const grants = changes.ReferenceGrant.size === 0 ? before.grants : indexGrants(resources.ReferenceGrant);
  const areGatewaysStale = changes.Gateway.size > 0 || changes.GatewayClass.size > 0;
  const gateways = areGatewaysStale ? gatewaysOf(resources, environment, before.gateways) : before.gateways;
  const changedGateways = changedKeys(before.gateways, gateways);
  const isWholeStale = changedGateways.size > 0 || changes.Namespace.size > 0;
  const stale = isWholeStale ? new Set([...before.enrolments.keys(), ...resources.Service.keys()]) : changes.Service;
  const enrolments = updateEnrolments(before.enrolments, stale, { resources, environment, gateways });
  const changedEnrolments = changedKeys(before.enrolments, enrolments);
  const touched = new Set<string>();
  for (const key of changes.ReferenceGrant) touched.add(`Grant ${namespaceOf(key)}`);
  for (const key of changes.Namespace) touched.add(`Namespace ${key}`);
  for (const key of changedGateways) touched.add(`Gateway ${key}`);
  for (const key of changes.Service) touched.add(`Service ${key}`);
  for (const key of changedEnrolments) touched.add(`Service ${key}`);
  return { grants, gateways, enrolments, changedGateways, changedEnrolments, touched };
}

function updateEnrolments(
  before: ReadonlyMap<string, Enrolment>,
  stale: ReadonlySet<string>,
  scope: EnrolmentScope,
): ReadonlyMap<string, Enrolment> {
  const draft = new DraftMap(before);
  for (const key of stale) {
    const service = scope.resources.Service.get(key);
    const enrolment = service === undefined ? null : enrolmentOf(service, scope);
    draft.put(key, enrolment === null ? undefined : reuse(before.get(key), enrolment));
  }
  return draft.current;
}
