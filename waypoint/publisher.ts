// From one snapshot to the next: the difference that is posted to workers, found by reference, never by comparison in depth.

import type {
  AccessPlan,
  BackendPlan,
  BindPlan,
  CredentialPlan,
  RoutePlanEntry,
  ServicePlan,
  Snapshot,
  TablePlan,
} from '../policies/plan.ts';
import { changedKeys } from '../routing/patched-map.ts';

interface TableUpdate {
  readonly id: string;
  readonly upserts: readonly RoutePlanEntry[];
  readonly removals: readonly string[];
}

/** What changed between two snapshots; applied by a worker as one, between two requests. */
export interface SnapshotUpdate {
  readonly version: number;
  readonly binds: Changes<BindPlan>;
  readonly services: Changes<ServicePlan>;
  readonly backends: Changes<BackendPlan>;
  readonly access: Changes<AccessPlan>;
  readonly credentials: Changes<CredentialPlan>;
  readonly tables: readonly TableUpdate[];
  readonly droppedTables: readonly string[];
}

export interface Changes<T> {
  readonly set: readonly T[];
  readonly dropped: readonly string[];
}

/** The update that leads from `previous` to `next`; from EMPTY_SNAPSHOT it carries everything. */
export function difference(previous: Snapshot, next: Snapshot, version: number): SnapshotUpdate {
  return {
    version,
    binds: changes(previous.binds, next.binds),
    services: changes(previous.services, next.services),
    backends: changes(previous.backends, next.backends),
    access: changes(previous.access, next.access),
    credentials: changes(previous.credentials, next.credentials),
    tables: tableUpdates(previous.tables, next.tables),
    droppedTables: changes(previous.tables, next.tables).dropped,
  };
}

/** Whether an update says nothing: it need not be posted. */
export function isEmpty(update: SnapshotUpdate): boolean {
  return (
    update.tables.length === 0 &&
    update.droppedTables.length === 0 &&
    [update.binds, update.services, update.backends, update.access, update.credentials].every(isNothing)
  );
}

/** Whether nothing of this kind changed. */
export function isNothing({ set, dropped }: Changes<unknown>): boolean {
  return set.length + dropped.length === 0;
}

function changes<T>(previous: ReadonlyMap<string, T>, next: ReadonlyMap<string, T>): Changes<T> {
  if (previous === next) return NO_CHANGES;
  const set: T[] = [];
  const dropped: string[] = [];
  for (const key of changedKeys(previous, next)) {
    const value = next.get(key);
    if (value === undefined) dropped.push(key);
    else set.push(value);
  }
  return { set, dropped };
}

const NO_CHANGES: Changes<never> = { set: [], dropped: [] };

function tableUpdates(
  previous: ReadonlyMap<string, TablePlan>,
  next: ReadonlyMap<string, TablePlan>,
): readonly TableUpdate[] {
  if (previous === next) return [];
  const updates: TableUpdate[] = [];
  for (const [id, table] of next) {
    const before = previous.get(id);
    if (before === table) continue;
    const entries = changes(before?.entries ?? NO_ENTRIES, table.entries);
    // An empty table that is new still has to exist: it answers 404 where no table would mean "no routes attached".
    if (before === undefined || entries.set.length + entries.dropped.length > 0) {
      updates.push({ id, upserts: entries.set, removals: entries.dropped });
    }
  }
  return updates;
}

const NO_ENTRIES: ReadonlyMap<string, RoutePlanEntry> = new Map();
