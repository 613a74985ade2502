// The matches of a rule as data, with what cannot be evaluated left out and named.

import type { RouteMatch, ValueMatch } from '../routing/condition.ts';
import { compilePattern, PatternError } from '../routing/pattern.ts';
import type { HTTPRouteMatch, HTTPValueMatch } from './resources.ts';
import { trimmed } from './trimmed.ts';

const NONE: readonly never[] = [];

/** Path and message of what is wrong. */
export type Complain = (path: string, message: string) => void;

/** A match with a pattern that does not compile can never be true: it is left out after a complaint. */
export function translateMatches(
  matches: readonly HTTPRouteMatch[],
  path: string,
  complain: Complain,
): readonly RouteMatch[] {
  const good = matches.filter((match, index) => compiles(match, `${path}[${index}]`, complain));
  return good.map(translateMatch);
}

function translateMatch(match: HTTPRouteMatch): RouteMatch {
  const { type, value } = match.path;
  return {
    path: { type, value: type === 'PathPrefix' ? withoutTrailingSlash(value) : value },
    method: match.method ?? null,
    headers: headerMatches(match.headers),
    query: valueMatches(match.queryParams),
  };
}

function withoutTrailingSlash(prefix: string): string {
  return prefix.length > 1 && prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
}

/** Names compare in lower case; of equivalent ones the first counts (Gateway API, HTTPHeaderMatch). */
function headerMatches(headers: readonly HTTPValueMatch[] | undefined): readonly ValueMatch[] {
  return headers === undefined
    ? NONE
    : valueMatches(headers.map((header) => ({ ...header, name: header.name.toLowerCase() })));
}

function valueMatches(values: readonly HTTPValueMatch[] | undefined): readonly ValueMatch[] {
  if (values === undefined || values.length === 0) return NONE;
  const seen = new Set<string>();
  const kept: ValueMatch[] = [];
  for (const { name, type, value } of values) {
    if (seen.has(name)) continue;
    seen.add(name);
    kept.push({ name, type, value });
  }
  return trimmed(kept);
}

function compiles(match: HTTPRouteMatch, path: string, complain: Complain): boolean {
  const values: [string, HTTPRouteMatch['path'] | HTTPValueMatch][] = [[`${path}.path`, match.path]];
  for (const [index, header] of (match.headers ?? NONE).entries()) values.push([`${path}.headers[${index}]`, header]);
  for (const [index, param] of (match.queryParams ?? NONE).entries())
    values.push([`${path}.queryParams[${index}]`, param]);
  let good = true;
  for (const [at, { type, value }] of values) {
    if (type !== 'RegularExpression') continue;
    const message = patternProblem(value);
    if (message === null) continue;
    complain(`${at}.value`, message);
    good = false;
  }
  return good;
}

function patternProblem(source: string): string | null {
  try {
    compilePattern(source);
    return null;
  } catch (error) {
    if (error instanceof PatternError) return error.message;
    throw error;
  }
}
