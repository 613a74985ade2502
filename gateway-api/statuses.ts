// The statuses of all objects, rewritten for those whose outcome changed.

import type { Changes } from './changes.ts';
import { changedKeys } from './changes.ts';
import type { ObjectStatus, Statuses } from './conditions.ts';
import { DraftMap } from './draft-map.ts';
import { gatewayClassStatus } from './gateway-classes.ts';
import { gatewayStatus } from './gateway-status.ts';
import type { PartiesChange } from './parties.ts';
import { reuse } from './reuse.ts';
import { serviceStatus } from './service-status.ts';
import type { State, Translation } from './translation.ts';

export function updateStatuses(before: Translation, state: State, parties: PartiesChange, changes: Changes): Statuses {
  const draft = new DraftMap<ObjectStatus>(before.statuses);
  const put = (key: string, status: ObjectStatus | null | undefined): void =>
    draft.put(key, status ? reuse(before.statuses.get(key), status) : undefined);
  for (const name of changes.GatewayClass) {
    const gatewayClass = state.resources.GatewayClass.get(name);
    put(`GatewayClass/${name}`, gatewayClass && gatewayClassStatus(gatewayClass));
  }
  const { holders, environment, routeTables } = state;
  const scope = { holders, bindErrors: environment.bindErrors, attached: routeTables.attached };
  const areBindsStale =
    holders !== before.state.holders || environment.bindErrors !== before.state.environment.bindErrors;
  for (const key of staleGateways(before.state, state, parties, areBindsStale ? 'all' : 'changed')) {
    const gateway = parties.gateways.get(key);
    put(`Gateway/${key}`, gateway && gatewayStatus(gateway, scope));
  }
  const staleServices = areBindsStale
    ? [...parties.changedEnrolments, ...parties.enrolments.keys()]
    : parties.changedEnrolments;
  for (const key of staleServices) {
    const enrolment = parties.enrolments.get(key);
    put(`Service/${key}`, enrolment && serviceStatus(enrolment, scope));
  }
  for (const key of changedKeys(before.state.routes, state.routes)) {
    put(`HTTPRoute/${key}`, state.routes.get(key)?.status);
  }
  return draft.current;
}

function staleGateways(
  before: State,
  state: State,
  parties: PartiesChange,
  extent: 'all' | 'changed',
): ReadonlySet<string> {
  const stale = new Set(parties.changedGateways);
  if (extent === 'all') for (const key of parties.gateways.keys()) stale.add(key);
  // `namespace/gateway/listener`
  for (const id of changedKeys(before.routeTables.attached, state.routeTables.attached))
    stale.add(id.slice(0, id.lastIndexOf('/')));
  return stale;
}
