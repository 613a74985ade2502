// PeakEWMA: of two endpoints drawn at random, the one that promises the shorter wait.

import type { Algorithm, PickContext } from './balancer.ts';
import type { Endpoint } from './endpoint.ts';
import { draw } from './random.ts';
import type { Backend } from './registry.ts';
import type { SlowStart } from './slow-start.ts';

/** What an endpoint nobody has heard of is taken to need. */
export const START_MS = 30;
/** A failure that comes fast must not look like speed: it counts as an answer that took this long. */
export const PENALTY_MS = 1_000;
const DECAY_MS = 10_000;
/** Faster than this is noise; and an average faded to nothing would make tries under way count for nothing. */
const FLOOR_MS = 0.1;

/** Draws with replacement: the costlier of two keeps a small share even where there are no others, and its recovery is seen. */
export const peakEwma: Algorithm = {
  choose(
    endpoints: readonly Endpoint[],
    _backend: Backend,
    context: PickContext,
    slowStart: SlowStart | null,
  ): Endpoint {
    const one = draw(endpoints, context, slowStart);
    const two = draw(endpoints, context, slowStart);
    return one !== two && costOf(two, context.now) < costOf(one, context.now) ? two : one;
  },
};

/** In ms: the wait a new request must expect. Without answers the average fades, so that what was slow is tried again. */
export function costOf(endpoint: Endpoint, now: number): number {
  const faded = endpoint.ewmaMs * Math.exp((endpoint.ewmaAt - now) / DECAY_MS);
  return Math.max(faded, FLOOR_MS) * (endpoint.inFlight + 1);
}

/** A slower answer counts whole and at once (peak-sensitive), a faster one by the time that passed since the last. */
export function observeRtt(endpoint: Endpoint, rttMs: number, now: number): void {
  const { ewmaMs, ewmaAt } = endpoint;
  // Ends may be told out of order; the average never goes back in time.
  const kept = now > ewmaAt ? Math.exp((ewmaAt - now) / DECAY_MS) : 1;
  endpoint.ewmaMs = rttMs > ewmaMs ? rttMs : ewmaMs * kept + rttMs * (1 - kept);
  if (now > ewmaAt) endpoint.ewmaAt = now;
}
