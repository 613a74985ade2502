// Which endpoint takes the next try.

import type { Endpoint } from './endpoint.ts';

/** In [0, 1), like Math.random. */
export type Random = () => number;

export interface Balancer {
  /** null only when there are none. `avoid` is chosen only where there is no other. */
  pick(endpoints: readonly Endpoint[], random: Random, avoid: Endpoint | null): Endpoint | null;
}

/**
 * Power of two choices: of two different endpoints drawn at random the one with fewer tries under way. Close to the
 * least loaded of all, without a scan and without the herd that follows when many proxies agree on one.
 */
export const leastRequest: Balancer = {
  pick(endpoints: readonly Endpoint[], random: Random, avoid: Endpoint | null): Endpoint | null {
    const skip = avoid === null || endpoints.length < 2 ? -1 : endpoints.indexOf(avoid);
    const count = skip === -1 ? endpoints.length : endpoints.length - 1;
    if (count === 0) return null;
    const first = Math.floor(random() * count);
    const one = endpointAt(endpoints, first, skip);
    if (count === 1) return one;
    let second = Math.floor(random() * (count - 1));
    if (second >= first) second += 1;
    const two = endpointAt(endpoints, second, skip);
    return two.inFlight < one.inFlight ? two : one;
  },
};

/** The endpoint at this place of the list without the one at `skip`. */
function endpointAt(endpoints: readonly Endpoint[], place: number, skip: number): Endpoint {
  return endpoints[skip !== -1 && place >= skip ? place + 1 : place]!;
}
