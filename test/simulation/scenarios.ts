// The pools and workloads that the simulation compares algorithms on.

import { failing, flapping, type PodKind, slow, steady } from './pod.ts';
import type { Scenario } from './simulate.ts';

export const ALGORITHMS = ['PeakEWMA', 'LeastRequest', 'RoundRobin'] as const;

const WORKLOAD = { requestsPerSecond: 600, seconds: 60, seed: 1 };

/** Seven steady pods, one slow, one that fails fast, one that flaps. */
export function mixed(algorithm: Scenario['algorithm'], ejection: Scenario['ejection']): Scenario {
  return { ...WORKLOAD, pods: pool(7, slow, failing, flapping), algorithm, ejection };
}

/** Nine steady pods and one that flaps. */
export function oneFlapping(algorithm: Scenario['algorithm'], ejection: Scenario['ejection']): Scenario {
  return { ...WORKLOAD, pods: pool(9, flapping), algorithm, ejection };
}

function pool(steadyOnes: number, ...others: readonly PodKind[]): PodKind[] {
  return [...new Array<PodKind>(steadyOnes).fill(steady), ...others];
}
