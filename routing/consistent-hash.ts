// ConsistentHash: rendezvous hashing (highest random weight) with bounded load.

import type { Algorithm, PickContext } from './balancer.ts';
import type { Endpoint } from './endpoint.ts';
import { mix } from './hash-key.ts';
import type { Backend } from './registry.ts';

/** No endpoint is given more than this times the average of what is under way. */
const BALANCE = 1.25;
/** Under way at one endpoint this is no crowd: a few parallel requests with one key stay together though all else is idle. */
const FREE_LOAD = 8;

/**
 * Each key ranks the endpoints in an order of its own; the first with room takes the request. Whoever joins or leaves
 * moves only the keys it ranks first for. Scores come from `address:port` alone, so that replicas and restarts agree.
 * Slow start does not apply: a weight that changes would move keys all the time.
 */
export const consistentHash: Algorithm = {
  choose(endpoints: readonly Endpoint[], _backend: Backend, context: PickContext): Endpoint {
    const key = context.hash === 0 ? Math.floor(context.random() * 2 ** 32) : context.hash;
    let total = 0;
    for (let at = 0; at < endpoints.length; at += 1) total += endpoints[at]!.inFlight;
    const room = Math.max(Math.ceil((BALANCE * (total + 1)) / endpoints.length), FREE_LOAD);
    let first: Endpoint | null = null;
    let highest = -1;
    for (let at = 0; at < endpoints.length; at += 1) {
      const endpoint = endpoints[at]!;
      if (endpoint.inFlight >= room) continue;
      const score = mix(endpoint.hash ^ key);
      if (score > highest || (score === highest && endpoint.id < first!.id)) {
        highest = score;
        first = endpoint;
      }
    }
    // Not all can have more than the average, so one was found.
    return first!;
  },
};
