// The Connection field (RFC 9110 section 7.6.1): what it says of the connection, and which fields it ends at this hop.

import type { FieldBlock } from './fields.ts';
import { CONNECTION } from './known-fields.ts';

export const CLOSE_OPTION = 1;
export const KEEP_ALIVE_OPTION = 2;
export const UPGRADE_OPTION = 4;
/** Too many options to be anything but an attack. */
export const BAD_OPTIONS = -1;

const MAX_OPTIONS = 64;

/** A sender can't have these removed by naming them: they frame, address, authenticate, or are this proxy's to write. */
const PROTECTED: ReadonlySet<string> = new Set([
  ...['host', 'content-length', 'transfer-encoding', 'content-type', 'content-encoding', 'expect', 'trailer'],
  ...['authorization', 'cookie', 'set-cookie', 'www-authenticate', 'origin', 'forwarded', 'via', 'x-request-id'],
  ...['x-real-ip', 'traceparent', 'tracestate', 'baggage', 'date', 'cache-control'],
]);
const PROTECTED_PREFIXES = ['x-forwarded-', 'x-waypoint-', 'x-envoy-', 'sec-', 'access-control-'];

/** Reads every Connection field, and drops it and the fields it names; a bit set of options or BAD_OPTIONS. */
export function readConnection(fields: FieldBlock): number {
  let options = 0;
  let nominated: Set<string> | null = null;
  let seen = 0;
  const last = fields.line(CONNECTION);
  const first = (fields.repeated & (1 << CONNECTION)) === 0 ? last : 0;
  for (let index = first; index <= last; index++) {
    if (fields.kind(index) !== CONNECTION) continue;
    const value = fields.value(index);
    fields.drop(index);
    const known = option(value);
    if (known !== 0) {
      options |= known;
      continue;
    }
    for (const part of value.split(',', MAX_OPTIONS + 1)) {
      if (++seen > MAX_OPTIONS) return BAD_OPTIONS;
      const name = part.trim().toLowerCase();
      const bit = option(name);
      options |= bit;
      if (bit !== 0 || name === '' || isProtected(name)) continue;
      nominated ??= new Set();
      nominated.add(name);
    }
  }
  if (nominated !== null) dropNamed(fields, nominated);
  return options;
}

function option(value: string): number {
  switch (value) {
    case 'keep-alive':
    case 'Keep-Alive':
      return KEEP_ALIVE_OPTION;
    case 'close':
      return CLOSE_OPTION;
    case 'upgrade':
    case 'Upgrade':
      return UPGRADE_OPTION;
    default:
      return 0;
  }
}

function isProtected(name: string): boolean {
  return PROTECTED.has(name) || PROTECTED_PREFIXES.some((prefix) => name.startsWith(prefix));
}

function dropNamed(fields: FieldBlock, nominated: ReadonlySet<string>): void {
  for (let index = 0; index < fields.count; index++) if (nominated.has(fields.name(index))) fields.drop(index);
}
