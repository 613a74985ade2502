// The Upgrade field (RFC 9110 section 7.8), read as exactly one protocol or as nothing.

import type { FieldBlock } from './fields.ts';
import { UPGRADE } from './known-fields.ts';

const PROTOCOL = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?$/;

/** Lower-case; null when none, several, or no protocol name was sent. */
export function upgradeToken(fields: FieldBlock): string | null {
  let token: string | null = null;
  for (let i = 0; i < fields.count; i++) {
    if (fields.kind(i) !== UPGRADE) continue;
    if (token !== null) return null;
    token = fields.value(i).toLowerCase();
  }
  return token !== null && PROTOCOL.test(token) ? token : null;
}
