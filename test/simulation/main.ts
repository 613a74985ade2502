// Prints how PeakEWMA, LeastRequest and RoundRobin fare on pools that are not all well. Seeded: every run prints the same.

import { ALGORITHMS, mixed, oneFlapping } from './scenarios.ts';
import { type Result, type Scenario, simulate } from './simulate.ts';

type Make = (algorithm: Scenario['algorithm'], ejection: Scenario['ejection']) => Scenario;

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

function table(make: Make, kinds: readonly string[]): string {
  const heads = ['algorithm', 'ejection', 'p50 ms', 'p99 ms', 'errors', ...kinds.map((kind) => `to the ${kind} pod`)];
  const rows = ALGORITHMS.flatMap((algorithm) =>
    (['off', 'on'] as const).map((ejection) => row(algorithm, ejection, simulate(make(algorithm, ejection)), kinds)),
  );
  return [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function row(algorithm: string, ejection: string, result: Result, kinds: readonly string[]): string[] {
  const { p50Ms, p99Ms, errorShare, shares } = result;
  const given = kinds.map((kind) => percent(shares.get(kind) ?? 0));
  return [algorithm, ejection, p50Ms.toFixed(1), p99Ms.toFixed(1), percent(errorShare), ...given];
}

const plain = simulate(oneFlapping('RoundRobin', 'off')).errorShare;
const aware = simulate(oneFlapping('PeakEWMA', 'on')).errorShare;

console.log(`Seven steady pods, one slow, one that fails fast, one that flaps:

${table(mixed, ['slow', 'failing', 'flapping'])}

Nine steady pods and one that flaps:

${table(oneFlapping, ['flapping'])}

Errors under one flapping pod: plain round robin ${percent(plain)}, health-aware (PeakEWMA and ejection) ${percent(aware)}: 1/${Math.round(plain / aware)}.`);
