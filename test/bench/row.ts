// One row of the table: what it measures, what it needs, and what it found.

import type { Backend } from './backend.ts';
import type { BenchOptions } from './options.ts';

export interface Bench {
  readonly backend: Backend;
  /** The compiled `waypoint` executable. */
  readonly executable: string;
  readonly options: BenchOptions;
}

/** One line under a row: a contender, a percentile, whatever the verdict was drawn from. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Smallest and largest of the repetitions; null for a single measurement. */
  readonly spread: readonly [number, number] | null;
  /** What else is worth a look, in words. */
  readonly note: string;
}

export interface Verdict {
  readonly id: string;
  readonly work: string;
  readonly limit: string;
  readonly measured: string;
  readonly pass: boolean;
  readonly figures: readonly Figure[];
}

export interface Row {
  readonly ids: readonly string[];
  readonly title: string;
  /** Programs it cannot do without; each is the name of its Debian package too. */
  readonly needs: readonly string[];
  measure(bench: Bench): Promise<readonly Verdict[]>;
}

export function single(name: string, value: number, unit: string, note: string): Figure {
  return { name, value, unit, spread: null, note };
}
