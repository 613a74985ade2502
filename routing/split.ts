// A weighted choice: sums are made when the configuration arrives, one draw decides when a request does.

export interface Share<T> {
  /** >= 0; a share of 0 is never drawn. */
  readonly weight: number;
  readonly value: T;
}

export class Split<T> {
  private readonly values: readonly T[];
  /** `ends[i]` is the sum of the weights up to and with i. */
  private readonly ends: readonly number[];
  private readonly total: number;

  constructor(shares: readonly Share<T>[]) {
    const drawn = shares.filter(({ weight }) => weight > 0);
    let total = 0;
    // Mapped, not pushed: a list that grows has room for 17, and there is one for each rule.
    this.values = drawn.map(({ value }) => value);
    this.ends = drawn.map(({ weight }) => (total += weight));
    this.total = total;
  }

  /** `random` in [0, 1). null when no share has any weight. */
  pick(random: number): T | null {
    const last = this.values.length - 1;
    if (last < 0) return null;
    const point = random * this.total;
    for (let at = 0; at < last; at += 1) {
      if (point < this.ends[at]!) return this.values[at]!;
    }
    return this.values[last]!;
  }
}
