// The statuses of all objects, rewritten for those whose outcome changed.

import { accessStatus, changedKeys } from './access/status.ts';
import type { Changes } from './changes.ts';
import type { ObjectStatus, Statuses } from './conditions.ts';
import { type DestinationOutcome, destinationStatuses } from './destination-statuses.ts';
import { DraftMap } from './draft-map.ts';
import { gatewayClassStatus } from './gateway-classes.ts';
import { gatewayStatus } from './gateway-status.ts';
import { policyStatus } from './policies/status.ts';
import { reuse } from './reuse.ts';
import { serviceStatus } from './service-status.ts';
import type { State, Translation } from './translation.ts';

/** What the other steps of the translation changed. */
export interface Outcome extends DestinationOutcome {
  readonly changes: Changes;
  /** `Kind namespace/name`. */
  readonly changedPolicies: ReadonlySet<string>;
  /** `Kind/key` of policies about access. */
  readonly changedAccess: ReadonlySet<string>;
  /** Keys of HTTPRoutes. */
  readonly changedRoutes: ReadonlySet<string>;
  /** Ids of listeners of which the number of attached routes changed. */
  readonly changedListeners: ReadonlySet<string>;
}

export function updateStatuses(before: Translation, state: State, outcome: Outcome): Statuses {
  const { changes, parties, changedRoutes } = outcome;
  const draft = new DraftMap<ObjectStatus>(before.statuses);
  const put = (key: string, status: ObjectStatus | null | undefined): void =>
    draft.put(key, status ? reuse(before.statuses.get(key), status) : undefined);
  for (const name of changes.GatewayClass) {
    const gatewayClass = state.resources.GatewayClass.get(name);
    put(`GatewayClass/${name}`, gatewayClass && gatewayClassStatus(gatewayClass));
  }
  const { holders, ports, environment, routeTables } = state;
  const { bindErrors } = environment;
  const scope = { holders, bindErrors, attached: routeTables.attached };
  const isAddressed =
    holders === before.state.holders &&
    ports === before.state.ports &&
    bindErrors === before.state.environment.bindErrors &&
    environment.localAddresses === before.state.environment.localAddresses;
  for (const key of isAddressed ? changedGateways(outcome) : allKeys(parties.changedGateways, parties.gateways)) {
    const gateway = parties.gateways.get(key);
    put(`Gateway/${key}`, gateway && gatewayStatus(gateway, scope));
  }
  const { changedEnrolments, enrolments, gateways } = parties;
  const reachable = { holders, bindErrors, environment, gateways, ports };
  for (const key of isAddressed ? changedEnrolments : allKeys(changedEnrolments, enrolments)) {
    const enrolment = enrolments.get(key);
    put(`Service/${key}`, enrolment && serviceStatus(enrolment, reachable));
  }
  for (const key of changedRoutes) put(`HTTPRoute/${key}`, state.routes.get(key)?.status);
  for (const title of outcome.changedPolicies) {
    const [kind, key] = title.split(' ') as ['TrafficPolicy' | 'XBackendTrafficPolicy', string];
    const policy = state.resources[kind].get(key);
    put(`${kind}/${key}`, policy && policyStatus(policy, state));
  }
  const { jwksErrors } = environment;
  const { RequestAuthentication } = state.resources;
  const refetched = changedKeys(RequestAuthentication, before.state.environment.jwksErrors, jwksErrors);
  for (const title of [...outcome.changedAccess, ...refetched.map((key) => `RequestAuthentication/${key}`)]) {
    const kind = title.startsWith('A') ? 'AuthorizationPolicy' : 'RequestAuthentication';
    const policy = state.resources[kind].get(title.slice(kind.length + 1));
    put(title, policy && accessStatus(policy, { resources: state.resources, gateways, jwksErrors }));
  }
  for (const [key, status] of destinationStatuses(before, state, outcome)) put(key, status);
  return draft.current;
}

function changedGateways({ parties, changedListeners }: Outcome): ReadonlySet<string> {
  const changed = new Set(parties.changedGateways);
  // `namespace/gateway/listener`
  for (const id of changedListeners) changed.add(id.slice(0, id.lastIndexOf('/')));
  return changed;
}

/** Those that are there, and those that were. */
function allKeys(changed: ReadonlySet<string>, map: ReadonlyMap<string, unknown>): Iterable<string> {
  return new Set([...changed, ...map.keys()]);
}
