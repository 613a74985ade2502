// One match of one rule of one route for one of its hostnames: what a table finds.

import type { RouteMatch } from './condition.ts';
import { Conditions } from './conditions.ts';

/** One route as attached to one table, with what its rules lead to. */
export interface RouteEntry<P> {
  /** Unique in its table. */
  readonly key: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** ms since the epoch; older wins ties. */
  readonly createdAt: number;
  /** Lower-case, exact or `*.suffix`; empty: any host. */
  readonly hostnames: readonly string[];
  readonly rules: readonly { readonly matches: readonly RouteMatch[]; readonly value: P }[];
}

export interface Candidate<P> {
  readonly entry: RouteEntry<P>;
  /** The hostname of the route that it stands for; null: any host. */
  readonly hostname: string | null;
  readonly ruleIndex: number;
  readonly matchIndex: number;
  readonly match: RouteMatch;
  readonly value: P;
  /** The PathPrefix without its trailing '/', null for other kinds of path. */
  readonly prefix: string | null;
  readonly conditions: Conditions;
}

/** Every candidate of the route, in the order in which it is written. */
export function candidatesOf<P>(entry: RouteEntry<P>): Candidate<P>[] {
  const hostnames = entry.hostnames.length === 0 ? [null] : new Set(entry.hostnames);
  const candidates: Candidate<P>[] = [];
  for (const [ruleIndex, rule] of entry.rules.entries()) {
    for (const [matchIndex, match] of rule.matches.entries()) {
      // Compiled once, whatever the number of hostnames.
      const conditions = new Conditions(match);
      const prefix = match.path.type === 'PathPrefix' ? conditions.pathValue : null;
      for (const hostname of hostnames) {
        candidates.push({ entry, hostname, ruleIndex, matchIndex, match, value: rule.value, prefix, conditions });
      }
    }
  }
  return candidates;
}
