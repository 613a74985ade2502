// Which requests share a bucket of a rate limit.

import { queryValue } from '../routing/query.ts';
import type { Fields } from '../routing/request.ts';
import type { FilterContext } from './policy.ts';

export interface KeyPart {
  readonly source: 'header' | 'cookie' | 'query' | 'sourceIP' | 'method' | 'path';
  /** Of the header (lower-case), cookie or query parameter; '' otherwise. */
  readonly name: string;
}

/** What is absent counts as empty: leaving a header out is no way around a limit. */
export function rateLimitKey(parts: readonly KeyPart[], context: FilterContext): string {
  if (parts.length === 0) return '';
  if (parts.length === 1) return keyPartOf(parts[0]!, context);
  let key = '';
  for (const part of parts) {
    const value = keyPartOf(part, context);
    // With its length, so that no value can look like two.
    key += `${value.length}:${value}`;
  }
  return key;
}

/** '' where the request has none. */
export function keyPartOf(part: KeyPart, context: FilterContext): string {
  const { head } = context;
  switch (part.source) {
    case 'header':
      return head.fields.get(part.name) ?? '';
    case 'cookie':
      return cookie(head.fields, part.name);
    case 'query':
      return queryValue(head.query, part.name) ?? '';
    case 'sourceIP':
      return context.peer.address;
    case 'method':
      return head.method;
    case 'path':
      return head.path;
  }
}

/** The first cookie of this name, case-sensitive (RFC 6265 section 4.2.1). */
function cookie(fields: Fields, name: string): string {
  for (const line of fields.values('cookie')) {
    let start = 0;
    while (start < line.length) {
      while (line[start] === ' ') start += 1;
      const semicolon = line.indexOf(';', start);
      const end = semicolon === -1 ? line.length : semicolon;
      if (line.startsWith(name, start) && line[start + name.length] === '=')
        return line.slice(start + name.length + 1, end);
      start = end + 1;
    }
  }
  return '';
}
