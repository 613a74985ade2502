// The bytes of a head as one contiguous block: the chunk itself when it holds all of it, else a copy that grows.

/** What `toString('latin1')` calls in the end, without its checks. */
interface Latin1Buffer extends Buffer {
  latin1Slice(start: number, end: number): string;
}

const EMPTY: Buffer = Buffer.alloc(0);

/** The scanners keep offsets relative to `base`, so that they stay valid when the block moves from a chunk to the copy. */
export class HeadInput {
  bytes: Buffer = EMPTY;
  base = 0;
  end = 0;
  #held: Buffer | null = null;
  #heldLength = 0;
  /** Offset in the chunk last fed of the block's first byte; negative when that came earlier. */
  #from = 0;

  /** Takes in `chunk` from `from` on, at most so much of it that the block is `limit` bytes long. */
  feed(chunk: Buffer, from: number, limit: number): void {
    if (this.#held === null) {
      this.bytes = chunk;
      this.base = from;
      this.#from = from;
      this.end = Math.min(chunk.length, from + limit);
      return;
    }
    const before = this.#heldLength;
    const taken = Math.min(chunk.length - from, limit - before);
    this.#reserve(before + taken, limit);
    chunk.copy(this.#held, before, from, from + taken);
    this.#heldLength = before + taken;
    this.bytes = this.#held;
    this.base = 0;
    this.end = this.#heldLength;
    this.#from = from - before;
  }

  /** The head goes on in the next chunk: keeps a copy of what there is. */
  hold(): void {
    if (this.#held === null && this.end > this.base) {
      const length = this.end - this.base;
      const held = Buffer.allocUnsafeSlow(Math.max(1024, length * 2));
      this.bytes.copy(held, 0, this.base, this.end);
      this.#held = held;
      this.#heldLength = length;
    }
    this.bytes = EMPTY;
  }

  /** The offset in the chunk last fed of the block's byte at `at` (relative to `base`). */
  offset(at: number): number {
    return this.#from + at;
  }

  /** The first `length` bytes of the block. */
  text(length: number): string {
    return (this.bytes as Latin1Buffer).latin1Slice(this.base, this.base + length);
  }

  release(): void {
    this.bytes = EMPTY;
    this.#held = null;
    this.#heldLength = 0;
  }

  #reserve(length: number, limit: number): void {
    const held = this.#held!;
    if (length <= held.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.min(Math.max(length, held.length * 2), limit));
    held.copy(grown, 0, 0, this.#heldLength);
    this.#held = grown;
  }
}
