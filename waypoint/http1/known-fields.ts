// The field names that mean something to the codec, told apart from their bytes without making a string.

export const OTHER = 0;
export const HOST = 1;
export const CONTENT_LENGTH = 2;
export const TRANSFER_ENCODING = 3;
export const CONNECTION = 4;
export const UPGRADE = 5;
export const EXPECT = 6;
/** The rest of what ends at the next hop: Keep-Alive, Proxy-Connection, TE, Proxy-Auth*, HTTP2-Settings. */
export const HOP = 7;
/** Where a request came from, as told by a proxy: believed from trusted peers only. */
export const FORWARDING = 8;
/** Who the peer is, as told by this proxy alone; also any `_` or `.` spelling of a forwarding field. */
export const IDENTITY = 9;
/** How many there are, OTHER included. */
export const KINDS = 10;

const UNDERSCORE = 0x5f;
const DOT = 0x2e;
const HYPHEN = 0x2d;

/** `bytes` from `start` hold a name made of tchars. */
export function classify(bytes: Uint8Array, start: number, length: number): number {
  if ((bytes[start]! | 0x20) === 0x78 /* x */) return length >= 9 ? classifyX(bytes, start, length) : OTHER;
  switch (length) {
    case 2:
      return same(bytes, start, 'te') ? HOP : OTHER;
    case 4:
      return same(bytes, start, 'host') ? HOST : OTHER;
    case 6:
      return same(bytes, start, 'expect') ? EXPECT : OTHER;
    case 7:
      return same(bytes, start, 'upgrade') ? UPGRADE : OTHER;
    case 9:
      return same(bytes, start, 'forwarded') ? FORWARDING : OTHER;
    case 10:
      if (same(bytes, start, 'connection')) return CONNECTION;
      return same(bytes, start, 'keep-alive') ? HOP : OTHER;
    case 14:
      if (same(bytes, start, 'content-length')) return CONTENT_LENGTH;
      return same(bytes, start, 'http2-settings') ? HOP : OTHER;
    case 16:
      return same(bytes, start, 'proxy-connection') ? HOP : OTHER;
    case 17:
      return same(bytes, start, 'transfer-encoding') ? TRANSFER_ENCODING : OTHER;
    case 18:
      return same(bytes, start, 'proxy-authenticate') ? HOP : OTHER;
    case 19:
      return same(bytes, start, 'proxy-authorization') ? HOP : OTHER;
    default:
      return OTHER;
  }
}

const FORWARDED = 'x-forwarded-';
const FORWARDED_NAMES = ['for', 'host', 'proto', 'port', 'prefix', 'client-cert'];

/** Frameworks read `X_Forwarded_For` and `X.Forwarded.For` as the real thing, so those count as it, but are never believed. */
function classifyX(bytes: Uint8Array, start: number, length: number): number {
  switch (bytes[start + 2]! | 0x20) {
    case 0x66 /* f */:
      return alike(bytes, start, FORWARDED) ? classifyForwarded(bytes, start, length) : OTHER;
    case 0x72 /* r */:
      return length === 9 && alike(bytes, start, 'x-real-ip') ? IDENTITY : OTHER;
    case 0x65 /* e */:
      return alike(bytes, start, 'x-envoy-') ? IDENTITY : OTHER;
    case 0x77 /* w */:
      return length > 11 && alike(bytes, start, 'x-waypoint-') ? IDENTITY : OTHER;
    default:
      return OTHER;
  }
}

function classifyForwarded(bytes: Uint8Array, start: number, length: number): number {
  const rest = start + FORWARDED.length;
  for (const name of FORWARDED_NAMES) {
    if (length !== FORWARDED.length + name.length || !alike(bytes, rest, name)) continue;
    return name === 'client-cert' || !same(bytes, start, FORWARDED) ? IDENTITY : FORWARDING;
  }
  return OTHER;
}

/** Setting bit 5 lowers a letter and leaves `-` and digits alone; no other tchar becomes one of those. */
function same(bytes: Uint8Array, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) if ((bytes[start + i]! | 0x20) !== name.charCodeAt(i)) return false;
  return true;
}

function alike(bytes: Uint8Array, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const byte = bytes[start + i]!;
    const folded = byte === UNDERSCORE || byte === DOT ? HYPHEN : byte | 0x20;
    if (folded !== name.charCodeAt(i)) return false;
  }
  return true;
}
