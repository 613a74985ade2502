// Path patterns of the form `literal.*`: they come before every prefix, and cover those that begin with the literal.

import type { RouteMatch } from '../../routing/condition.ts';
import { impliesConditions } from './match-identity.ts';

const BROAD = /^\^?((?:[A-Za-z0-9/_~%@:;,!=&-]|\\[./~-])*)\.([*+])\$?$/;

interface Broad<T> {
  readonly match: RouteMatch;
  readonly item: T;
  /** `.+` needs one character behind the literal. */
  readonly least: number;
}

/** Looked up by the literal's text at each length that occurs, so that many patterns cost no more than their lengths. */
export class BroadPatterns<T> {
  readonly #byLiteral = new Map<string, Broad<T>[]>();
  readonly #lengths = new Set<number>();

  add(match: RouteMatch, item: T): void {
    if (match.path.type !== 'RegularExpression') return;
    const parts = BROAD.exec(match.path.value);
    if (parts === null) return;
    const literal = parts[1]!.replaceAll('\\', '');
    const broad = { match, item, least: literal.length + (parts[2] === '+' ? 1 : 0) };
    const others = this.#byLiteral.get(literal);
    if (others === undefined) this.#byLiteral.set(literal, [broad]);
    else others.push(broad);
    this.#lengths.add(literal.length);
  }

  /** A pattern that takes every request of this match before it; null for none, and for a match that is no prefix. */
  find(match: RouteMatch): T | null {
    const { type, value } = match.path;
    if (this.#lengths.size === 0 || type !== 'PathPrefix') return null;
    for (const length of this.#lengths) {
      if (length > value.length) continue;
      for (const broad of this.#byLiteral.get(value.slice(0, length)) ?? []) {
        if (broad.least <= value.length && impliesConditions(match, broad.match)) return broad.item;
      }
    }
    return null;
  }
}
