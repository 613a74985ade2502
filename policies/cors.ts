// CORS: answers preflights and tells browsers which origins may read the answers (Gateway API GEP-1767, Fetch standard).

import type { Fields, RequestHead, ResponseHead } from '../routing/request.ts';
import { type CorsOrigins, decodeOrigins, describeOrigins, originAllowed } from './cors-origins.ts';
import { FIELD_NAME } from './field-syntax.ts';
import type { DecodeReport, FilterContext, FilterKind, LocalReply } from './policy.ts';

export interface CorsFilter {
  readonly kind: 'CORS';
  readonly origins: CorsOrigins;
  readonly credentials: boolean;
  /** Ready to send; '*': what the preflight asks for is echoed, '': the field is left out. */
  readonly methods: string;
  readonly headers: string;
  /** Ready to send, '' for none. Never '*' together with credentials, where it would name a header called '*'. */
  readonly expose: string;
  readonly maxAgeSeconds: number;
}

type Header = readonly [name: string, value: string];

const ALLOW_ORIGIN = 'access-control-allow-origin';
const ALLOW_CREDENTIALS = 'access-control-allow-credentials';
const ALLOW_METHODS = 'access-control-allow-methods';
const ALLOW_HEADERS = 'access-control-allow-headers';
const EXPOSE_HEADERS = 'access-control-expose-headers';
const MAX_AGE = 'access-control-max-age';
const REQUEST_METHOD = 'access-control-request-method';
const REQUEST_HEADERS = 'access-control-request-headers';

const DEFAULT_MAX_AGE_SECONDS = 5;
const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const NAME_LIST = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[ \t]*,[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+)*$/;
const NAMES_ORIGIN = /(?:^|,)[ \t]*(?:\*|origin)[ \t]*(?:,|$)/i;
const PREFLIGHT_VARY: Header = ['vary', 'origin, access-control-request-method, access-control-request-headers'];
const DENIED: LocalReply = { status: 403, reason: 'cors_origin_denied', headers: [PREFLIGHT_VARY], body: '' };

export const cors: FilterKind<CorsFilter> = {
  kind: 'CORS',
  field: 'cors',
  decode(settings: unknown, path: string, report: DecodeReport): CorsFilter | null {
    const raw = settings as CorsSettings;
    const credentials = raw.allowCredentials ?? false;
    const origins = decodeOrigins(raw.allowOrigins ?? [], `${path}.allowOrigins`, report);
    const methods = list(raw.allowMethods, METHOD, `${path}.allowMethods`, report);
    const headers = list(raw.allowHeaders, FIELD_NAME, `${path}.allowHeaders`, report);
    const expose = list(raw.exposeHeaders, FIELD_NAME, `${path}.exposeHeaders`, report);
    const maxAgeSeconds = raw.maxAge ?? DEFAULT_MAX_AGE_SECONDS;
    if (origins === null || methods === null || headers === null || expose === null) return null;
    const readable = expose === '*' && credentials ? '' : expose;
    return { kind: 'CORS', origins, credentials, methods, headers, expose: readable, maxAgeSeconds };
  },
  /** A preflight is answered here and never forwarded; every other request goes on, whatever its origin. */
  request(filter: CorsFilter, context: FilterContext): LocalReply | null {
    const { head } = context;
    if (head.method !== 'OPTIONS' || !head.fields.has('origin')) return null;
    const method = head.fields.get(REQUEST_METHOD);
    if (method === undefined) return null;
    return preflight(filter, head, method);
  },
  /** The origin is judged again, so that nothing needs to be kept between the two; what is set twice stays the same. */
  response(filter: CorsFilter, context: FilterContext, head: ResponseHead): void {
    const origin = context.head.fields.get('origin');
    const { fields } = head;
    if (!variesByOrigin(fields)) fields.append('vary', 'origin');
    if (origin === undefined) return;
    if (!originAllowed(filter.origins, origin)) {
      // Who may read is decided here, not by the backend.
      fields.remove(ALLOW_ORIGIN);
      fields.remove(ALLOW_CREDENTIALS);
      return;
    }
    fields.set(ALLOW_ORIGIN, origin);
    if (filter.credentials) fields.set(ALLOW_CREDENTIALS, 'true');
    else fields.remove(ALLOW_CREDENTIALS);
    if (filter.expose !== '') fields.set(EXPOSE_HEADERS, filter.expose);
  },
  describe(filter: CorsFilter): string {
    const parts = [
      `origins ${describeOrigins(filter.origins)}`,
      filter.methods === '' ? '' : `methods ${filter.methods}`,
      filter.headers === '' ? '' : `headers ${filter.headers}`,
      filter.expose === '' ? '' : `exposes ${filter.expose}`,
      filter.credentials ? 'with credentials' : '',
      `preflights kept ${filter.maxAgeSeconds} s`,
    ];
    return `CORS: ${parts.filter(Boolean).join(', ')}`;
  },
};

interface CorsSettings {
  readonly allowOrigins?: readonly string[];
  readonly allowMethods?: readonly string[];
  readonly allowHeaders?: readonly string[];
  readonly exposeHeaders?: readonly string[];
  readonly allowCredentials?: boolean;
  readonly maxAge?: number;
}

/** 200 rather than 204: some clients and the conformance suite take only that. */
function preflight(filter: CorsFilter, head: RequestHead, method: string): LocalReply {
  const origin = head.fields.get('origin') ?? '';
  if (!originAllowed(filter.origins, origin)) return DENIED;
  const headers: Header[] = [[ALLOW_ORIGIN, origin]];
  if (filter.credentials) headers.push([ALLOW_CREDENTIALS, 'true']);
  const methods = filter.methods === '*' ? echoed(method, METHOD) : filter.methods;
  if (methods !== '') headers.push([ALLOW_METHODS, methods]);
  const names = filter.headers === '*' ? echoed(head.fields.get(REQUEST_HEADERS), NAME_LIST) : filter.headers;
  if (names !== '') headers.push([ALLOW_HEADERS, names]);
  if (filter.expose !== '') headers.push([EXPOSE_HEADERS, filter.expose]);
  headers.push([MAX_AGE, String(filter.maxAgeSeconds)], PREFLIGHT_VARY);
  return { status: 200, reason: 'cors_preflight', headers, body: '' };
}

function echoed(value: string | undefined, syntax: RegExp): string {
  return value !== undefined && syntax.test(value) ? value : '';
}

function variesByOrigin(fields: Fields): boolean {
  const vary = fields.get('vary');
  return vary !== undefined && NAMES_ORIGIN.test(vary);
}

/** The members joined for sending, '*' alone, or null after a report. */
function list(
  members: readonly string[] | undefined,
  syntax: RegExp,
  path: string,
  report: DecodeReport,
): string | null {
  if (members === undefined) return '';
  let sound = true;
  for (const [index, member] of members.entries()) {
    if (syntax === FIELD_NAME ? FIELD_NAME.test(member.toLowerCase()) : syntax.test(member)) continue;
    report.unsupported(`${path}[${index}]`, `"${member}" is no name that HTTP allows`);
    sound = false;
  }
  if (members.length > 1 && members.includes('*')) {
    report.unsupported(path, "'*' stands alone: remove it or the others");
    sound = false;
  }
  return sound ? members.join(', ') : null;
}
