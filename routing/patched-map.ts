// An immutable map that shares nearly all of itself with the one it was edited from: an edit costs what it changes.

/** Up to so many keys a plain copy is cheaper; beyond so many patched keys the map is copied after all. */
const FEW = 64;

/** Keys with their new values; `undefined` deletes. */
export type MapEdits<V> = ReadonlyMap<string, V | undefined>;

class PatchedMap<V> implements ReadonlyMap<string, V> {
  readonly size: number;
  readonly base: ReadonlyMap<string, V>;
  readonly patch: MapEdits<V>;

  constructor(base: ReadonlyMap<string, V>, patch: MapEdits<V>) {
    this.base = base;
    this.patch = patch;
    let { size } = base;
    for (const [key, value] of patch) size += Number(value !== undefined) - Number(base.has(key));
    this.size = size;
  }

  get(key: string): V | undefined {
    const value = this.patch.get(key);
    return value !== undefined || this.patch.has(key) ? value : this.base.get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  *entries(): MapIterator<[string, V]> {
    const { base, patch } = this;
    for (const entry of base) {
      const [key] = entry;
      const value = patch.get(key);
      if (value !== undefined) yield [key, value];
      else if (!patch.has(key)) yield entry;
    }
    for (const [key, value] of patch) if (value !== undefined && !base.has(key)) yield [key, value];
  }

  *keys(): MapIterator<string> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): MapIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries();
  }

  /** As a plain object: what `JSON.stringify` shows. */
  toJSON(): Record<string, V> {
    return Object.fromEntries(this.entries());
  }

  forEach(each: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this.entries()) each(value, key, this);
  }
}

/** The map with the edits, itself without any. No value is `undefined`. */
export function editMap<V>(map: ReadonlyMap<string, V>, edits: MapEdits<V>): ReadonlyMap<string, V> {
  if (edits.size === 0) return map;
  const [base, before] = map instanceof PatchedMap ? [map.base, map.patch] : [map, null];
  if (base.size <= FEW || edits.size > FEW) return copy(map, edits);
  const patch = new Map<string, V | undefined>(before);
  for (const [key, value] of edits) patch.set(key, value);
  return patch.size > FEW ? copy(base, patch) : new PatchedMap(base, patch);
}

function copy<V>(map: ReadonlyMap<string, V>, edits: MapEdits<V>): Map<string, V> {
  const edited = new Map(map);
  for (const [key, value] of edits) {
    if (value === undefined) edited.delete(key);
    else edited.set(key, value);
  }
  return edited;
}

/** Keys that were added, removed or have another value, by reference. Cheap where one map was edited from the other. */
export function changedKeys(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): Set<string> {
  const changed = new Set<string>();
  if (before === after) return changed;
  if (baseOf(before) === baseOf(after)) {
    for (const map of [before, after]) {
      if (!(map instanceof PatchedMap)) continue;
      for (const key of map.patch.keys()) if (before.get(key) !== after.get(key)) changed.add(key);
    }
    return changed;
  }
  let kept = 0;
  for (const [key, value] of after) {
    const old = before.get(key);
    if (old !== undefined) kept++;
    if (old !== value) changed.add(key);
  }
  if (kept < before.size) for (const key of before.keys()) if (!after.has(key)) changed.add(key);
  return changed;
}

function baseOf(map: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown> {
  return map instanceof PatchedMap ? map.base : map;
}
