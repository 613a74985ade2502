// Istio's extension providers for external authorization (MeshConfig.extensionProviders): what an AuthorizationPolicy with
// action CUSTOM refers to by name.

import { parseDuration } from './duration.ts';
import { decodePathPrefix, type ExternalAuthPlan, type ForwardBody } from './external-auth.ts';
import { FIELD_VALUE } from './field-syntax.ts';
import { isEditable } from './header-edits.ts';
import { decodeNamePatterns, NO_NAMES } from './header-names.ts';
import type { DecodeReport } from './policy.ts';
import { POSITIVE, quote, SettingsReader } from './settings-reader.ts';

export interface DecodedProvider {
  /** As written: `[namespace/]host`. */
  readonly service: string;
  readonly port: number;
  /** Without the backend, which is the translator's to find. */
  readonly plan: Omit<ExternalAuthPlan, 'backend' | 'failure'>;
}

/** Istio's default: whoever asks waits. */
const TIMEOUT_MS = 600_000;

const COMMON = [
  'service',
  'port',
  'timeout',
  'failOpen',
  'statusOnError',
  'clearRouteCache',
  'includeRequestBodyInCheck',
];
const HTTP = [
  ...COMMON,
  'pathPrefix',
  'includeRequestHeadersInCheck',
  'includeHeadersInCheck',
  'includeAdditionalHeadersInCheck',
  'headersToUpstreamOnAllow',
  'headersToDownstreamOnAllow',
  'headersToDownstreamOnDeny',
];

/** Metrics and logs carry it. */
const NAME = /^[\w./:-]{1,253}$/;

/** One member of `extensionProviders`; null after a report. */
export function decodeProvider(raw: unknown, path: string, report: DecodeReport): DecodedProvider | null {
  const member = (typeof raw === 'object' && raw !== null ? raw : {}) as Readonly<Record<string, unknown>>;
  const { name, ...kinds } = member;
  if (typeof name !== 'string' || !NAME.test(name)) {
    report.unsupported(`${path}.name`, `${quote(name)} is no name of a provider: letters, digits, and _ - . / :`);
    return null;
  }
  const [kind = ''] = Object.keys(kinds);
  if (Object.keys(kinds).length !== 1 || (kind !== 'envoyExtAuthzHttp' && kind !== 'envoyExtAuthzGrpc')) {
    const found = Object.keys(kinds).join(', ') || 'nothing';
    report.unsupported(
      path,
      `a provider that authorizes has envoyExtAuthzHttp or envoyExtAuthzGrpc, and here is ${found}`,
    );
    return null;
  }
  const isHttp = kind === 'envoyExtAuthzHttp';
  const settings = new SettingsReader(kinds[kind], `${path}.${kind}`, report, isHttp ? HTTP : COMMON);
  settings.mandatory('service', 'port');
  const said = common(settings, name, report);
  const plan = isHttp ? { ...said, ...http(settings) } : { ...said, ...GRPC };
  const service = settings.value('service');
  if (settings.has('service') && (typeof service !== 'string' || service === ''))
    settings.refuse('service', `${quote(service)} is no service: write [namespace/]host`);
  const port = settings.integer('port', { min: 1, max: 65_535 }, 1);
  return settings.sound ? { service: service as string, port, plan } : null;
}

type Common = Pick<
  ExternalAuthPlan,
  'provider' | 'timeoutMs' | 'failOpen' | 'statusOnError' | 'forwardBody' | 'clientHeadersOnDeny'
>;
type Own = Omit<DecodedProvider['plan'], keyof Common> & Partial<Common>;

const GRPC: Own = {
  protocol: 'GRPC',
  pathPrefix: '',
  allowedHeaders: null,
  additionalHeaders: [],
  allowedResponseHeaders: NO_NAMES,
  clientHeadersOnAllow: NO_NAMES,
};

function common(settings: SettingsReader, provider: string, report: DecodeReport): Common {
  if (flag(settings, 'clearRouteCache'))
    settings.refuse('clearRouteCache', 'a route is chosen once, before anybody is asked: leave it out');
  return {
    provider,
    timeoutMs: timeout(settings),
    failOpen: flag(settings, 'failOpen'),
    statusOnError: statusOnError(settings),
    forwardBody: body(settings, report),
    clientHeadersOnDeny: null,
  };
}

function http(settings: SettingsReader): Own {
  const old = decodeNamePatterns(settings, 'includeHeadersInCheck');
  return {
    protocol: 'HTTP',
    pathPrefix: decodePathPrefix(settings, 'pathPrefix'),
    allowedHeaders: decodeNamePatterns(settings, 'includeRequestHeadersInCheck') ?? old ?? NO_NAMES,
    additionalHeaders: additional(settings),
    allowedResponseHeaders: decodeNamePatterns(settings, 'headersToUpstreamOnAllow') ?? NO_NAMES,
    clientHeadersOnDeny: decodeNamePatterns(settings, 'headersToDownstreamOnDeny'),
    clientHeadersOnAllow: decodeNamePatterns(settings, 'headersToDownstreamOnAllow') ?? NO_NAMES,
  };
}

/** Protobuf's JSON has seconds with a fraction, `0.5s`; people write `500ms` too. */
function timeout(settings: SettingsReader): number {
  const raw = settings.value('timeout');
  if (raw === undefined) return TIMEOUT_MS;
  const seconds = typeof raw === 'string' ? /^(\d{1,9}(?:\.\d{1,9})?)s$/.exec(raw) : null;
  const ms =
    seconds !== null ? Math.ceil(Number(seconds[1]) * 1000) : typeof raw === 'string' ? parseDuration(raw) : null;
  if (ms !== null && ms > 0) return ms;
  settings.refuse('timeout', `${quote(raw)} is no time to wait: write 10s, 0.5s or 500ms`);
  return TIMEOUT_MS;
}

/** A string, as Istio has it; a number is meant the same. */
function statusOnError(settings: SettingsReader): number {
  const raw = settings.value('statusOnError') ?? '403';
  const status = Number(raw);
  if (
    (typeof raw === 'string' || typeof raw === 'number') &&
    Number.isInteger(status) &&
    status >= 200 &&
    status <= 599
  )
    return status;
  settings.refuse('statusOnError', `${quote(raw)} is no HTTP status`);
  return 403;
}

function flag(settings: SettingsReader, field: string): boolean {
  const raw = settings.value(field) ?? false;
  if (typeof raw !== 'boolean') settings.refuse(field, `${quote(raw)} is neither true nor false`);
  return raw === true;
}

function body(settings: SettingsReader, report: DecodeReport): ForwardBody | null {
  const field = 'includeRequestBodyInCheck';
  if (!settings.has(field)) return null;
  const known = ['maxRequestBytes', 'allowPartialMessage', 'packAsBytes'];
  const part = new SettingsReader(settings.value(field), settings.at(field), report, known);
  part.mandatory('maxRequestBytes');
  const maxBytes = part.integer('maxRequestBytes', POSITIVE, 1);
  const plan = { maxBytes, allowPartial: flag(part, 'allowPartialMessage'), packAsBytes: flag(part, 'packAsBytes') };
  if (!part.sound) settings.sound = false;
  return plan;
}

function additional(settings: SettingsReader): readonly (readonly [name: string, value: string])[] {
  const field = 'includeAdditionalHeadersInCheck';
  const raw = settings.value(field) ?? {};
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    settings.refuse(field, `${quote(raw)} is no map of headers to values`);
    return [];
  }
  return Object.entries(raw).map(([name, value]) => {
    const lower = name.toLowerCase();
    if (!isEditable(lower) || typeof value !== 'string' || !FIELD_VALUE.test(value))
      settings.refuse(`${field}["${name}"]`, `${quote(value)} can not be sent in a header ${quote(name)}`);
    return [lower, String(value).trim()] as const;
  });
}
