// Enrolled Services as clients address them: one plan per port, with the tables of the routes that name it as parent.

import type { ListenerPlan, RoutePlan, ServicePlan, TablePlan } from '../policies/plan.ts';
import { NO_REQUEST_POLICY, type RequestPolicy } from '../policies/traffic.ts';
import { DraftMap } from './draft-map.ts';
import type { EnrolledPort, Enrolment } from './enrolment.ts';
import type { MergedPolicy } from './policies/merge.ts';
import { reuse } from './reuse.ts';

/** Tables of one Service port. */
export interface ServiceTables {
  readonly producer: string | null;
  readonly consumers: ReadonlyMap<string, string>;
}

/** By id of the ServicePlan. */
export type ServiceTableIndex = ReadonlyMap<string, ServiceTables>;

export interface ServiceTablesChange {
  readonly serviceTables: ServiceTableIndex;
  readonly changedIds: ReadonlySet<string>;
}

const NO_TABLES: ServiceTables = { producer: null, consumers: new Map() };
const NO_LISTENERS: readonly ListenerPlan[] = [];
const NONE: readonly never[] = [];
const PRODUCER = 'Service/';
const CONSUMER = '/from/';

/** The table of a Service port; `consumer` is the namespace of the clients that it is for, null: everybody else. */
export function serviceTable(id: string, consumer: string | null): string {
  return consumer === null ? `${PRODUCER}${id}` : `${PRODUCER}${id}${CONSUMER}${consumer}`;
}

type Tables = ReadonlyMap<string, TablePlan>;

/** `changed`: ids of tables that may have appeared or gone. */
export function updateServiceTables(
  index: ServiceTableIndex,
  tables: Tables,
  changed: Iterable<string>,
): ServiceTablesChange {
  const draft = new DraftMap(index);
  for (const table of changed) {
    if (!table.startsWith(PRODUCER)) continue;
    const [id, consumer] = table.slice(PRODUCER.length).split(CONSUMER) as [string, string | undefined];
    const before = draft.get(id) ?? NO_TABLES;
    const isKnown = (consumer === undefined ? before.producer : before.consumers.get(consumer)) === table;
    if (tables.has(table) === isKnown) continue;
    const after = isKnown ? withoutTable(before, consumer) : withTable(before, table, consumer);
    draft.put(id, after.producer === null && after.consumers.size === 0 ? undefined : after);
  }
  return { serviceTables: draft.current, changedIds: draft.changed };
}

function withTable(before: ServiceTables, table: string, consumer: string | undefined): ServiceTables {
  if (consumer === undefined) return { ...before, producer: table };
  return { ...before, consumers: new Map(before.consumers).set(consumer, table) };
}

function withoutTable(before: ServiceTables, consumer: string | undefined): ServiceTables {
  if (consumer === undefined) return { ...before, producer: null };
  return { ...before, consumers: new Map([...before.consumers].filter(([namespace]) => namespace !== consumer)) };
}

export interface ServicePlanParts {
  readonly listeners: readonly ListenerPlan[] | undefined;
  /** For its requests where no route is attached. */
  readonly merged: MergedPolicy<RequestPolicy>;
}

export function servicePlan(
  { namespace, name, gateway, vips }: Enrolment,
  { id, port }: EnrolledPort,
  tables: ServiceTables | undefined,
  { listeners, merged }: ServicePlanParts,
): ServicePlan {
  const { producer, consumers } = tables ?? NO_TABLES;
  const fallback = fallbackPlan(id, `${namespace}/${name}`, merged);
  const own = { id, namespace, name, port, vips, gateway };
  return { ...own, consumers, producer, listeners: listeners ?? NO_LISTENERS, fallback };
}

/** The parts that did not change stay the same objects, also where the plan as a whole did. */
export function reuseService(previous: ServicePlan | undefined, next: ServicePlan): ServicePlan {
  if (previous === undefined) return next;
  const fallback = reuse(previous.fallback, next.fallback);
  const listeners = reuse(previous.listeners, next.listeners);
  return reuse(previous, { ...next, fallback, listeners });
}

/** A Service without any route is forwarded to itself. */
function fallbackPlan(id: string, route: string, { policy, origins }: MergedPolicy<RequestPolicy>): RoutePlan {
  const backends = [{ weight: 1, backend: id, failure: null, filters: NONE, mirrors: NONE, policy, origins }];
  const rule = { kind: 'Default', route, rule: '0', filters: NONE, backends, mirrors: NONE };
  return { ...rule, timeouts: null, policy: NO_REQUEST_POLICY, origins: NONE, failure: null };
}
