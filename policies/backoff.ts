// How long to wait before a try is repeated: uniformly random and growing, so that those who failed together do not return together.

/** In ms. */
export interface BackoffPlan {
  /** The random part is uniform in [0, (2^N − 1) × base) before the N-th retry. */
  readonly backoffBaseMs: number;
  /** Always waited in full (`retry.backoff` of an HTTPRoute, GEP-1731); the random part comes on top. */
  readonly backoffMinMs: number;
  /** Upper bound of the random part. */
  readonly maxBackoffMs: number;
}

export const BACKOFF_BASE_MS = 25;
export const MAX_BACKOFF_MS: number = 10 * BACKOFF_BASE_MS;

/** Before the `retry`-th retry (from 1), `random` in [0, 1). `plan` null: the safe default, which repeats at once. */
export function backoffMs(plan: BackoffPlan | null, retry: number, random: number): number {
  if (plan === null) return 0;
  const span = Math.min((2 ** retry - 1) * plan.backoffBaseMs, plan.maxBackoffMs);
  return plan.backoffMinMs + random * span;
}
