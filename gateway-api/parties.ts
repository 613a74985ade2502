// Who is who before any route is looked at: grants, Gateways, enrolled Services, and what of that changed.

import { changedKeys } from '../routing/patched-map.ts';
import { type Changes, namespaceOf } from './changes.ts';
import { isCurrent, type Needs } from './credentials/lookup.ts';
import { DraftMap } from './draft-map.ts';
import { type Enrolment, type EnrolmentScope, enrolmentOf } from './enrolment.ts';
import type { Environment } from './environment.ts';
import { type Gateways, gatewaysOf } from './gateways.ts';
import { type Grants, indexGrants } from './references.ts';
import type { Resources } from './resources.ts';
import { reuse } from './reuse.ts';

export interface Parties extends Gateways {
  readonly grants: Grants;
  readonly enrolments: ReadonlyMap<string, Enrolment>;
}

export interface PartiesChange extends Parties {
  readonly changedGateways: ReadonlySet<string>;
  readonly changedEnrolments: ReadonlySet<string>;
  /** `Kind key` of everything that a route may have read and that is different now. */
  readonly touched: ReadonlySet<string>;
}

export const NO_PARTIES: Parties = {
  grants: new Map(),
  gateways: new Map(),
  needs: new Map(),
  enrolments: new Map(),
};

export function updateParties(
  { parties: before, environment: environmentBefore }: { readonly parties: Parties; readonly environment: Environment },
  resources: Resources,
  environment: Environment,
  changes: Changes,
): PartiesChange {
  const grants = changes.ReferenceGrant.size === 0 ? before.grants : indexGrants(resources.ReferenceGrant);
  const touched = touchedBy(changes, changedKeys(environmentBefore.credentials, environment.credentials));
  const isStale = (needs: Needs): boolean => !isCurrent(needs, environment.now, touched);
  const areGatewaysStale =
    changes.Gateway.size > 0 || changes.GatewayClass.size > 0 || before.needs.values().some(isStale);
  const { gateways, needs } = areGatewaysStale
    ? gatewaysOf({ resources, grants, environment }, before, touched)
    : before;
  const changedGateways = changedKeys(before.gateways, gateways);
  const isWholeStale = changedGateways.size > 0 || changes.Namespace.size > 0;
  const stale = isWholeStale ? new Set([...before.enrolments.keys(), ...resources.Service.keys()]) : changes.Service;
  const enrolments = updateEnrolments(before.enrolments, stale, { resources, environment, gateways });
  const changedEnrolments = changedKeys(before.enrolments, enrolments);
  for (const key of changedGateways) touched.add(`Gateway ${key}`);
  for (const key of changedEnrolments) touched.add(`Service ${key}`);
  return { grants, gateways, needs, enrolments, changedGateways, changedEnrolments, touched };
}

/** What others read by its name, and was changed by its owner. */
function touchedBy(changes: Changes, changedCredentials: ReadonlySet<string>): Set<string> {
  const touched = new Set<string>(changedCredentials);
  for (const key of changes.ReferenceGrant) touched.add(`Grant ${namespaceOf(key)}`);
  for (const key of changes.Namespace) touched.add(`Namespace ${key}`);
  for (const key of changes.Service) touched.add(`Service ${key}`);
  for (const key of changes.Secret) touched.add(`Secret ${key}`);
  for (const key of changes.ConfigMap) touched.add(`ConfigMap ${key}`);
  return touched;
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
