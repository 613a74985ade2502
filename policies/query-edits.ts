// Edits of a query that an outside service asks for; parameters that it does not name stay as they were sent.

import { decodeForm } from '../routing/query.ts';

export interface QueryEdits {
  readonly remove: readonly string[];
  /** One parameter of this name, in place of all that were there. */
  readonly set: readonly (readonly [name: string, value: string])[];
}

/** `query` without its question mark. */
export function editQuery(query: string, { remove, set }: QueryEdits): string {
  const gone = new Set([...remove, ...set.map(([name]) => name)]);
  const kept = query === '' ? [] : query.split('&').filter((part) => !gone.has(nameOf(part)));
  const added = set.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  return [...kept, ...added].join('&');
}

function nameOf(part: string): string {
  const equals = part.indexOf('=');
  return decodeForm(equals < 0 ? part : part.slice(0, equals));
}
