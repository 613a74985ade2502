// The forms of a request-target (RFC 9112 section 3.2), told apart and cut into authority, path and query.

import { normalisePath, type PathLevel } from '../../routing/path.ts';

export interface Target {
  /** Of the connection: a target in absolute-form may not name another. */
  readonly scheme: 'http' | 'https';
  /** Of an absolute-form target; null for the other forms. */
  targetAuthority: string | null;
  path: string;
  query: string;
  hasQuery: boolean;
  /** The path is forwarded as it was sent. */
  verbatim: boolean;
}

/** Fills `target` from `raw`; '' or the reason for refusing it. */
export function readTarget(raw: string, isOptions: boolean, level: PathLevel, target: Target): string {
  target.targetAuthority = null;
  if (raw === '*') {
    target.path = '*';
    target.query = '';
    target.hasQuery = false;
    target.verbatim = true;
    return isOptions ? '' : 'target_form';
  }
  if (raw.charCodeAt(0) === 0x2f) return readPath(raw, level, target);
  const start = target.scheme.length + 3;
  if (raw.slice(0, start).toLowerCase() !== `${target.scheme}://`) return 'target_form';
  const length = raw.slice(start).search(/[/?#]/);
  const end = length < 0 ? raw.length : start + length;
  const rest = raw.slice(end);
  const fault = readPath(rest.startsWith('/') ? rest : `/${rest}`, level, target);
  target.targetAuthority = raw.slice(start, end);
  target.verbatim = false;
  // RFC 9112 section 3.2.4: an OPTIONS without path asks about the server.
  if (isOptions && rest === '') target.path = '*';
  return fault;
}

function readPath(raw: string, level: PathLevel, target: Target): string {
  // A fragment is never sent (RFC 9110 section 4.1). Whoever sends one gets it cut, query and all, before anything reads it.
  const hash = raw.indexOf('#');
  const sent = hash < 0 ? raw : raw.slice(0, hash);
  const mark = sent.indexOf('?');
  const path = mark < 0 ? sent : sent.slice(0, mark);
  target.hasQuery = mark >= 0;
  target.query = mark < 0 ? '' : sent.slice(mark + 1);
  const normal = normalisePath(path, level);
  if (normal === null) return 'path_invalid';
  target.path = normal;
  target.verbatim = hash < 0 && normal === path;
  return '';
}
