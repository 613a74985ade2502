// One text per meaning of a match: two matches with the same text take the same requests.

import type { RouteMatch, ValueMatch } from '../../routing/condition.ts';

const known = new WeakMap<RouteMatch, string>();

/** Kept per match: the same match is asked for at each table and hostname of its route. */
export function matchIdentity(match: RouteMatch): string {
  let identity = known.get(match);
  if (identity === undefined) {
    const { path, method, headers, query } = match;
    identity = `${path.type} ${path.value}\n${method ?? ''}\n${valuesIdentity(headers)}\n${valuesIdentity(query)}`;
    known.set(match, identity);
  }
  return identity;
}

/** Whether every request that fulfils `narrow` fulfils `wide`, paths aside. */
export function impliesConditions(narrow: RouteMatch, wide: RouteMatch): boolean {
  if (wide.method !== null && wide.method !== narrow.method) return false;
  return includesAll(narrow.headers, wide.headers) && includesAll(narrow.query, wide.query);
}

function includesAll(values: readonly ValueMatch[], wanted: readonly ValueMatch[]): boolean {
  return wanted.every((want) => values.some((value) => valueIdentity(value) === valueIdentity(want)));
}

/** Conditions hold together, in whatever order they are written. */
function valuesIdentity(values: readonly ValueMatch[]): string {
  return values.length === 0 ? '' : values.map(valueIdentity).sort().join('\t');
}

function valueIdentity({ type, name, value }: ValueMatch): string {
  return JSON.stringify([name, type, value]);
}
