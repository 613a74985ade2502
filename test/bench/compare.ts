// Contenders under the same load in turn (A B C A B C ...), so that a busy moment of the machine meets all of them.

import { type Contender, checkAnswer } from './contenders/contender.ts';
import { type LoadResult, load, type Work } from './load.ts';
import type { BenchOptions } from './options.ts';
import type { Figure } from './row.ts';
import { median } from './stats.ts';

/** Results of each contender by name, one per round. */
export type Rounds = ReadonlyMap<string, readonly LoadResult[]>;

export async function compare(
  contenders: readonly Contender[],
  { work, answerBytes }: { work: Work; answerBytes: number },
  options: BenchOptions,
): Promise<Rounds> {
  const results = new Map<string, LoadResult[]>();
  for (const contender of contenders) {
    await checkAnswer(contender, work, answerBytes);
    // What is compiled on the way is compiled now.
    await load(contender, work, options.quick ? 1 : 3);
    results.set(contender.name, []);
  }
  for (let round = 0; round < options.rounds; round++) {
    for (const contender of contenders) {
      const result = await load(contender, work, options.seconds);
      results.get(contender.name)?.push(result);
      process.stderr.write(
        `  round ${round + 1} ${contender.name.padEnd(14)} ${result.cpuMicrosPerRequest.toFixed(1).padStart(8)} µs ` +
          `${Math.round(result.requestsPerSecond).toString().padStart(7)}/s  errors ${result.errors}\n`,
      );
    }
  }
  return results;
}

/** The middle one of several rounds, and how far they lie apart. */
export interface Ratio {
  readonly value: number;
  readonly spread: readonly [number, number];
  readonly text: string;
}

/** CPU per request of one against another, round by round; the middle one counts. */
export function cpuRatio(rounds: Rounds, one: string, other: string): Ratio {
  const others = rounds.get(other) ?? [];
  const ratios = (rounds.get(one) ?? []).map(
    (result, i) => result.cpuMicrosPerRequest / (others[i]?.cpuMicrosPerRequest ?? Number.NaN),
  );
  const value = median(ratios);
  const spread = [Math.min(...ratios), Math.max(...ratios)] as const;
  return { value, spread, text: `${value.toFixed(2)} × (${spread[0].toFixed(2)} – ${spread[1].toFixed(2)})` };
}

/** CPU per request that one spends beyond another, round by round: a busy moment of the machine meets both. */
export function cpuAdded(rounds: Rounds, one: string, other: string): Ratio {
  const others = rounds.get(other) ?? [];
  const added = (rounds.get(one) ?? []).map(
    (result, i) => result.cpuMicrosPerRequest - (others[i]?.cpuMicrosPerRequest ?? Number.NaN),
  );
  const value = median(added);
  const spread = [Math.min(...added), Math.max(...added)] as const;
  return { value, spread, text: `${value.toFixed(1)} µs (${spread[0].toFixed(1)} – ${spread[1].toFixed(1)})` };
}

export function errorsOf(rounds: Rounds): number {
  return [...rounds.values()].flat().reduce((sum, result) => sum + result.errors, 0);
}

/** One figure per contender: CPU per request, with its rate and its ratio to the first reference present. */
export function cpuFigures(rounds: Rounds, references: readonly string[]): Figure[] {
  return [...rounds].map(([name, results]) => {
    const micros = results.map((result) => result.cpuMicrosPerRequest);
    const rate = Math.round(median(results.map((result) => result.requestsPerSecond)));
    const p99 = median(results.map((result) => result.latencyP99Ms)).toFixed(2);
    const against = references
      .filter((reference) => rounds.has(reference))
      .map((reference) => `${cpuRatio(rounds, name, reference).value.toFixed(2)} × ${reference}`);
    return {
      name,
      value: median(micros),
      unit: 'µs CPU/request',
      spread: [Math.min(...micros), Math.max(...micros)],
      note: [...against, `${rate}/s`, `p99 ${p99} ms`].join(', '),
    };
  });
}
