// Which endpoint takes the next try: the configured algorithm over the endpoints that zone and earlier tries leave.

import { consistentHash } from './consistent-hash.ts';
import type { Endpoint } from './endpoint.ts';
import { mix } from './hash-key.ts';
import { leastRequest } from './least-request.ts';
import type { LoadBalancingPlan } from './load-balancing.ts';
import { peakEwma } from './peak-ewma.ts';
import { random } from './random.ts';
import type { Backend } from './registry.ts';
import { roundRobin } from './round-robin.ts';
import { SlowStart } from './slow-start.ts';

export interface PickContext {
  /** Monotonic ms. */
  readonly now: number;
  /** Chance, in [0, 1). */
  readonly random: () => number;
  /** Endpoint of the previous try, null on the first: chosen again only where there is no other. */
  readonly avoid: Endpoint | null;
  /** Endpoints of the tries before that one. */
  readonly tried?: readonly Endpoint[];
  /** The zone this process runs in; null: unknown. */
  readonly zone: string | null;
  /** `hashKey` of what ConsistentHash looks at; 0: the request has none. */
  readonly hash: number;
}

export interface Balancer {
  /** null: no endpoint takes requests, or none in the zone that must not be left. */
  pick(backend: Backend, context: PickContext): Endpoint | null;
}

/** The choice among endpoints of which there are at least two. `slowStart` is null unless one of them is still new. */
export interface Algorithm {
  choose(endpoints: readonly Endpoint[], backend: Backend, context: PickContext, slowStart: SlowStart | null): Endpoint;
}

const ALGORITHMS: Readonly<Record<LoadBalancingPlan['algorithm'], Algorithm>> = {
  PeakEWMA: peakEwma,
  LeastRequest: leastRequest,
  RoundRobin: roundRobin,
  Random: random,
  ConsistentHash: consistentHash,
};

const DEFAULT: LoadBalancingPlan = { algorithm: 'PeakEWMA', consistentHash: null, slowStart: null, locality: 'Any' };

const known = new Map<string, Balancer>();

/** Stateless, one for all equal plans: what a choice remembers lives on the backend and its endpoints. */
export function balancerFor(plan: LoadBalancingPlan | null): Balancer {
  const { algorithm, locality, slowStart } = plan ?? DEFAULT;
  const key = JSON.stringify([
    algorithm,
    locality,
    slowStart && [slowStart.windowMs, slowStart.minWeightPercent, slowStart.aggression],
  ]);
  let balancer = known.get(key);
  if (balancer === undefined) {
    // Rules come and go with the configuration; distinct settings are few, but nothing else bounds them.
    if (known.size >= 1024) known.clear();
    balancer = new PlannedBalancer(algorithm, locality, slowStart && new SlowStart(slowStart));
    known.set(key, balancer);
  }
  return balancer;
}

class PlannedBalancer implements Balancer {
  readonly #algorithm: Algorithm;
  readonly #locality: LoadBalancingPlan['locality'];
  readonly #slowStart: SlowStart | null;

  constructor(
    algorithm: LoadBalancingPlan['algorithm'],
    locality: LoadBalancingPlan['locality'],
    slowStart: SlowStart | null,
  ) {
    this.#algorithm = ALGORITHMS[algorithm];
    this.#locality = locality;
    this.#slowStart = slowStart;
  }

  pick(backend: Backend, context: PickContext): Endpoint | null {
    let endpoints = this.#locality === 'Any' ? backend.candidates(context.now) : this.#inReach(backend, context);
    if (context.avoid !== null && endpoints.length > 1) endpoints = untried(endpoints, context, context.avoid);
    if (endpoints.length < 2) return endpoints[0] ?? null;
    const slowStart = this.#slowStart;
    const cold = slowStart !== null && context.now - backend.newestAt < slowStart.windowMs;
    return this.#algorithm.choose(endpoints, backend, context, cold ? slowStart : null);
  }

  #inReach(backend: Backend, context: PickContext): readonly Endpoint[] {
    const view = backend.zoneView(context.zone, context.now);
    if (this.#locality === 'Strict') return view.local;
    // A retry looks for another zone: the own one may be what fails.
    if (context.avoid !== null || view.local.length === 0) return backend.candidates(context.now);
    if (view.share >= 1 || view.remote.length === 0) return view.local;
    // Equal keys stay together on either side of the zone's border.
    const chance =
      this.#algorithm === consistentHash && context.hash !== 0 ? mix(context.hash) / 2 ** 32 : context.random();
    return chance < view.share ? view.local : view.remote;
  }
}

/** Not tried before and in another zone, as far as there are such endpoints. */
function untried(endpoints: readonly Endpoint[], context: PickContext, avoid: Endpoint): readonly Endpoint[] {
  const others = endpoints.filter((endpoint) => endpoint !== avoid);
  const { tried } = context;
  const fresh = tried === undefined ? others : others.filter((endpoint) => !tried.includes(endpoint));
  const left = fresh.length > 0 ? fresh : others;
  const elsewhere = avoid.zone === null ? left : left.filter(({ zone }) => zone !== null && zone !== avoid.zone);
  if (elsewhere.length > 0) return elsewhere;
  return left.length > 0 ? left : endpoints;
}
