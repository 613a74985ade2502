// The one reading of a request path: normalised once, before it is matched, authorized, logged and forwarded.
//
// The levels and their results are those of Istio's path normalization (MeshConfig.ProxyPathNormalization), made strict:
// what has no sound reading (a malformed escape, NUL, a '..' above the root) is refused instead of guessed.

/**
 * 'none': nothing but the fragment is cut. 'base': RFC 3986 section 6.2.2, dot segments resolved, unreserved characters
 * unescaped, `\` is `/`. 'merge-slashes': and runs of `/` are one. 'decode-and-merge': and `%2F`, `%5C` are `/`, before all that.
 */
export type PathLevel = 'none' | 'base' | 'merge-slashes' | 'decode-and-merge';

const SLASH = 47;
const DOT = 46;
const HASH = 35;
const PERCENT = 37;
const BACKSLASH = 92;

/** Idempotent. null: answer 400. A path without anything to do is returned as it is, without allocation. */
export function normalisePath(raw: string, level: PathLevel): string | null {
  if (raw.charCodeAt(0) !== SLASH) return raw === '*' ? raw : null;
  if (isPlain(raw)) return raw;
  const hash = raw.indexOf('#');
  const path = hash === -1 ? raw : raw.slice(0, hash);
  if (level === 'none') return hasControl(path) || path.includes('%00') ? null : path;
  const decoded = decode(path, level === 'decode-and-merge');
  return decoded === null ? null : resolve(decoded, level !== 'base');
}

/** Printable ASCII without anything that any level would look at twice. */
function isPlain(path: string): boolean {
  let afterSlash = false;
  for (let at = 0; at < path.length; at += 1) {
    const code = path.charCodeAt(at);
    if (code === SLASH || code === DOT) {
      if (afterSlash) return false;
    } else if (code <= 32 || code >= 127 || code === PERCENT || code === BACKSLASH || code === HASH) return false;
    afterSlash = code === SLASH;
  }
  return true;
}

function hasControl(path: string): boolean {
  for (let at = 0; at < path.length; at += 1) {
    const code = path.charCodeAt(at);
    if (code <= 32 || code === 127 || code > 255) return true;
  }
  return false;
}

/** One pass, so that nothing is ever decoded twice: `%252e` stays what it is. */
function decode(path: string, slashes: boolean): string | null {
  let decoded = '';
  let kept = 0;
  for (let at = 0; at < path.length; at += 1) {
    const code = path.charCodeAt(at);
    if (code > 32 && code < 127 && code !== PERCENT && code !== BACKSLASH) continue;
    let replacement = '/';
    let width = 1;
    if (code === PERCENT) {
      const value = hexByte(path, at + 1);
      if (value <= 0) return null;
      width = 3;
      if (isUnreserved(value)) replacement = String.fromCharCode(value);
      else if (!slashes || (value !== SLASH && value !== BACKSLASH)) {
        at += 2;
        continue;
      }
    } else if (code !== BACKSLASH) {
      if (code < 128 || code > 255) return null;
      // A byte beyond ASCII has no place in a target; its escape says the same (RFC 3986 section 2.1).
      replacement = `%${code.toString(16).toUpperCase()}`;
    }
    decoded += path.slice(kept, at) + replacement;
    at += width - 1;
    kept = at + 1;
  }
  return kept === 0 ? path : decoded + path.slice(kept);
}

function hexByte(path: string, at: number): number {
  const high = hexDigit(path.charCodeAt(at));
  const low = hexDigit(path.charCodeAt(at + 1));
  return high === -1 || low === -1 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** RFC 3986 section 2.3: letters, digits, - . _ ~ */
function isUnreserved(code: number): boolean {
  const lower = code | 32;
  if ((lower >= 97 && lower <= 122) || (code >= 48 && code <= 57)) return true;
  return code === 45 || code === DOT || code === 95 || code === 126;
}

/** RFC 3986 section 5.2.4, where an empty segment is a segment: merging comes after, as in the table of Istio. */
function resolve(path: string, merge: boolean): string | null {
  if (!path.includes('/.') && !path.includes('//')) return path;
  const segments = path.split('/');
  const last = segments.length - 1;
  const kept: string[] = [];
  for (let at = 1; at <= last; at += 1) {
    const segment = segments[at] ?? '';
    if (segment === '..') {
      if (kept.pop() === undefined) return null;
    } else if (segment !== '.') {
      kept.push(segment);
      continue;
    }
    if (at === last) kept.push('');
  }
  return `/${(merge ? kept.filter((segment, at) => segment !== '' || at === kept.length - 1) : kept).join('/')}`;
}
