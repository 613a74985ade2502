// Prometheus text exposition format 0.0.4: families with their help, samples, histograms.

import { BOUNDS, BUCKETS } from './buckets.ts';
import { SUM } from './series.ts';

/** One series: `a="1",b="2"` and its values. */
export interface Labelled {
  readonly labels: string;
  readonly values: Float64Array;
}

export class PromText {
  readonly #lines: string[] = [];

  head(name: string, help: string, type: 'counter' | 'gauge' | 'histogram'): void {
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  }

  /** `labels` with its braces, or ''. */
  sample(name: string, labels: string, value: number): void {
    this.#lines.push(`${name}${labels} ${value}`);
  }

  gauge(name: string, help: string, value: number): void {
    this.head(name, help, 'gauge');
    this.sample(name, '', value);
  }

  /** The value at one place of each series, where it is not 0. */
  counter(name: string, help: string, series: readonly Labelled[], place: number): void {
    this.head(name, help, 'counter');
    for (const { labels, values } of series) {
      const value = values[place]!;
      if (value !== 0) this.sample(name, `{${labels}}`, value);
    }
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}

/** Buckets are kept as they were counted and cumulated only here. */
export function histogram(out: PromText, name: string, help: string, series: readonly Labelled[]): void {
  out.head(name, help, 'histogram');
  for (const { labels, values } of series) {
    let count = 0;
    for (let at = 0; at < BUCKETS; at++) {
      count += values[at]!;
      out.sample(`${name}_bucket`, `{${labels},le="${BOUNDS[at] ?? '+Inf'}"}`, count);
    }
    out.sample(`${name}_sum`, `{${labels}}`, values[SUM]!);
    out.sample(`${name}_count`, `{${labels}}`, count);
  }
}
