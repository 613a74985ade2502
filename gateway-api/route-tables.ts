// The tables of all listeners and Service ports, edited instead of being rebuilt when routes come, change and go.

import type { RoutePlanEntry, TablePlan } from '../policies/plan.ts';
import { DraftMap } from './draft-map.ts';
import { ShardedDraft, type ShardedMap } from './sharded-map.ts';
import type { RouteState, TableEntry } from './translate-route.ts';

/** What the merged routes amount to. */
export interface RouteTables {
  readonly tables: ReadonlyMap<string, TablePlan>;
  /** Attached routes by listener id; a listener without any is absent. */
  readonly attached: ReadonlyMap<string, number>;
  /** How many routes lead to a backend, by backend id. */
  readonly uses: ShardedMap<number>;
}

export interface RouteTablesChange extends RouteTables {
  readonly changedTables: ReadonlySet<string>;
  readonly changedListeners: ReadonlySet<string>;
  readonly changedUses: ReadonlySet<string>;
}

type Entries = ReadonlyMap<string, RoutePlanEntry>;

const NO_ENTRIES: Entries = new Map();
const NONE: readonly never[] = [];

export class RouteTablesDraft {
  readonly #tables: DraftMap<TablePlan>;
  readonly #entries = new Map<string, DraftMap<RoutePlanEntry>>();
  readonly #attached: DraftMap<number>;
  readonly #uses: ShardedDraft<number>;

  constructor(base: RouteTables) {
    this.#tables = new DraftMap(base.tables);
    this.#attached = new DraftMap(base.attached);
    this.#uses = new ShardedDraft(base.uses);
  }

  replace(before: RouteState | undefined, after: RouteState | undefined): void {
    const old = before?.entries ?? NONE;
    const fresh = after?.entries ?? NONE;
    if (old !== fresh) this.#replaceEntries(old, fresh);
    const unused = before?.backends ?? NONE;
    const used = after?.backends ?? NONE;
    if (unused === used) return;
    for (const id of used) count(this.#uses, id, 1);
    for (const id of unused) count(this.#uses, id, -1);
  }

  #replaceEntries(old: readonly TableEntry[], fresh: readonly TableEntry[]): void {
    for (const { listener } of fresh) if (listener !== null) count(this.#attached, listener, 1);
    for (const { listener } of old) if (listener !== null) count(this.#attached, listener, -1);
    for (const { table, entry } of fresh) this.#draft(table).put(entry.key, entry);
    for (const { table, entry } of old) {
      if (!fresh.some((place) => place.table === table)) this.#draft(table).put(entry.key, undefined);
    }
  }

  #draft(table: string): DraftMap<RoutePlanEntry> {
    let draft = this.#entries.get(table);
    if (draft === undefined) {
      draft = new DraftMap(this.#tables.get(table)?.entries ?? NO_ENTRIES);
      this.#entries.set(table, draft);
    }
    return draft;
  }

  /**
   * A listener that is served has a table even while no route is attached; one that is not, and a Service port, only
   * while one is. `served`: tables of listeners; `before`: those they were, null when they are the same.
   */
  finish(served: ReadonlySet<string>, before: ReadonlySet<string> | null): RouteTablesChange {
    const tables = this.#tables;
    const put = (id: string, entries: Entries): void => {
      if (entries.size === 0 && !served.has(id)) tables.put(id, undefined);
      else if (tables.get(id)?.entries !== entries) tables.put(id, { id, entries });
    };
    for (const [id, draft] of this.#entries) put(id, draft.current);
    if (before !== null) for (const id of before.union(served)) put(id, tables.get(id)?.entries ?? NO_ENTRIES);
    return {
      tables: tables.current,
      attached: this.#attached.current,
      uses: this.#uses.current,
      changedTables: tables.changed,
      changedListeners: this.#attached.changed,
      changedUses: this.#uses.changed,
    };
  }
}

interface Counts {
  get(key: string): number | undefined;
  put(key: string, value: number | undefined): void;
}

function count(counts: Counts, key: string, by: 1 | -1): void {
  const total = (counts.get(key) ?? 0) + by;
  counts.put(key, total === 0 ? undefined : total);
}
