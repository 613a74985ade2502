// One parameter of a query string, found by one scan: nothing is built for the parameters that nobody asks for.

const AMPERSAND = 38;
const EQUALS = 61;
const PERCENT = 37;
const PLUS = 43;

/**
 * The first value of the parameter (Gateway API recommends the first of a repeated one), null when it is absent and ''
 * when it has none. Names and values are compared as a backend reads a form: `%41` is A, `+` is a blank. A malformed
 * escape decodes nothing: that name or value counts as it is written.
 */
export function queryValue(query: string, name: string): string | null {
  let start = 0;
  while (start < query.length) {
    let encoded = false;
    let equals = -1;
    let at = start;
    for (; at < query.length; at += 1) {
      const code = query.charCodeAt(at);
      if (code === AMPERSAND) break;
      if (equals !== -1) continue;
      if (code === EQUALS) equals = at;
      else if (code === PERCENT || code === PLUS) encoded = true;
    }
    const nameEnd = equals === -1 ? at : equals;
    if (at > start && isName(query, start, nameEnd, encoded, name)) {
      return equals === -1 ? '' : decodeForm(query.slice(equals + 1, at));
    }
    start = at + 1;
  }
  return null;
}

function isName(query: string, start: number, end: number, encoded: boolean, name: string): boolean {
  const same = end - start === name.length && query.startsWith(name, start);
  if (!encoded) return same;
  if (same) return decodeForm(name) === name;
  return decodesTo(query, start, end, name);
}

/** Names are tokens, so ASCII: compared byte by byte, with no exception to throw for each hostile escape. */
function decodesTo(query: string, start: number, end: number, name: string): boolean {
  let at = start;
  for (let place = 0; place < name.length; place += 1) {
    if (at >= end) return false;
    let code = query.charCodeAt(at);
    if (code === PLUS) code = 32;
    else if (code === PERCENT) {
      const digits = query.slice(at + 1, Math.min(at + 3, end));
      if (!HEX_BYTE.test(digits)) return false;
      code = Number.parseInt(digits, 16);
      if (code > 127) return false;
      at += 2;
    }
    if (code !== name.charCodeAt(place)) return false;
    at += 1;
  }
  return at === end;
}

const HEX_BYTE = /^[0-9a-f]{2}$/i;

/** A name or a value as forms write it; as it stands where it can not be decoded. */
export function decodeForm(text: string): string {
  if (!text.includes('%')) return text.includes('+') ? text.replaceAll('+', ' ') : text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
