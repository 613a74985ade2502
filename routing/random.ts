// Random: every endpoint alike, new ones by their weight.

import type { Algorithm, PickContext } from './balancer.ts';
import type { Endpoint } from './endpoint.ts';
import type { Backend } from './registry.ts';
import type { SlowStart } from './slow-start.ts';

/** Draws refused in a row before one counts whatever its weight. */
const MAX_REFUSALS = 8;

export const random: Algorithm = {
  choose(
    endpoints: readonly Endpoint[],
    _backend: Backend,
    context: PickContext,
    slowStart: SlowStart | null,
  ): Endpoint {
    return draw(endpoints, context, slowStart);
  },
};

/** One draw: what is drawn stands with the probability of its weight, so that shares are as the weights are. */
export function draw(endpoints: readonly Endpoint[], context: PickContext, slowStart: SlowStart | null): Endpoint {
  const { random, now } = context;
  let endpoint = endpoints[Math.floor(random() * endpoints.length)]!;
  if (slowStart === null) return endpoint;
  for (let refused = 0; refused < MAX_REFUSALS; refused += 1) {
    const weight = slowStart.weight(endpoint, now);
    if (weight >= 1 || random() < weight) return endpoint;
    endpoint = endpoints[Math.floor(random() * endpoints.length)]!;
  }
  return endpoint;
}
