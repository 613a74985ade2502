// What outlier detection in mode Shadow would have ejected: judged on counts of its own, told, and never in force.

import { type Ejection, type OutlierEndpoint, type OutlierPlan, observe } from '../../policies/outlier.ts';
import type { Endpoint } from '../../routing/endpoint.ts';
import type { Outcome } from '../../routing/outcome.ts';

interface Judged extends OutlierEndpoint {
  readonly endpoint: Endpoint;
}

export class ShadowEjections {
  plan: OutlierPlan;
  /** Would-be ejections since they were last taken. */
  #found: Ejection[] = [];
  #judged: readonly Judged[] = [];

  constructor(plan: OutlierPlan) {
    this.plan = plan;
  }

  succeeded(endpoint: Endpoint, outcome: Outcome): void {
    if (outcome === 'client-gone') return;
    const judged = this.#judged.find((one) => one.endpoint === endpoint);
    if (judged === undefined) return;
    judged.consecutive5xx = 0;
    judged.consecutiveLocal = 0;
  }

  failed(endpoints: readonly Endpoint[], endpoint: Endpoint, outcome: Outcome, now: number): void {
    this.#follow(endpoints);
    const judged = this.#judged.find((one) => one.endpoint === endpoint);
    if (judged === undefined) return;
    if (outcome === '5xx') {
      judged.consecutive5xx++;
      judged.consecutiveLocal = 0;
    } else {
      judged.consecutiveLocal++;
    }
    const ejection = observe(this.plan, this.#judged, judged, now);
    if (ejection !== null) this.#found.push(ejection);
  }

  take(): readonly Ejection[] {
    if (this.#found.length === 0) return this.#found;
    const found = this.#found;
    this.#found = [];
    return found;
  }

  #follow(endpoints: readonly Endpoint[]): void {
    const known = this.#judged;
    if (known.length === endpoints.length && endpoints.every((one, at) => known[at]?.endpoint === one)) return;
    this.#judged = endpoints.map(
      (endpoint) =>
        known.find((one) => one.endpoint === endpoint) ?? {
          endpoint,
          id: endpoint.id,
          ejectedUntil: 0,
          ejections: 0,
          consecutive5xx: 0,
          consecutiveLocal: 0,
          windowRequests: 0,
          windowFailures: 0,
        },
    );
  }
}
