// The plans of all enrolled Service ports, remade where their enrolment, their Gateway or their tables changed.

import type { ServicePlan } from '../policies/plan.ts';
import { DraftMap } from './draft-map.ts';
import type { PartiesChange } from './parties.ts';
import { requestPolicy } from './policies/request-policy.ts';
import type { PoliciesChange } from './policies/targets.ts';
import type { RouteTablesChange } from './route-tables.ts';
import { reuseService, type ServiceTableIndex, servicePlan, updateServiceTables } from './service-plans.ts';
import type { Translation } from './translation.ts';

export interface ServicesChange {
  readonly services: ReadonlyMap<string, ServicePlan>;
  readonly serviceTables: ServiceTableIndex;
  readonly changedServices: ReadonlySet<string>;
}

export function updateServices(
  { snapshot, state }: Translation,
  parties: PartiesChange,
  policies: PoliciesChange,
  { tables, changedTables }: RouteTablesChange,
): ServicesChange {
  const { serviceTables, changedIds } = updateServiceTables(state.serviceTables, tables, changedTables);
  const draft = new DraftMap(snapshot.services);
  const stale = new Set([
    ...staleIds(state.parties.enrolments, parties),
    ...retargeted(parties, policies),
    ...changedIds,
  ]);
  for (const id of stale) {
    const enrolment = parties.enrolments.get(id.slice(0, id.lastIndexOf(':')));
    const port = enrolment?.ports.find((candidate) => candidate.id === id);
    if (enrolment === undefined || port === undefined) {
      draft.put(id, undefined);
      continue;
    }
    const here = { service: enrolment.service, port: port.name };
    const frontend = { gateway: enrolment.gateway, parent: here };
    const parts = {
      listeners: parties.gateways.get(enrolment.gateway)?.served,
      merged: requestPolicy({ index: policies.policies, frontend, stanzas: null, backend: here }),
    };
    draft.put(id, reuseService(snapshot.services.get(id), servicePlan(enrolment, port, serviceTables.get(id), parts)));
  }
  return { services: draft.current, serviceTables, changedServices: draft.changed };
}

/** Ports of the Services whose enrolment changed, then and now, and of those at a Gateway that changed. */
function* staleIds(before: PartiesChange['enrolments'], parties: PartiesChange): Iterable<string> {
  for (const key of parties.changedEnrolments) {
    for (const { id } of before.get(key)?.ports ?? []) yield id;
    for (const { id } of parties.enrolments.get(key)?.ports ?? []) yield id;
  }
  if (parties.changedGateways.size === 0) return;
  for (const { gateway, ports } of parties.enrolments.values()) {
    if (parties.changedGateways.has(gateway)) for (const { id } of ports) yield id;
  }
}

/** Ports of the Services at which, or at the Gateway of which, other policies hold now. */
function* retargeted({ enrolments }: PartiesChange, { changedTargets }: PoliciesChange): Iterable<string> {
  if (changedTargets.size === 0) return;
  for (const { service, gateway, ports } of enrolments.values()) {
    if (changedTargets.has(`Service ${service}`) || changedTargets.has(`Gateway ${gateway}`)) {
      for (const { id } of ports) yield id;
    }
  }
}
