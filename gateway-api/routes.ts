// All HTTPRoutes: those that changed, or read something that changed, are translated again and put into their tables.

import type { Changes } from './changes.ts';
import { type DestinationsChange, touchedDestinations } from './destinations.ts';
import type { GatewayState } from './gateways.ts';
import type { PartiesChange } from './parties.ts';
import type { PoliciesChange } from './policies/targets.ts';
import type { Resources } from './resources.ts';
import { type RouteTablesChange, RouteTablesDraft } from './route-tables.ts';
import { ShardedDraft, type ShardedMap } from './sharded-map.ts';
import { type RouteState, translateRoute } from './translate-route.ts';
import type { State } from './translation.ts';

export interface RoutesChange {
  readonly routes: ShardedMap<RouteState>;
  readonly changedRoutes: ReadonlySet<string>;
  readonly tables: RouteTablesChange;
}

export interface RouteNeeds {
  readonly parties: PartiesChange;
  readonly policies: PoliciesChange;
  readonly destinations: DestinationsChange;
}

export function updateRoutes(
  before: State,
  resources: Resources,
  { parties, policies, destinations }: RouteNeeds,
  changes: Changes,
): RoutesChange {
  const { grants, gateways, enrolments } = parties;
  const scope = { resources, grants, gateways, enrolments, policies: policies.policies, destinations };
  const draft = new ShardedDraft(before.routes);
  const merged = new RouteTablesDraft(before.routeTables);
  const touched = new Set([...parties.touched, ...touchedDestinations(destinations)]);
  for (const target of policies.changedTargets) touched.add(`Policy ${target}`);
  for (const key of staleRoutes(before.routes, touched, changes.HTTPRoute)) {
    const route = resources.HTTPRoute.get(key);
    const old = before.routes.get(key);
    const state = route === undefined ? undefined : translateRoute(route, scope, old);
    merged.replace(old, state);
    draft.put(key, state);
  }
  const listenersBefore = before.parties.gateways;
  const tables = merged.finish(tablesOf(gateways), listenersBefore === gateways ? null : tablesOf(listenersBefore));
  return { routes: draft.current, changedRoutes: draft.changed, tables };
}

function staleRoutes(
  routes: ShardedMap<RouteState>,
  touched: ReadonlySet<string>,
  changed: ReadonlySet<string>,
): ReadonlySet<string> {
  if (touched.size === 0) return changed;
  const stale = new Set(changed);
  for (const [key, state] of routes) if (state.reads.some((read) => touched.has(read))) stale.add(key);
  return stale;
}

function tablesOf(gateways: ReadonlyMap<string, GatewayState>): ReadonlySet<string> {
  const tables = new Set<string>();
  for (const { served } of gateways.values()) for (const { table } of served) tables.add(table);
  return tables;
}
