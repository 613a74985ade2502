// One histogram with its labels, and how a worker finds it again for each request without building a string.

import { BUCKETS, bucketOf } from './buckets.ts';

/** Values behind the buckets: the sum of seconds, then two counters whose meaning the kind of series gives. */
export const SUM: number = BUCKETS;
export const FIRST_COUNTER: number = BUCKETS + 1;
export const SECOND_COUNTER: number = BUCKETS + 2;
const VALUES: number = BUCKETS + 3;

/** Plain data: values by place in `labels`, and what was added since the last delta. */
export interface SeriesDelta {
  readonly labels: readonly string[];
  readonly values: Float64Array;
}

export class Series {
  readonly method: string;
  readonly statusClass: string;
  readonly reason: string;
  readonly labels: readonly string[];
  /** Replaced when its values are taken. */
  values: Float64Array = new Float64Array(VALUES);
  /** It is among those whose values are to be taken. */
  dirty = false;

  /** The last three of the labels are method, status class and reason. */
  constructor(owner: readonly string[], method: string, statusClass: string, reason: string) {
    this.method = method;
    this.statusClass = statusClass;
    this.reason = reason;
    this.labels = [...owner, method, statusClass, reason];
  }

  observe(seconds: number): void {
    const { values } = this;
    values[bucketOf(seconds)]! += 1;
    values[SUM]! += seconds;
  }

  take(): SeriesDelta {
    const { labels, values } = this;
    this.values = new Float64Array(VALUES);
    this.dirty = false;
    return { labels, values };
  }
}

/** The series of one owner: as many as there are combinations of method, status class and reason, which are all bounded. */
export class SeriesList {
  readonly #owner: readonly string[];
  readonly #list: Series[] = [];

  constructor(owner: readonly string[]) {
    this.#owner = owner;
  }

  find(method: string, statusClass: string, reason: string): Series {
    const list = this.#list;
    for (let at = 0; at < list.length; at++) {
      const series = list[at]!;
      if (series.statusClass === statusClass && series.method === method && series.reason === reason) return series;
    }
    const series = new Series(this.#owner, method, statusClass, reason);
    list.push(series);
    return series;
  }
}
