// Hosts: the one reading of an authority, and what host patterns (`*.suffix`) cover, share and take precedence over.

export interface Authority {
  /** Lower-case, without one trailing dot; IPv6 in its brackets. */
  readonly host: string;
  /** 0 when the authority names none. */
  readonly port: number;
}

const MAX_HOST = 255;
const DOT = 46;
const COLON = 58;

/**
 * Strict RFC 9110 section 7.2: a name, an IPv4 or a bracketed IPv6 address, then perhaps a port in 1..65535. User
 * information, lists, paths, blanks and anything beyond ASCII are refused: two parsers would read them differently.
 */
export function parseAuthority(raw: string): Authority | null {
  const end = raw.charCodeAt(0) === 91 ? raw.indexOf(']') + 1 : nameEnd(raw);
  if (end <= 0 || end > MAX_HOST) return null;
  const port = end === raw.length ? 0 : parsePort(raw, end);
  if (port === -1) return null;
  if (raw.charCodeAt(0) === 91) {
    const address = raw.slice(1, end - 1);
    return isIpv6(address) ? { host: `[${address.toLowerCase()}]`, port } : null;
  }
  const host = raw.slice(0, raw.charCodeAt(end - 1) === DOT ? end - 1 : end).toLowerCase();
  return host === '' ? null : { host, port };
}

/** Behind the last character of the name at the beginning, -1 when it is none. */
function nameEnd(raw: string): number {
  let at = 0;
  let previous = DOT;
  for (; at < raw.length; at += 1) {
    const code = raw.charCodeAt(at);
    if (code === COLON) break;
    if (code === DOT ? previous === DOT : !isNameCode(code)) return -1;
    previous = code;
  }
  return at;
}

function isNameCode(code: number): boolean {
  // a-z A-Z 0-9 - _
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 48 && code <= 57) ||
    code === 45 ||
    code === 95
  );
}

function parsePort(raw: string, colon: number): number {
  const digits = raw.length - colon - 1;
  if (raw.charCodeAt(colon) !== COLON || digits < 1 || digits > 5) return -1;
  let port = 0;
  for (let at = colon + 1; at < raw.length; at += 1) {
    const digit = raw.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return -1;
    port = port * 10 + digit;
  }
  return port >= 1 && port <= 65535 ? port : -1;
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const GROUP = /^[0-9a-f]{1,4}$/i;

function isIpv6(text: string): boolean {
  if (text.length > 45) return false;
  const halves = text.split('::');
  if (halves.length > 2) return false;
  let groups = 0;
  for (const [index, half] of halves.entries()) {
    if (half === '') continue;
    const parts = half.split(':');
    for (const [position, part] of parts.entries()) {
      const last = index === halves.length - 1 && position === parts.length - 1;
      if (GROUP.test(part)) groups += 1;
      else if (last && IPV4.test(part)) groups += 2;
      else return false;
    }
  }
  return halves.length === 2 ? groups <= 7 : groups === 8;
}

/** Both lower-case. `*.x` covers one or more labels before `.x`, never `x` itself (Gateway API, Hostname). */
export function hostMatches(pattern: string, host: string): boolean {
  if (!isWildcard(pattern)) return pattern === host;
  return host.length > pattern.length - 1 && host.endsWith(pattern.slice(1));
}

/**
 * The hosts that both a listener (null: any) and a route (empty: any) name; null when there are none.
 * An empty answer means any host. Of two that overlap the narrower is kept.
 */
export function intersect(listener: string | null, routes: readonly string[]): string[] | null {
  if (listener === null) return [...routes];
  if (routes.length === 0) return [listener];
  const common = new Set<string>();
  for (const route of routes) {
    if (covers(listener, route)) common.add(route);
    else if (covers(route, listener)) common.add(listener);
  }
  return common.size === 0 ? null : [...common];
}

function covers(pattern: string, other: string): boolean {
  if (pattern === other) return true;
  return isWildcard(other) ? isWildcard(pattern) && hostMatches(pattern, other.slice(1)) : hostMatches(pattern, other);
}

/** Most specific first: exact, then the longest wildcard, then any host (null). Total, so that sorting is stable everywhere. */
export function compareHostnames(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  const wild = Number(isWildcard(a)) - Number(isWildcard(b));
  if (wild !== 0) return wild;
  if (a.length !== b.length) return b.length - a.length;
  return a < b ? -1 : 1;
}

export function isWildcard(hostname: string): boolean {
  return hostname.startsWith('*.');
}
