// A weighted choice: sums are made when the configuration arrives, one draw decides when a request does.

export interface Share<T> {
  /** >= 0; a share of 0 is never drawn. */
  readonly weight: number;
  readonly value: T;
}

export class Split<T> {
  private readonly values: T[] = [];
  /** `ends[i]` is the sum of the weights up to and with i. */
  private readonly ends: number[] = [];
  private readonly total: number;

  constructor(shares: readonly Share<T>[]) {
    let total = 0;
    for (const share of shares) {
      if (!(share.weight > 0)) continue;
      total += share.weight;
      this.values.push(share.value);
      this.ends.push(total);
    }
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
