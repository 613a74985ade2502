// The conditions of one match, compiled: the predicates that decide a request and explain a decision.

import type { PathMatch, RouteMatch, ValueMatch } from './condition.ts';
import type { Pattern } from './pattern.ts';
import { compilePattern, PatternError } from './pattern.ts';
import type { Probe } from './probe.ts';

/** The first condition of a match that a request does not meet. */
export interface Mismatch {
  readonly which: 'hostname' | 'path' | 'method' | 'header' | 'query';
  /** Name of the header (lower-case) or of the query parameter, null for the others. */
  readonly name: string | null;
  /** The condition as it was written, led by its type where it has one: `PathPrefix /orders`. */
  readonly wanted: string;
  /** What the request has in its place; null: nothing. */
  readonly got: string | null;
}

/** One named condition; `pattern` is null for Exact. */
interface ValueCondition {
  readonly source: ValueMatch;
  readonly pattern: Pattern | null;
}

const MET = -1;
const METHOD = -2;

/** A pattern that does not compile matches nothing; its order was refused where it was read. */
const NOTHING: Pattern = { source: '', test: () => false };

export class Conditions {
  readonly match: RouteMatch;
  /** PathPrefix without its trailing '/', everything else as written. */
  readonly pathValue: string;
  /** Of the path, when that is a RegularExpression. */
  readonly pattern: Pattern | null;
  readonly headers: readonly ValueCondition[];
  readonly query: readonly ValueCondition[];

  constructor(match: RouteMatch) {
    this.match = match;
    this.pathValue = pathValue(match.path);
    this.pattern = match.path.type === 'RegularExpression' ? patternOf(match.path.value) : null;
    this.headers = match.headers.length === 0 ? NONE : compileValues(match.headers, lowerCase);
    this.query = match.query.length === 0 ? NONE : compileValues(match.query, asWritten);
  }

  /** Everything but host and path. */
  accepts(probe: Probe): boolean {
    return this.firstUnmet(probe) === MET;
  }

  /** null when the path and everything else is met. */
  mismatch(probe: Probe): Mismatch | null {
    const { match } = this;
    if (!this.acceptsPath(probe.path)) {
      return { which: 'path', name: null, wanted: `${match.path.type} ${match.path.value}`, got: probe.path };
    }
    const unmet = this.firstUnmet(probe);
    if (unmet === MET) return null;
    if (unmet === METHOD) return { which: 'method', name: null, wanted: match.method ?? '', got: probe.method };
    const header = this.headers[unmet];
    if (header !== undefined) return valueMismatch('header', header, probe.header(header.source.name));
    const parameter = this.query[unmet - this.headers.length]!;
    return valueMismatch('query', parameter, probe.parameter(parameter.source.name));
  }

  /** Gateway API, HTTPPathMatch: exact is exact, a prefix goes by whole elements, a pattern matches the whole path. */
  acceptsPath(path: string): boolean {
    const value = this.pathValue;
    if (this.pattern !== null) return this.pattern.test(path);
    if (this.match.path.type === 'Exact') return path === value;
    if (value === '/') return path.startsWith('/');
    return path.startsWith(value) && (path.length === value.length || path.charAt(value.length) === '/');
  }

  /** MET, METHOD, or the place of the condition in the headers and then the query. */
  private firstUnmet(probe: Probe): number {
    const { method } = this.match;
    if (method !== null && method !== probe.method) return METHOD;
    const { headers, query } = this;
    for (let at = 0; at < headers.length; at += 1) {
      const condition = headers[at]!;
      if (!isMet(condition, probe.header(condition.source.name))) return at;
    }
    for (let at = 0; at < query.length; at += 1) {
      const condition = query[at]!;
      if (!isMet(condition, probe.parameter(condition.source.name))) return headers.length + at;
    }
    return MET;
  }
}

const NONE: readonly ValueCondition[] = [];

/** What is compared: a prefix without its trailing '/', everything else as written. */
export function pathValue(path: PathMatch): string {
  const { type, value } = path;
  return type === 'PathPrefix' && value.length > 1 && value.endsWith('/') ? value.slice(0, -1) : value;
}

function isMet(condition: ValueCondition, value: string | null): boolean {
  if (value === null) return false;
  return condition.pattern === null ? value === condition.source.value : condition.pattern.test(value);
}

/** Of equivalent names only the first counts (Gateway API, HTTPRouteMatch). */
function compileValues(matches: readonly ValueMatch[], key: (name: string) => string): ValueCondition[] {
  const compiled = new Map<string, ValueCondition>();
  for (const match of matches) {
    const name = key(match.name);
    if (compiled.has(name)) continue;
    const pattern = match.type === 'RegularExpression' ? patternOf(match.value) : null;
    compiled.set(name, { source: name === match.name ? match : { ...match, name }, pattern });
  }
  return [...compiled.values()];
}

function lowerCase(name: string): string {
  return name.toLowerCase();
}

function asWritten(name: string): string {
  return name;
}

function patternOf(source: string): Pattern {
  try {
    return compilePattern(source);
  } catch (error) {
    if (error instanceof PatternError) return NOTHING;
    throw error;
  }
}

function valueMismatch(which: 'header' | 'query', condition: ValueCondition, got: string | null): Mismatch {
  const { name, type, value } = condition.source;
  return { which, name, wanted: `${type} ${value}`, got };
}
