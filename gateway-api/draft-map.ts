// An immutable Map under edit: another map at the first real change, the very same Map when nothing changed.

import { editMap } from '../routing/patched-map.ts';

export class DraftMap<V> {
  /** Keys that were written to. */
  readonly changed: Set<string> = new Set();
  readonly #base: ReadonlyMap<string, V>;
  readonly #edits = new Map<string, V | undefined>();
  /** null: an edit is not in it yet. */
  #current: ReadonlyMap<string, V> | null = null;

  constructor(base: ReadonlyMap<string, V>) {
    this.#base = base;
  }

  get current(): ReadonlyMap<string, V> {
    this.#current ??= editMap(this.#base, this.#edits);
    return this.#current;
  }

  get(key: string): V | undefined {
    return this.#edits.has(key) ? this.#edits.get(key) : this.#base.get(key);
  }

  /** `undefined` deletes. */
  put(key: string, value: V | undefined): void {
    if (this.get(key) === value) return;
    this.changed.add(key);
    this.#edits.set(key, value);
    this.#current = null;
  }
}
