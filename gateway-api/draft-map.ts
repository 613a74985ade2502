// An immutable Map under edit: copied at the first real change, the very same Map when nothing changed.

export class DraftMap<V> {
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

  set(key: string, value: V): void {
    if (this.current.get(key) === value) return;
    this.#copy ??= new Map(this.#base);
    this.#copy.set(key, value);
  }

  delete(key: string): void {
    if (!this.current.has(key)) return;
    this.#copy ??= new Map(this.#base);
    this.#copy.delete(key);
  }

  /** `undefined` deletes. */
  put(key: string, value: V | undefined): void {
    if (value === undefined) this.delete(key);
    else this.set(key, value);
  }
}
