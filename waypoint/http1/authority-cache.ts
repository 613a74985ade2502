// Authorities already parsed by this thread: the hot path costs one Map lookup for each host clients really use.

import { parseAuthority } from '../../routing/host.ts';

export interface Authority {
  /** As sent. */
  readonly raw: string;
  readonly host: string;
  /** 0 when none is named. */
  readonly port: number;
}

const ENTRIES = 1024;
const parsed = new Map<string, Authority>();

/** null when `raw` is no authority of http (RFC 9110 section 4.2). */
export function readAuthority(raw: string): Authority | null {
  const known = parsed.get(raw);
  if (known !== undefined) return known;
  const parts = parseAuthority(raw);
  if (parts === null) return null;
  // Emptied rather than aged: whoever floods it with made-up hosts makes everyone parse, and nothing worse.
  if (parsed.size >= ENTRIES) parsed.clear();
  // A slice keeps the whole head alive; the copies don't.
  const authority = { raw: copied(raw), host: copied(parts.host), port: parts.port };
  parsed.set(authority.raw, authority);
  return authority;
}

function copied(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
