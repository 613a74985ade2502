// A new endpoint gets its share of the requests little by little, so that caches fill and code warms up.

import type { Endpoint } from './endpoint.ts';
import type { SlowStartPlan } from './load-balancing.ts';

export class SlowStart {
  readonly windowMs: number;
  readonly #minWeight: number;
  readonly #exponent: number;

  constructor(plan: SlowStartPlan) {
    this.windowMs = plan.windowMs;
    this.#minWeight = plan.minWeightPercent / 100;
    this.#exponent = 1 / plan.aggression;
  }

  /** In [minWeight, 1]: max(minWeight, (t / window)^(1 / aggression)), 1 once the window is over. */
  weight(endpoint: Endpoint, now: number): number {
    const age = now - endpoint.addedAt;
    if (age >= this.windowMs) return 1;
    return Math.max(this.#minWeight, (Math.max(age, 0) / this.windowMs) ** this.#exponent);
  }
}
