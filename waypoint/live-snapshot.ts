// The configuration as a worker serves it: immutable once made, swapped by reference; requests in flight keep theirs.

import type { AccessPlan, BindPlan, CredentialPlan, ServicePlan } from '../policies/plan.ts';
import { RouteTable } from '../routing/table.ts';
import { Guards } from './guard/guards.ts';
import { type Linker, LivePlan, linkEntry } from './live-plan.ts';
import { type Changes, isNothing, type SnapshotUpdate } from './publisher.ts';

/** An enrolled Service port with the plan that serves it while no route is attached. */
export interface LiveService {
  readonly plan: ServicePlan;
  readonly fallback: LivePlan;
}

export class LiveSnapshot {
  readonly version: number;
  readonly binds: ReadonlyMap<string, BindPlan>;
  readonly services: ReadonlyMap<string, LiveService>;
  readonly tables: ReadonlyMap<string, RouteTable<LivePlan>>;
  readonly access: ReadonlyMap<string, AccessPlan>;
  readonly guards: Guards;
  readonly credentials: ReadonlyMap<string, CredentialPlan>;

  constructor(
    version: number,
    binds: ReadonlyMap<string, BindPlan>,
    services: ReadonlyMap<string, LiveService>,
    tables: ReadonlyMap<string, RouteTable<LivePlan>>,
    access: ReadonlyMap<string, AccessPlan>,
    before: Guards | null,
    credentials: ReadonlyMap<string, CredentialPlan>,
  ) {
    this.version = version;
    this.binds = binds;
    this.services = services;
    this.tables = tables;
    this.access = access;
    this.guards = before?.guard(access) ? before : new Guards(access, before);
    this.credentials = credentials;
  }

  static readonly empty: LiveSnapshot = new LiveSnapshot(
    0,
    new Map(),
    new Map(),
    new Map(),
    new Map(),
    null,
    new Map(),
  );

  /**
   * The snapshot after an update. Tables the update does not name are shared by reference.
   * Live backends are updated in place by the caller (registry), since they outlive snapshots.
   */
  with(update: SnapshotUpdate, linker: Linker): LiveSnapshot {
    return new LiveSnapshot(
      update.version,
      patched(this.binds, update.binds, idOf),
      this.#services(update, linker),
      this.#tables(update, linker),
      patched(this.access, update.access, targetOf),
      this.guards,
      patched(this.credentials, update.credentials, idOf),
    );
  }

  #services(update: SnapshotUpdate, linker: Linker): ReadonlyMap<string, LiveService> {
    if (isNothing(update.services)) return this.services;
    const services = new Map(this.services);
    for (const id of update.services.dropped) services.delete(id);
    for (const plan of update.services.set) {
      services.set(plan.id, { plan, fallback: new LivePlan(plan.fallback, linker) });
    }
    return services;
  }

  #tables(update: SnapshotUpdate, linker: Linker): ReadonlyMap<string, RouteTable<LivePlan>> {
    if (update.tables.length + update.droppedTables.length === 0) return this.tables;
    const tables = new Map(this.tables);
    for (const id of update.droppedTables) tables.delete(id);
    for (const change of update.tables) {
      const table = tables.get(change.id) ?? RouteTable.empty<LivePlan>();
      tables.set(
        change.id,
        table.with(
          change.upserts.map((entry) => linkEntry(entry, linker)),
          change.removals,
        ),
      );
    }
    return tables;
  }
}

function patched<T>(
  map: ReadonlyMap<string, T>,
  changes: Changes<T>,
  keyOf: (value: T) => string,
): ReadonlyMap<string, T> {
  if (isNothing(changes)) return map;
  const next = new Map(map);
  for (const key of changes.dropped) next.delete(key);
  for (const value of changes.set) next.set(keyOf(value), value);
  return next;
}

function idOf({ id }: { readonly id: string }): string {
  return id;
}

function targetOf({ target }: AccessPlan): string {
  return target;
}
