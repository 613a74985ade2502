// RequestRedirect: answers with the address where the client should ask instead.

import { checkHostname, decodePathEdit, describePathEdit, editPath, type PathEdit } from './path-edit.ts';
import type { DecodeReport, FilterContext, FilterKind, LocalReply } from './policy.ts';

export interface RequestRedirect {
  readonly kind: 'RequestRedirect';
  /** null: the request's. */
  readonly scheme: 'http' | 'https' | null;
  readonly hostname: string | null;
  /** 0: derived from the scheme, or from the listener. */
  readonly port: number;
  readonly path: PathEdit | null;
  readonly status: number;
}

const STATUSES: readonly number[] = [301, 302, 303, 307, 308];
const BAD_PATH: LocalReply = { status: 400, reason: 'redirect_path_invalid', headers: [], body: 'bad request\n' };
/** What may not stand in a Location as it is: controls, blanks and bytes beyond US-ASCII. */
const UNSAFE = /[^!-~]/g;

export const requestRedirect: FilterKind<RequestRedirect> = {
  kind: 'RequestRedirect',
  field: 'requestRedirect',
  decode(settings: unknown, path: string, report: DecodeReport): RequestRedirect | null {
    const raw = settings as RedirectSettings;
    const status = raw.statusCode ?? 302;
    let sound = checkHostname(raw.hostname, `${path}.hostname`, report);
    if (!STATUSES.includes(status)) {
      report.unsupported(`${path}.statusCode`, `${status} is no redirect here: use one of ${STATUSES.join(', ')}`);
      sound = false;
    }
    if (raw.scheme !== undefined && raw.scheme !== 'http' && raw.scheme !== 'https') {
      report.unsupported(`${path}.scheme`, `scheme "${raw.scheme}" is not supported: use http or https`);
      return null;
    }
    const edit = raw.path === undefined ? null : decodePathEdit(raw.path, `${path}.path`, report);
    if (!sound || (edit === null && raw.path !== undefined)) return null;
    const { scheme, hostname, port } = raw;
    return {
      kind: 'RequestRedirect',
      scheme: scheme ?? null,
      hostname: hostname ?? null,
      port: port ?? 0,
      path: edit,
      status,
    };
  },
  request(filter: RequestRedirect, context: FilterContext): LocalReply | null {
    const { head } = context;
    const path = editPath(filter.path, head.path, context.matchedPrefix);
    if (path === null) return BAD_PATH;
    // `OPTIONS *` asks the server as a whole, which has no path to write behind a host.
    const kept = path === '*' ? '/' : path;
    const target = head.query === '' ? kept : `${kept}?${head.query}`;
    const location = `${origin(filter, context)}${target}`.replace(UNSAFE, percentEncode);
    return { status: filter.status, reason: 'redirect', headers: [['location', location]], body: '' };
  },
  describe(filter: RequestRedirect): string {
    const { scheme, hostname, port, path } = filter;
    const parts = [
      scheme === null ? '' : `scheme ${scheme}`,
      hostname === null ? '' : `host ${hostname}`,
      port === 0 ? '' : `port ${port}`,
      path === null ? '' : describePathEdit(path),
    ];
    return `RequestRedirect: ${filter.status} to ${parts.filter(Boolean).join(', ') || 'the same address'}`;
  },
};

interface RedirectSettings {
  readonly scheme?: string;
  readonly hostname?: string;
  readonly port?: number;
  readonly path?: unknown;
  readonly statusCode?: number;
}

/** Scheme and authority; '' (a relative Location) for a request that named no host. */
function origin(filter: RequestRedirect, context: FilterContext): string {
  const host = filter.hostname ?? context.head.host;
  if (host === '') return '';
  const scheme = filter.scheme ?? context.head.scheme;
  const wellKnown = scheme === 'https' ? 443 : 80;
  const derived = filter.scheme === null ? context.listenerPort : wellKnown;
  const port = filter.port === 0 ? derived : filter.port;
  return port === wellKnown ? `${scheme}://${host}` : `${scheme}://${host}:${port}`;
}

function percentEncode(character: string): string {
  return `%${(character.charCodeAt(0) & 0xff).toString(16).toUpperCase().padStart(2, '0')}`;
}
