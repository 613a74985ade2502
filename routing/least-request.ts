// LeastRequest: of two different endpoints drawn at random the one with fewer tries under way.

import type { Algorithm, PickContext } from './balancer.ts';
import type { Endpoint } from './endpoint.ts';
import type { Backend } from './registry.ts';
import type { SlowStart } from './slow-start.ts';
import { WeightedTurns } from './weighted-turns.ts';

/** While weights differ: weight / (in-flight + 1)^1. Two draws cannot honour weights. */
const byWeight = new WeightedTurns(1);

/** Close to the least loaded of all, without a scan and without the herd that follows when many proxies agree on one. */
export const leastRequest: Algorithm = {
  choose(
    endpoints: readonly Endpoint[],
    backend: Backend,
    context: PickContext,
    slowStart: SlowStart | null,
  ): Endpoint {
    if (slowStart !== null) return byWeight.choose(endpoints, backend, context, slowStart);
    const count = endpoints.length;
    const first = Math.floor(context.random() * count);
    let second = Math.floor(context.random() * (count - 1));
    if (second >= first) second += 1;
    const one = endpoints[first]!;
    const two = endpoints[second]!;
    return two.inFlight < one.inFlight ? two : one;
  },
};
