// How many retries a Service may get: a share of its requests and a floor, so that retries never multiply an outage (GEP-3388).

import { formatDuration } from './duration.ts';
import type { DecodeReport } from './policy.ts';
import { COUNT, PERCENT, SettingsReader } from './settings-reader.ts';

export interface RetryBudgetPlan {
  /** Retries per 100 requests of the last `intervalMs`. */
  readonly percent: number;
  readonly intervalMs: number;
  /** Allowed on top of the share, per `minIntervalMs`. */
  readonly minCount: number;
  readonly minIntervalMs: number;
}

export const DEFAULT_RETRY_BUDGET: RetryBudgetPlan = {
  percent: 20,
  intervalMs: 10_000,
  minCount: 10,
  minIntervalMs: 1_000,
};

/** What is left of a budget. */
export interface RetryBudgetReport {
  /** Of the last `intervalMs`. */
  readonly requests: number;
  /** Of the same time, without those that the floor paid. */
  readonly retries: number;
  /** Retries that could be paid for now: from the share, and from the floor. */
  readonly left: number;
}

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const BUCKETS = 10;

/** `retryConstraint` of an XBackendTrafficPolicy; null after a report. */
export function decodeRetryBudget(raw: unknown, path: string, report: DecodeReport): RetryBudgetPlan | null {
  const settings = new SettingsReader(raw, path, report, ['budget', 'minRetryRate']);
  const share = new SettingsReader(settings.value('budget') ?? {}, settings.at('budget'), report, [
    'percent',
    'interval',
  ]);
  const floor = new SettingsReader(settings.value('minRetryRate') ?? {}, settings.at('minRetryRate'), report, [
    'count',
    'interval',
  ]);
  const plan: RetryBudgetPlan = {
    percent: share.number('percent', PERCENT, DEFAULT_RETRY_BUDGET.percent),
    intervalMs: bounded(share, SECOND_MS, DEFAULT_RETRY_BUDGET.intervalMs),
    minCount: floor.integer('count', COUNT, DEFAULT_RETRY_BUDGET.minCount),
    minIntervalMs: bounded(floor, 1, DEFAULT_RETRY_BUDGET.minIntervalMs),
  };
  return settings.sound && share.sound && floor.sound ? plan : null;
}

export function describeRetryBudget(plan: RetryBudgetPlan): string {
  const floor = `${plan.minCount} per ${formatDuration(plan.minIntervalMs)}`;
  return `retry budget: ${plan.percent} % of the requests of ${formatDuration(plan.intervalMs)}, plus ${floor}`;
}

/**
 * The requests and retries of one backend. A retry is paid from the share or, when that is used up, from the floor; the
 * two are counted apart, so that over any time both bounds hold together. `now` is monotonic, in ms.
 */
export class RetryBudget {
  #plan: RetryBudgetPlan;
  #bucketMs: number;
  readonly #requests = new Float64Array(BUCKETS);
  readonly #retries = new Float64Array(BUCKETS);
  /** Sums of the two. */
  #requested = 0;
  #retried = 0;
  /** Number of the running bucket since time 0, and when it ends. */
  #bucket = Number.NEGATIVE_INFINITY;
  #bucketEnd = Number.NEGATIVE_INFINITY;
  #floorUsed = 0;
  #floorEnd = Number.NEGATIVE_INFINITY;

  constructor(plan: RetryBudgetPlan) {
    this.#plan = plan;
    this.#bucketMs = plan.intervalMs / BUCKETS;
  }

  /** Goes on under another plan; what was counted is kept unless the interval changed. */
  update(plan: RetryBudgetPlan): void {
    if (plan.intervalMs !== this.#plan.intervalMs) {
      this.#bucketMs = plan.intervalMs / BUCKETS;
      this.#bucket = Number.NEGATIVE_INFINITY;
      this.#bucketEnd = Number.NEGATIVE_INFINITY;
    }
    if (plan.minIntervalMs !== this.#plan.minIntervalMs) this.#floorEnd = Number.NEGATIVE_INFINITY;
    this.#plan = plan;
  }

  /** A request (not a retry) is on its way. */
  request(now: number): void {
    if (now >= this.#bucketEnd) this.#advance(now);
    this.#requests[this.#bucket % BUCKETS]! += 1;
    this.#requested += 1;
  }

  /** Whether a retry could be paid for now. */
  left(now: number): boolean {
    if (now >= this.#bucketEnd) this.#advance(now);
    return this.#withinShare() || this.#withinFloor(now);
  }

  /** A retry takes place, allowed by the budget or not. */
  take(now: number): void {
    if (now >= this.#bucketEnd) this.#advance(now);
    if (!this.#withinShare() && this.#withinFloor(now)) {
      this.#floorUsed += 1;
      return;
    }
    this.#retries[this.#bucket % BUCKETS]! += 1;
    this.#retried += 1;
  }

  tryRetry(now: number): boolean {
    if (!this.left(now)) return false;
    this.take(now);
    return true;
  }

  report(now: number): RetryBudgetReport {
    if (now >= this.#bucketEnd) this.#advance(now);
    const { percent, minCount } = this.#plan;
    const share = Math.max(0, Math.floor((this.#requested * percent) / 100) - this.#retried);
    const floor = this.#withinFloor(now) ? minCount - this.#floorUsed : 0;
    return { requests: this.#requested, retries: this.#retried, left: share + floor };
  }

  #withinShare(): boolean {
    return (this.#retried + 1) * 100 <= this.#requested * this.#plan.percent;
  }

  #withinFloor(now: number): boolean {
    if (now >= this.#floorEnd) {
      const { minIntervalMs } = this.#plan;
      this.#floorEnd = (Math.floor(now / minIntervalMs) + 1) * minIntervalMs;
      this.#floorUsed = 0;
    }
    return this.#floorUsed < this.#plan.minCount;
  }

  /** Begins the bucket of `now` and forgets those that left the window. */
  #advance(now: number): void {
    const bucket = Math.floor(now / this.#bucketMs);
    if (bucket - this.#bucket >= BUCKETS) {
      this.#requests.fill(0);
      this.#retries.fill(0);
      this.#requested = 0;
      this.#retried = 0;
    } else {
      for (let gone = this.#bucket + 1; gone <= bucket; gone += 1) {
        const place = gone % BUCKETS;
        this.#requested -= this.#requests[place]!;
        this.#retried -= this.#retries[place]!;
        this.#requests[place] = 0;
        this.#retries[place] = 0;
      }
    }
    this.#bucket = bucket;
    this.#bucketEnd = (bucket + 1) * this.#bucketMs;
  }
}

function bounded(settings: SettingsReader, min: number, fallback: number): number {
  const ms = settings.duration('interval', fallback);
  if (ms < min || ms > HOUR_MS) settings.refuse('interval', `must be from ${formatDuration(min)} to 1h`);
  return ms;
}
