// One run of a workload over a pool of pods: real backend, balancer and outlier detection; simulated time, chance and pods.

import { DEFAULT_OUTLIER, observe, sweep } from '../../policies/outlier.ts';
import { balancerFor } from '../../routing/balancer.ts';
import type { Endpoint } from '../../routing/endpoint.ts';
import type { LoadBalancingPlan } from '../../routing/load-balancing.ts';
import type { Backend } from '../../routing/registry.ts';
import { seeded } from '../harness/chance.ts';
import { backendOfSize, pickContext } from '../harness/endpoints.ts';
import { EventQueue } from './event-queue.ts';
import { type Answer, Pod, type PodKind } from './pod.ts';

export interface Scenario {
  readonly pods: readonly PodKind[];
  readonly algorithm: LoadBalancingPlan['algorithm'];
  readonly ejection: 'on' | 'off';
  /** Arrivals are independent of each other and of the answers (a Poisson process). */
  readonly requestsPerSecond: number;
  readonly seconds: number;
  readonly seed: number;
}

export interface Result {
  readonly requests: number;
  /** Of the answers that were none of the failures. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of all requests; nothing is retried. */
  readonly errorShare: number;
  /** Of all requests, that each kind of pod was given. */
  readonly shares: ReadonlyMap<string, number>;
}

interface Pending extends Answer {
  readonly endpoint: Endpoint;
  readonly begunAt: number;
}

export function simulate(scenario: Scenario): Result {
  const { pods, requestsPerSecond, seconds } = scenario;
  const random = seeded(scenario.seed);
  const backend = backendOfSize(pods.length);
  const { algorithm } = scenario;
  backend.balancer = balancerFor({ algorithm, consistentHash: null, slowStart: null, locality: 'Any' });
  const podOf = new Map(backend.endpoints.map((endpoint, at) => [endpoint, new Pod(pods[at]!)]));
  const pending = new EventQueue<Pending>();
  const times: number[] = [];
  let requests = 0;
  let sweepAt = DEFAULT_OUTLIER.intervalMs;
  let now = 0;
  for (;;) {
    now -= (1_000 / requestsPerSecond) * Math.log(1 - random());
    if (now >= seconds * 1_000) break;
    while (pending.next <= now) settle(backend, pending.take(), scenario.ejection, times);
    if (scenario.ejection === 'on' && now >= sweepAt) {
      sweep(DEFAULT_OUTLIER, backend.endpoints, now);
      backend.changed();
      sweepAt += DEFAULT_OUTLIER.intervalMs;
    }
    const endpoint = backend.pick(pickContext({ now, random }))!;
    endpoint.begin();
    requests += 1;
    pending.add({ ...podOf.get(endpoint)!.take(now, random), endpoint, begunAt: now });
  }
  while (pending.next < Number.POSITIVE_INFINITY) settle(backend, pending.take(), scenario.ejection, times);
  return summary(podOf, times, requests);
}

function settle(backend: Backend, answer: Pending, ejection: Scenario['ejection'], times: number[]): void {
  const { endpoint, at, outcome, begunAt } = answer;
  endpoint.end(at, outcome, at - begunAt);
  if (outcome === 'ok') times.push(at - begunAt);
  else if (ejection === 'on' && observe(DEFAULT_OUTLIER, backend.endpoints, endpoint, at) !== null) backend.changed();
}

function summary(podOf: ReadonlyMap<Endpoint, Pod>, times: number[], requests: number): Result {
  times.sort((a, b) => a - b);
  const shares = new Map<string, number>();
  for (const [endpoint, { kind }] of podOf) {
    shares.set(kind.name, (shares.get(kind.name) ?? 0) + endpoint.requests / requests);
  }
  return {
    requests,
    p50Ms: times[Math.floor(times.length * 0.5)]!,
    p99Ms: times[Math.floor(times.length * 0.99)]!,
    errorShare: (requests - times.length) / requests,
    shares,
  };
}
