// Which object counts under each name, when several places define it, and the immutable Resources made of those that do.
import { editMap } from '../routing/patched-map.ts';
import { NO_RESOURCES } from './changes.ts';
import type { KindName } from './kinds.ts';
import type { AnyResource, Resources } from './resources.ts';

/** An object that a file holds, in its last good version. */
export interface Held {
  readonly kind: KindName;
  /** `namespace/name`, or `name` for a cluster-scoped kind. */
  readonly key: string;
  readonly dated: boolean;
  resource: AnyResource;
  /** Its place in reading order, over all files. */
  order: number;
}

type Tables = { readonly [K in KindName]: Map<string, AnyResource> };

const nobody: readonly Held[] = [];

export class ObjectTable {
  /** By `Kind namespace/name`: one holder, or several of which only the first in reading order counts. */
  readonly #holders = new Map<string, Held | readonly Held[]>();
  readonly #contested = new Map<string, readonly Held[]>();
  readonly #tables = Object.fromEntries(Object.keys(NO_RESOURCES).map((kind) => [kind, new Map()])) as Tables;
  /** By kind, what changed since `resources` was asked for. */
  readonly #changed = new Map<KindName, Map<string, AnyResource | undefined>>();
  #resources: Resources = NO_RESOURCES;

  /** Maps of kinds and objects that did not change are the ones of before. */
  get resources(): Resources {
    if (this.#changed.size > 0) {
      const maps = [...this.#changed].map(([kind, edits]) => [
        kind,
        editMap<AnyResource>(this.#resources[kind], edits),
      ]);
      this.#resources = { ...this.#resources, ...Object.fromEntries(maps) };
      this.#changed.clear();
    }
    return this.#resources;
  }

  /** Names that more than one place defines, each with all its holders, the one that counts first. */
  get contested(): ReadonlyMap<string, readonly Held[]> {
    return this.#contested;
  }

  holds(title: string): boolean {
    return this.#holders.has(title);
  }

  /** Puts the objects a file holds now in place of those it held before. True when a resource changed. */
  exchange(before: ReadonlyMap<string, Held>, now: ReadonlyMap<string, Held>): boolean {
    let changed = false;
    for (const [title, held] of before) {
      if (!now.has(title)) changed = this.#replace(title, held, null) || changed;
    }
    for (const [title, held] of now) {
      if (this.#holders.get(title) === held && this.#tables[held.kind].get(held.key) === held.resource) continue;
      changed = this.#replace(title, before.get(title) ?? null, held) || changed;
    }
    return changed;
  }

  #replace(title: string, old: Held | null, held: Held | null): boolean {
    const all = this.#all(title).filter((each) => each !== old && each !== held);
    if (held !== null) all.push(held);
    const first = all.sort((a, b) => a.order - b.order)[0];
    if (all.length > 1) this.#contested.set(title, all);
    else this.#contested.delete(title);
    if (first === undefined) this.#holders.delete(title);
    else this.#holders.set(title, all.length > 1 ? all : first);
    return this.#settle(first ?? null, (held ?? old)!);
  }

  #all(title: string): readonly Held[] {
    const holders = this.#holders.get(title) ?? nobody;
    return 'kind' in holders ? [holders] : holders;
  }

  /** Makes the table of the kind say what the holder that counts says. */
  #settle(winner: Held | null, { kind, key }: Held): boolean {
    const table = this.#tables[kind];
    if (table.get(key) === winner?.resource) return false;
    if (winner === null) table.delete(key);
    else table.set(key, winner.resource);
    const edits = this.#changed.get(kind) ?? new Map<string, AnyResource | undefined>();
    this.#changed.set(kind, edits.set(key, winner?.resource));
    return true;
  }
}
