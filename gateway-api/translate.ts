// From resources to what the data plane runs and what the owners of the resources are told: a table of contents.

import { updateAccess } from './access/update.ts';
import { updateBackends } from './backends.ts';
import { updateBinds } from './binds.ts';
import { calledServices } from './called-services.ts';
import { changesBetween } from './changes.ts';
import { updateCredentials } from './credentials/update.ts';
import { updateDestinations } from './destinations.ts';
import { type Environment, sameScope } from './environment.ts';
import { updateParties } from './parties.ts';
import { updatePolicies } from './policies/targets.ts';
import type { Resources } from './resources.ts';
import { reuse } from './reuse.ts';
import { updateRoutes } from './routes.ts';
import { updateServices } from './services.ts';
import { updateStatuses } from './statuses.ts';
import { NOTHING, type State, type Translation } from './translation.ts';

export type { Environment } from './environment.ts';
export type { Translation } from './translation.ts';

/** Pure. Whatever has the same inputs as in `previous` is the same object as in `previous`. */
export function translate(resources: Resources, environment: Environment, previous: Translation | null): Translation {
  const before = previous !== null && sameScope(previous.state.environment, environment) ? previous : NOTHING;
  const bindErrors = reuse(before.state.environment.bindErrors, environment.bindErrors);
  const changes = changesBetween(before.state.resources, resources);
  const parties = updateParties(before.state, resources, environment, changes);
  const policies = updatePolicies(before.state, resources, parties, changes);
  const lookup = { resources, grants: parties.grants, environment };
  const destinations = updateDestinations(before.state, lookup, changes, parties.touched);
  const known = { parties, policies, destinations };
  const { routes, changedRoutes, tables } = updateRoutes(before.state, resources, known, changes);
  const { binds, members, holders, ports } = updateBinds(before, environment, parties);
  const { services, serviceTables, changedServices } = updateServices(before, parties, policies, tables);
  const { access, accessIndex, changedAccess } = updateAccess(before, resources, parties, changes);
  const called = calledServices(services, access);
  const calls = called.symmetricDifference(calledServices(before.snapshot.services, before.snapshot.access));
  const changed = [...tables.changedUses, ...changedServices, ...calls];
  const needs = { uses: tables.uses, services, called, changed, ...known };
  const { backends, slices, refusals, outsideNames, changedPolicies } = updateBackends(before, lookup, changes, needs);
  const { credentials, uses: credentialUses } = updateCredentials(before, resources, environment, { binds, backends });
  const { grants, gateways, needs: gatewayNeeds, enrolments } = parties;
  const state: State = {
    resources,
    environment: { ...environment, bindErrors },
    parties: { grants, gateways, needs: gatewayNeeds, enrolments },
    policies: policies.policies,
    routeTables: { tables: tables.tables, attached: tables.attached, uses: tables.uses },
    ...{ accessIndex, refusals, routes, serviceTables, members, holders, ports, slices, credentialUses, outsideNames },
    destinations: { backendTls: destinations.backendTls, xBackends: destinations.xBackends, environment },
  };
  const outcome = {
    changes,
    parties,
    changedPolicies: policies.changedPolicies.union(changedPolicies),
    changedAccess,
    changedRoutes,
    changedListeners: tables.changedListeners,
    destinations,
    services,
    changedBackends: changed,
  };
  const statuses = updateStatuses(before, state, outcome);
  const snapshot = { binds, services, tables: tables.tables, backends, access, credentials };
  return { snapshot, statuses, state };
}

/** When the same resources mean something else, as certificates begin or end, in ms since the epoch; null: never. */
export function nextExpiry({ state }: Translation): number | null {
  let next = Number.POSITIVE_INFINITY;
  const { backendTls, xBackends } = state.destinations;
  const needs = [...backendTls.judged.values(), ...xBackends.values()].map((each) => each.needs);
  for (const { changesAt } of [...state.parties.needs.values(), ...needs]) next = Math.min(next, changesAt);
  return next === Number.POSITIVE_INFINITY ? null : next;
}
