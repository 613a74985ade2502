// The last head of a connection, byte for byte: clients and services repeat themselves, and the same bytes need no second parse.

/** A connection whose heads keep changing stops looking: it would pay for the comparison and never win. */
const MAX_MISSES = 16;

export class HeadMemo {
  #bytes: Buffer | null = null;
  #length = 0;
  #misses = 0;

  /** Length of the remembered head when `chunk` goes on with exactly it at `from`; else 0. */
  match(chunk: Buffer, from: number): number {
    const length = this.#length;
    if (length === 0) return 0;
    if (chunk.length - from >= length && chunk.compare(this.#bytes!, 0, length, from, from + length) === 0) {
      this.#misses = 0;
      return length;
    }
    this.#length = 0;
    this.#misses++;
    return 0;
  }

  /** Remembers the head that was just parsed from these bytes. */
  keep(chunk: Buffer, from: number, end: number): void {
    if (this.#misses >= MAX_MISSES) return;
    const length = end - from;
    if (this.#bytes === null || this.#bytes.length < length) this.#bytes = Buffer.allocUnsafeSlow(length + 64);
    chunk.copy(this.#bytes, 0, from, end);
    this.#length = length;
  }

  /** What was made of the head has changed since: the next one is parsed. */
  forget(): void {
    this.#length = 0;
  }
}
