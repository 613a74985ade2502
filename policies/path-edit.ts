// ReplaceFullPath and ReplacePrefixMatch: what redirects and rewrites do to a path (Gateway API HTTPPathModifier).

import { normalisePath } from '../routing/path.ts';
import type { DecodeReport } from './policy.ts';

export interface PathEdit {
  readonly type: 'ReplaceFullPath' | 'ReplacePrefixMatch';
  /** ReplaceFullPath: the path. ReplacePrefixMatch: what stands before the rest, without a trailing '/', so '' for '/'. */
  readonly value: string;
}

/** URL path characters and escapes (RFC 3986): no query, no fragment, nothing that could end the request line. */
const PATH = /^(?:[!$&'()*+,\-./0-9:;=@A-Z_a-z~]|%[0-9A-Fa-f]{2})*$/;
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:\/|$)/i;
/** Slashes that a server may read as fewer, or as more, than stand there. */
const AMBIGUOUS_SLASH = /\/\/|%2f|%5c/i;
const HOSTNAME = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** null after a report. */
export function decodePathEdit(settings: unknown, path: string, report: DecodeReport): PathEdit | null {
  const { type, replaceFullPath, replacePrefixMatch } = settings as {
    readonly type?: string;
    readonly replaceFullPath?: string;
    readonly replacePrefixMatch?: string;
  };
  if (type === 'ReplaceFullPath') {
    const value = checkPath(replaceFullPath, `${path}.replaceFullPath`, report);
    return value === null ? null : { type, value: value === '' ? '/' : value };
  }
  if (type === 'ReplacePrefixMatch') {
    const value = checkPath(replacePrefixMatch, `${path}.replacePrefixMatch`, report);
    return value === null ? null : { type, value: value.endsWith('/') ? value.slice(0, -1) : value };
  }
  report.unsupported(`${path}.type`, `path type "${type}" is not supported: use ReplaceFullPath or ReplacePrefixMatch`);
  return null;
}

/**
 * The edited path; null when it would climb above the root (answer 400). `prefix` is the PathPrefix that matched; where
 * none did there is nothing to replace, and the path stays. Whatever the request's own spelling was, the result starts
 * with one '/' and holds no dot segment: a '//host' at the start would name another server.
 */
export function editPath(edit: PathEdit | null, path: string, prefix: string | null): string | null {
  if (edit?.type === 'ReplaceFullPath') return edit.value;
  if (edit === null || prefix === null || path === '*') return tidyPath(path);
  if (path === prefix) return tidyPath(edit.value);
  return tidyPath(edit.value + (prefix === '/' ? path : path.slice(prefix.length)));
}

export function describePathEdit(edit: PathEdit): string {
  return edit.type === 'ReplaceFullPath' ? `path becomes ${edit.value}` : `matched prefix becomes ${edit.value || '/'}`;
}

/** Whether `hostname` is absent or a name that may be written into an authority; reports otherwise. */
export function checkHostname(hostname: string | undefined, path: string, report: DecodeReport): boolean {
  if (hostname === undefined || HOSTNAME.test(hostname)) return true;
  report.unsupported(path, `"${hostname}" is no host name: lower-case labels, without wildcard and port`);
  return false;
}

function checkPath(value: string | undefined, path: string, report: DecodeReport): string | null {
  if (value === undefined) report.unsupported(path, 'is required by the type of this path');
  else if (value !== '' && !value.startsWith('/')) report.unsupported(path, `"${value}" must start with '/'`);
  else if (!PATH.test(value)) {
    report.unsupported(path, `"${value}" is no URL path: escape what is not plain as %XX, leave out '?' and '#'`);
  } else if (DOT_SEGMENT.test(value) || AMBIGUOUS_SLASH.test(value)) {
    report.unsupported(path, `"${value}" holds '//', a dot segment or an escaped slash: write the path it means`);
  } else return value;
  return null;
}

function tidyPath(path: string): string | null {
  if (path === '' || path === '*') return path || '/';
  let extra = 0;
  while (isSlash(path.charCodeAt(extra + 1))) extra++;
  const single = extra === 0 ? path : `/${path.slice(extra + 1)}`;
  // Only a listener that normalises nothing lets dot segments come as far as this.
  const dotted = (single.includes('/.') || single.includes('/%')) && DOT_SEGMENT.test(single);
  return dotted ? normalisePath(single, 'merge-slashes') : single;
}

function isSlash(code: number): boolean {
  return code === 0x2f || code === 0x5c;
}
