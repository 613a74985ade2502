// The path as servers see it that take what follows `;` in a segment for parameters (RFC 3986 section 3.3), Tomcat above all.

/** Whether the two readings of the path may differ. */
export function hasParameters(path: string): boolean {
  return path.includes(';');
}

/**
 * Of a normalised path, without its parameters. Segments that are nothing but parameters go, and dot segments that come
 * to light are resolved, at the root too: what is left is what such a server would serve.
 */
export function withoutParameters(path: string): string {
  const segments = path.split('/');
  const last = segments.length - 1;
  const kept: string[] = [];
  for (let at = 1; at <= last; at += 1) {
    const segment = segments[at] as string;
    const semicolon = segment.indexOf(';');
    if (semicolon === -1) {
      kept.push(segment);
      continue;
    }
    const name = segment.slice(0, semicolon);
    if (name === '..') kept.pop();
    else if (name !== '' && name !== '.') {
      kept.push(name);
      continue;
    }
    if (at === last) kept.push('');
  }
  return `/${kept.join('/')}`;
}
