// External authorization: which service is asked whether a request may pass, what it is told, and what of its answer counts.

import { formatDuration } from './duration.ts';
import { decodeNames, describeNames, type HeaderNames, NO_NAMES } from './header-names.ts';
import type { PlanFailure } from './plan.ts';
import type { DecodeReport, FilterKind } from './policy.ts';
import { COUNT, quote, SettingsReader } from './settings-reader.ts';

/** Plain data: of an `externalAuth` filter, or of an extension provider that an AuthorizationPolicy names. */
export interface ExternalAuthPlan {
  /** Names it in log and metrics, and its breaker: `shop/auth:9000`, or the name of the extension provider. */
  readonly provider: string;
  readonly protocol: 'HTTP' | 'GRPC';
  /** `namespace/name:port`; null when `failure` says why nobody can be asked: then every request is refused. */
  readonly backend: string | null;
  readonly failure: PlanFailure | null;
  /** Written before the path in what an HTTP service is asked; '' for none. */
  readonly pathPrefix: string;
  /** Fields of the request that it is told, beside those it is always told; null: all. */
  readonly allowedHeaders: HeaderNames | null;
  /** Fixed fields it is told, instead of those of the request. */
  readonly additionalHeaders: readonly (readonly [name: string, value: string])[];
  /** Fields of an HTTP service's consent that go into the request; null: all. */
  readonly allowedResponseHeaders: HeaderNames | null;
  /** Fields of its refusal that the client is told; null: all. */
  readonly clientHeadersOnDeny: HeaderNames | null;
  /** Fields of its consent that the client is told. */
  readonly clientHeadersOnAllow: HeaderNames;
  /** null: it is told nothing of the body, and is asked before the body came. */
  readonly forwardBody: ForwardBody | null;
  readonly timeoutMs: number;
  /** Whether a request passes where nobody answers. */
  readonly failOpen: boolean;
  /** What the client is answered where nobody answers and `failOpen` is false. */
  readonly statusOnError: number;
}

export interface ForwardBody {
  readonly maxBytes: number;
  /** Of a longer body its beginning is told; false: 413. */
  readonly allowPartial: boolean;
  /** A gRPC service is told bytes instead of text. */
  readonly packAsBytes: boolean;
}

/** In the list of a rule's filters: those behind it wait for the answer. */
export interface ExternalAuthFilter {
  readonly kind: 'ExternalAuth';
  readonly plan: ExternalAuthPlan;
}

/** The API has no field for it; whoever waits longer than this for a verdict has been forgotten. */
const FILTER_TIMEOUT_MS = 10_000;

/** Left to the translator to resolve: the filter knows no objects. */
const UNRESOLVED: PlanFailure = { reason: 'BackendNotFound', message: 'the backendRef was not resolved' };

/** GEP-1494. Whoever serves asks the service itself: there is nothing to do at once. */
export const externalAuth: FilterKind<ExternalAuthFilter> = {
  kind: 'ExternalAuth',
  field: 'externalAuth',
  decode: decodeExternalAuth,
  describe: ({ plan }: ExternalAuthFilter): string => `ExternalAuth: ${describeExternalAuth(plan)}`,
};

function decodeExternalAuth(raw: unknown, path: string, report: DecodeReport): ExternalAuthFilter | null {
  const settings = new SettingsReader(raw, path, report, ['protocol', 'backendRef', 'grpc', 'http', 'forwardBody']);
  settings.mandatory('protocol', 'backendRef');
  const protocol = settings.value('protocol') === 'GRPC' ? 'GRPC' : 'HTTP';
  if (settings.has('protocol') && settings.value('protocol') !== protocol)
    settings.refuse('protocol', `${quote(settings.value('protocol'))} is no protocol of an auth service: HTTP or GRPC`);
  const other = protocol === 'GRPC' ? 'http' : 'grpc';
  if (settings.has(other)) settings.refuse(other, `does not go with protocol ${protocol}`);
  const said = protocol === 'GRPC' ? grpcSettings(settings, report) : httpSettings(settings, report);
  const forwardBody = decodeForwardBody(settings, report);
  if (!settings.sound || said === null) return null;
  const plan: ExternalAuthPlan = {
    provider: '',
    protocol,
    backend: null,
    failure: UNRESOLVED,
    ...said,
    additionalHeaders: [],
    clientHeadersOnDeny: null,
    clientHeadersOnAllow: NO_NAMES,
    forwardBody,
    timeoutMs: FILTER_TIMEOUT_MS,
    failOpen: false,
    statusOnError: 403,
  };
  return { kind: 'ExternalAuth', plan };
}

type Said = Pick<ExternalAuthPlan, 'pathPrefix' | 'allowedHeaders' | 'allowedResponseHeaders'>;

/** An empty list: all fields. */
function grpcSettings(settings: SettingsReader, report: DecodeReport): Said | null {
  const grpc = new SettingsReader(settings.value('grpc') ?? {}, settings.at('grpc'), report, ['allowedHeaders']);
  const allowedHeaders = decodeNames(grpc, 'allowedHeaders');
  return grpc.sound ? { pathPrefix: '', allowedHeaders, allowedResponseHeaders: null } : null;
}

/** An empty list of request fields: none beside those it is always told; of response fields: all. */
function httpSettings(settings: SettingsReader, report: DecodeReport): Said | null {
  const known = ['path', 'allowedHeaders', 'allowedResponseHeaders'];
  const http = new SettingsReader(settings.value('http') ?? {}, settings.at('http'), report, known);
  const allowedHeaders = decodeNames(http, 'allowedHeaders') ?? NO_NAMES;
  const allowedResponseHeaders = decodeNames(http, 'allowedResponseHeaders');
  const pathPrefix = decodePathPrefix(http, 'path');
  return http.sound ? { pathPrefix, allowedHeaders, allowedResponseHeaders } : null;
}

/** Without a slash at its end: the path that follows begins with one. */
export function decodePathPrefix(settings: SettingsReader, field: string): string {
  const raw = settings.value(field) ?? '';
  if (typeof raw === 'string' && /^(\/[-A-Za-z0-9/._~!$&'()*+,;=:@%]*)?$/.test(raw)) return raw.replace(/\/+$/, '');
  settings.refuse(field, `${quote(raw)} is no path: begin with / and escape what is not allowed in one`);
  return '';
}

function decodeForwardBody(settings: SettingsReader, report: DecodeReport): ForwardBody | null {
  if (!settings.has('forwardBody')) return null;
  const body = new SettingsReader(settings.value('forwardBody'), settings.at('forwardBody'), report, ['maxSize']);
  const maxBytes = body.integer('maxSize', COUNT, 0);
  if (!body.sound) settings.sound = false;
  return maxBytes === 0 ? null : { maxBytes, allowPartial: false, packAsBytes: false };
}

/** For people: whom it asks, what it tells, what happens when nobody answers. */
export function describeExternalAuth(plan: ExternalAuthPlan): string {
  const { provider, protocol, failure, forwardBody, allowedHeaders, failOpen, statusOnError } = plan;
  if (failure !== null) return `refuses every request: ${failure.message}`;
  const whom = provider === plan.backend ? provider : `${provider} (${plan.backend})`;
  const prefix = plan.pathPrefix === '' ? '' : ` below ${plan.pathPrefix}`;
  const body = forwardBody === null ? '' : `, up to ${forwardBody.maxBytes} bytes of the body`;
  const silence = failOpen ? 'lets pass' : `answers ${statusOnError}`;
  return (
    `asks ${whom} over ${protocol}${prefix}, telling headers: ${describeNames(allowedHeaders)}${body}; ` +
    `without an answer in ${formatDuration(plan.timeoutMs)} it ${silence}`
  );
}
