// Smooth weighted round robin over live endpoints: whoever would be done first with one more request is next (fair queueing).

import type { Algorithm, PickContext } from './balancer.ts';
import type { Endpoint } from './endpoint.ts';
import type { Backend } from './registry.ts';
import type { SlowStart } from './slow-start.ts';

/** `Endpoint.turn` of one that had none yet. */
const NEVER = Number.NEGATIVE_INFINITY;

/**
 * A request costs an endpoint (in-flight + 1)^bias / weight; what each has spent stands on the endpoint, the time of the
 * backend is what its latest choice has spent with it. Any subset of the endpoints may take part in any choice.
 */
export class WeightedTurns implements Algorithm {
  readonly #bias: number;

  /** 0: tries under way do not matter. */
  constructor(bias: number) {
    this.#bias = bias;
  }

  choose(
    endpoints: readonly Endpoint[],
    backend: Backend,
    context: PickContext,
    slowStart: SlowStart | null,
  ): Endpoint {
    const { turn } = backend;
    let next = endpoints[0]!;
    let earliest = Number.POSITIVE_INFINITY;
    for (let at = 0; at < endpoints.length; at += 1) {
      const endpoint = endpoints[at]!;
      const cost = this.#cost(endpoint, context.now, slowStart);
      // Replicas that start together must not begin with the same endpoint, hence chance at its first appearance.
      if (endpoint.turn === NEVER) endpoint.turn = turn - context.random() * cost;
      // One that was away is due, once: it has no turns to catch up on.
      const end = Math.max(endpoint.turn + cost, turn);
      if (end < earliest) {
        earliest = end;
        next = endpoint;
      }
    }
    backend.turn = earliest;
    next.turn = earliest;
    return next;
  }

  #cost(endpoint: Endpoint, now: number, slowStart: SlowStart | null): number {
    const load = this.#bias === 0 ? 1 : (endpoint.inFlight + 1) ** this.#bias;
    // A weight of 0 (a window that begins with nothing) is a long wait, not an endless one.
    return slowStart === null ? load : load / Math.max(slowStart.weight(endpoint, now), 0.001);
  }
}
