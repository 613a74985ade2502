// A map for the translation's own bookkeeping: of thousands of entries one edit copies a few dozen.

const SHARDS = 256;
const EMPTY: readonly ReadonlyMap<string, never>[] = new Array(SHARDS).fill(new Map<string, never>());

/** Immutable. */
export class ShardedMap<V> {
  readonly shards: readonly ReadonlyMap<string, V>[];

  constructor(shards: readonly ReadonlyMap<string, V>[] = EMPTY) {
    this.shards = shards;
  }

  get(key: string): V | undefined {
    return this.shards[shardOf(key)]!.get(key);
  }

  *[Symbol.iterator](): Iterator<readonly [string, V]> {
    for (const shard of this.shards) yield* shard;
  }
}

/** Edits of a map that leave it as it was. */
export class ShardedDraft<V> {
  /** Keys that were written to. */
  readonly changed: Set<string> = new Set();
  readonly #base: ShardedMap<V>;
  #shards: ReadonlyMap<string, V>[] | null = null;
  readonly #own = new Map<number, Map<string, V>>();

  constructor(base: ShardedMap<V>) {
    this.#base = base;
  }

  get current(): ShardedMap<V> {
    return this.#shards === null ? this.#base : new ShardedMap(this.#shards);
  }

  get(key: string): V | undefined {
    return (this.#shards ?? this.#base.shards)[shardOf(key)]!.get(key);
  }

  /** `undefined` deletes. */
  put(key: string, value: V | undefined): void {
    if (this.get(key) === value) return;
    this.changed.add(key);
    const shard = this.#ownShard(shardOf(key));
    if (value === undefined) shard.delete(key);
    else shard.set(key, value);
  }

  #ownShard(index: number): Map<string, V> {
    let shard = this.#own.get(index);
    if (shard === undefined) {
      this.#shards ??= [...this.#base.shards];
      shard = new Map(this.#shards[index]);
      this.#own.set(index, shard);
      this.#shards[index] = shard;
    }
    return shard;
  }
}

/** FNV-1a. */
function shardOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 16)) & (SHARDS - 1);
}
