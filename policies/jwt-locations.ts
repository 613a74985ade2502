// Where tokens stand in a request: found without a copy of anything that carries none, and taken out of what is forwarded.

import { queryValue } from '../routing/query.ts';
import type { Fields, RequestHead } from '../routing/request.ts';
import type { TokenLocation } from './authentication.ts';

/** Different tokens in one place: no token reads so. */
export const SEVERAL_TOKENS = ' ';

const SPACE = 32;
const TAB = 9;

/** The token at this location, SEVERAL_TOKENS where there are different ones, null where there is none. */
export function findToken(location: TokenLocation, head: RequestHead): string | null {
  switch (location.in) {
    case 'header':
      return inHeader(head.fields, location.name, location.prefix);
    case 'query':
      return inQuery(head.query, location.name);
    case 'cookie':
      return inCookies(head.fields, location.name);
  }
}

/** Takes the token out of the request that is forwarded; what else stands at the location stays. */
export function removeToken(location: TokenLocation, head: RequestHead): void {
  switch (location.in) {
    case 'header':
      removeFromHeader(head.fields, location.name, location.prefix);
      break;
    case 'query':
      removeFromQuery(head, location.name);
      break;
    case 'cookie':
      removeFromCookies(head.fields, location.name);
      break;
  }
}

function inHeader(fields: Fields, name: string, prefix: string): string | null {
  const joined = fields.get(name);
  if (joined === undefined) return null;
  // No token has a comma in it: one there may be the seam between two fields.
  if (!joined.includes(',')) return afterPrefix(joined, prefix);
  let found: string | null = null;
  for (const value of fields.values(name)) found = together(found, afterPrefix(value, prefix));
  return found;
}

/**
 * What follows the prefix, in whichever case that was written: the name of an authentication scheme has none (RFC 9110
 * section 11.1). null: the value does not begin with it.
 */
function afterPrefix(value: string, prefix: string): string | null {
  const { length } = prefix;
  if (length === 0) return value;
  if (!value.startsWith(prefix) && !beginsWith(value, prefix)) return null;
  let start = length;
  while (value.charCodeAt(start) === SPACE || value.charCodeAt(start) === TAB) start += 1;
  return value.slice(start);
}

function beginsWith(value: string, prefix: string): boolean {
  const { length } = prefix;
  if (value.length < length) return false;
  // A tab behind the scheme is read as a blank by some: it must not hide a token from this reader alone.
  const head = value.slice(0, length).replaceAll('\t', ' ');
  return head.toLowerCase() === prefix.toLowerCase();
}

function inQuery(query: string, name: string): string | null {
  if (query === '' || queryValue(query, name) === null) return null;
  let found: string | null = null;
  for (const part of query.split('&')) found = together(found, queryValue(part, name));
  return found;
}

function inCookies(fields: Fields, name: string): string | null {
  if (!fields.has('cookie')) return null;
  let found: string | null = null;
  for (const line of fields.values('cookie')) {
    if (!line.includes(name)) continue;
    for (const pair of line.split(';')) found = together(found, cookieValue(pair, name));
  }
  return found;
}

/** Of `name=value`, white space around it cut off; null for another name. */
function cookieValue(pair: string, name: string): string | null {
  const text = pair.trim();
  if (!text.startsWith(name) || text[name.length] !== '=') return null;
  const value = text.slice(name.length + 1);
  // RFC 6265 section 4.1.1: a value may stand in quotes that are no part of it.
  return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}

function together(found: string | null, next: string | null): string | null {
  if (next === null || next === found) return found;
  return found === null ? next : SEVERAL_TOKENS;
}

function removeFromHeader(fields: Fields, name: string, prefix: string): void {
  const others = prefix === '' ? [] : fields.values(name).filter((value) => afterPrefix(value, prefix) === null);
  if (others.length === 0) fields.remove(name);
  else replace(fields, name, others);
}

function removeFromQuery(head: RequestHead, name: string): void {
  const query = head.forwardQuery ?? head.query;
  if (query === '' || queryValue(query, name) === null) return;
  head.forwardQuery = query
    .split('&')
    .filter((part) => queryValue(part, name) === null)
    .join('&');
}

function removeFromCookies(fields: Fields, name: string): void {
  const lines = fields.values('cookie');
  if (!lines.some((line) => line.includes(name))) return;
  const rest = lines
    .map((line) => line.split(';').filter((pair) => cookieValue(pair, name) === null))
    .map((pairs) => pairs.join(';').trim())
    .filter((line) => line !== '');
  replace(fields, 'cookie', rest);
}

function replace(fields: Fields, name: string, values: readonly string[]): void {
  if (values.length === fields.values(name).length && values.every((value, at) => value === fields.values(name)[at]))
    return;
  fields.remove(name);
  for (const value of values) fields.append(name, value);
}
