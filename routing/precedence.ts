// The one order of candidates: whichever comes first and matches a request takes it (Gateway API, HTTPRouteRule.matches).

import type { Candidate } from './candidate.ts';
import type { PathMatch } from './condition.ts';
import { compareHostnames } from './host.ts';

/** The place of patterns is the implementation's choice: between the exact paths and the prefixes. */
const PATH_RANK: Readonly<Record<PathMatch['type'], number>> = { Exact: 0, RegularExpression: 1, PathPrefix: 2 };

/**
 * Total: most specific hostname, kind of path, longer path, with a method, more headers, more query parameters, older
 * route, `namespace/name`, rule, match. Negative when `a` comes first.
 */
export function compareCandidates(a: Candidate<unknown>, b: Candidate<unknown>): number {
  return (
    compareHostnames(a.hostname, b.hostname) ||
    PATH_RANK[a.match.path.type] - PATH_RANK[b.match.path.type] ||
    b.conditions.pathValue.length - a.conditions.pathValue.length ||
    compareWithinPath(a, b)
  );
}

/** The part of the order that tells candidates of one hostname and one path apart. */
export function compareWithinPath(a: Candidate<unknown>, b: Candidate<unknown>): number {
  return (
    Number(a.match.method === null) - Number(b.match.method === null) ||
    b.conditions.headers.length - a.conditions.headers.length ||
    b.conditions.query.length - a.conditions.query.length ||
    a.entry.createdAt - b.entry.createdAt ||
    compareText(fullName(a), fullName(b)) ||
    compareText(a.entry.key, b.entry.key) ||
    a.ruleIndex - b.ruleIndex ||
    a.matchIndex - b.matchIndex
  );
}

function fullName(candidate: Candidate<unknown>): string {
  return `${candidate.entry.namespace}/${candidate.entry.name}`;
}

/** By code unit: the same on every machine. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
