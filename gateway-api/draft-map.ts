// An immutable Map under edit: copied at the first real change, the very same Map when nothing changed.

export class DraftMap<V> {
  /** Keys that were written to. */
  readonly changed: Set<string> = new Set();
  readonly #base: ReadonlyMap<string, V>;
  #copy: Map<string, V> | null = null;

  constructor(base: ReadonlyMap<string, V>) {
    this.#base = base;
  }

  get current(): ReadonlyMap<string, V> {
    return this.#copy ?? this.#base;
  }

  get(key: string): V | undefined {
    return this.current.get(key);
  }

  /** `undefined` deletes. */
  put(key: string, value: V | undefined): void {
    if (this.get(key) === value) return;
    this.changed.add(key);
    this.#copy ??= new Map(this.#base);
    if (value === undefined) this.#copy.delete(key);
    else this.#copy.set(key, value);
  }
}
