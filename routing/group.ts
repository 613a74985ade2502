// Candidates that share their hostname and their path, in order: the smallest part of a table that an edit rebuilds.

import type { Candidate, RouteEntry } from './candidate.ts';
import type { Probe } from './probe.ts';

export type Group<P> = readonly Candidate<P>[];

type Order = (a: Candidate<unknown>, b: Candidate<unknown>) => number;

/** The group without what was removed and with what was added; empty when nothing is left. */
export function editGroup<P>(
  group: Group<P>,
  removed: ReadonlySet<RouteEntry<P>>,
  added: readonly Candidate<P>[],
  order: Order,
): Group<P> {
  const kept = removed.size === 0 ? group : group.filter((candidate) => !removed.has(candidate.entry));
  if (added.length === 0) return kept;
  // Copies, because lists that grew have room for more, and most groups stay alone as they are.
  return kept.concat(added).sort(order);
}

/** The first that accepts the request, whose host and path are known to match. */
export function firstAccepted<P>(group: Group<P>, probe: Probe): Candidate<P> | null {
  for (let at = 0; at < group.length; at += 1) {
    const candidate = group[at]!;
    if (candidate.conditions.accepts(probe)) return candidate;
  }
  return null;
}
