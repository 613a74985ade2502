// One rule of a route: its matches and what is done with the requests that they take, broken parts as values that answer 500.

import type { ExternalAuthFilter } from '../policies/external-auth.ts';
import { type DecodedFilters, decodeFilters, type Filter } from '../policies/index.ts';
import type { DecodedMirror, MirrorPlan } from '../policies/mirror.ts';
import type { BackendShare, PlanFailure, RoutePlan, RulePlan } from '../policies/plan.ts';
import type { DecodeReport } from '../policies/policy.ts';
import { decodeRouteRetry } from '../policies/retry.ts';
import { decodeSession } from '../policies/session.ts';
import { decodeTimeouts } from '../policies/timeouts.ts';
import { NO_REQUEST_POLICY } from '../policies/traffic.ts';
import type { Reads } from './attach.ts';
import { type Frontend, type PortRef, type RuleStanzas, requestPolicy } from './policies/request-policy.ts';
import type { PolicyIndex } from './policies/targets.ts';
import type { BackendRef, HTTPRoute, HTTPRouteRule, RouteFilter } from './resources.ts';
import { type BackendObjectReference, type BackendScope, type Requester, resolveBackend } from './translate-backend.ts';
import { translateMatches } from './translate-match.ts';

/** Something of a rule that cannot be honoured, for the route's status. */
export interface Problem extends PlanFailure {
  /** The condition that turns False. */
  readonly condition: 'Accepted' | 'ResolvedRefs';
  readonly path: string;
}

export interface TranslatedRule {
  /** null: no match of it can be evaluated. */
  readonly rule: RulePlan | null;
  readonly problems: readonly Problem[];
  /** Nothing that it was ordered to do is done: its requests are answered 500, or it takes none. */
  readonly isRefused: boolean;
}

/** What the rules of one route share while they are translated. */
export interface RuleScope extends BackendScope {
  readonly route: HTTPRoute;
  readonly requester: Requester;
  readonly policies: PolicyIndex;
  readonly frontend: Frontend;
  readonly reads: Reads;
}

/** What is translated of one rule, for its parts. */
interface RuleDraft {
  readonly path: string;
  readonly stanzas: RuleStanzas;
  readonly problems: Problem[];
}

const NONE: readonly never[] = [];
/** What the shares say counts. */
const NO_POLICY = { policy: NO_REQUEST_POLICY, origins: NONE };
const SILENT: DecodeReport = { unsupported() {} };

export function translateRule(rule: HTTPRouteRule, index: number, scope: RuleScope): TranslatedRule {
  const path = `spec.rules[${index}]`;
  const problems: Problem[] = [];
  const unsupported = (at: string, message: string): void => {
    problems.push({ condition: 'Accepted', reason: 'UnsupportedValue', path: at, message });
  };
  const matches = translateMatches(rule.matches, `${path}.matches`, unsupported);
  const behind = problems.length;
  const timeouts = decodeTimeouts(rule.timeouts, `${path}.timeouts`, { unsupported });
  const stanzas = stanzasOf(rule, index, scope);
  judgeStanzas(stanzas, { unsupported });
  const decoded = decode(rule.filters, `${path}.filters`, problems);
  const filters = withService(decoded, problems, scope);
  const redirects = decoded.filters.some((filter) => filter.kind === 'RequestRedirect');
  if (redirects && (rule.backendRefs ?? NONE).length > 0) problems.push(redirectWithBackends(path));
  const own = problems.slice(behind);
  const isRefused = matches.length === 0 || own.some(({ condition }) => condition === 'Accepted');
  const draft: RuleDraft = { path, stanzas, problems };
  const backends = redirects ? NONE : shares(rule.backendRefs ?? NONE, draft, scope);
  const plan: RoutePlan = {
    kind: 'HTTPRoute',
    route: `${scope.route.metadata.namespace}/${scope.route.metadata.name}`,
    rule: rule.name ?? String(index),
    filters,
    backends,
    mirrors: mirrors(decoded.mirrors, problems, scope),
    timeouts,
    ...(backends.length > 0 ? NO_POLICY : policyOf(null, draft, scope)),
    failure: failureOf(own),
  };
  return { rule: matches.length === 0 ? null : { matches, plan }, problems, isRefused };
}

function stanzasOf(rule: HTTPRouteRule, index: number, { route }: RuleScope): RuleStanzas {
  const { name, retry, sessionPersistence } = rule;
  return {
    route: `${route.metadata.namespace}/${route.metadata.name}`,
    rule: name ?? '',
    id: name ?? String(index),
    path: `spec.rules[${index}]`,
    createdAt: route.createdAt,
    retry,
    sessionPersistence,
  };
}

function judgeStanzas({ retry, sessionPersistence, path }: RuleStanzas, report: DecodeReport): void {
  if (retry !== undefined) decodeRouteRetry(retry, `${path}.retry`, report, null);
  if (sessionPersistence !== undefined) decodeSession(sessionPersistence, `${path}.sessionPersistence`, report);
}

/** `backend`: id of the one that the requests go to; null: none. */
function policyOf(
  backend: string | null,
  { stanzas }: RuleDraft,
  { policies, frontend, resources, reads }: RuleScope,
): Pick<BackendShare, 'policy' | 'origins'> {
  reads.add(`Policy HTTPRoute ${stanzas.route}`);
  const port = backend === null ? null : portOf(backend, resources);
  if (port !== null) reads.add(`Policy Service ${port.service}`);
  const { policy, origins } = requestPolicy({ index: policies, frontend, stanzas, backend: port });
  return { policy, origins };
}

function portOf(backend: string, resources: RuleScope['resources']): PortRef {
  const colon = backend.lastIndexOf(':');
  const service = backend.slice(0, colon);
  const number = Number(backend.slice(colon + 1));
  const ports = resources.Service.get(service)?.spec.ports ?? NONE;
  return { service, port: ports.find(({ port, protocol }) => port === number && protocol === 'TCP')?.name ?? '' };
}

function shares(
  refs: readonly (BackendRef & { readonly filters?: readonly RouteFilter[] })[],
  draft: RuleDraft,
  scope: RuleScope,
): readonly BackendShare[] {
  const { path, problems } = draft;
  if (refs.length === 0) return NONE;
  return refs.map((ref, index) => {
    const at = `${path}.backendRefs[${index}]`;
    const { backend, failure } = resolveBackend(ref, scope.requester, scope, scope.reads);
    if (failure !== null) problems.push({ condition: 'ResolvedRefs', path: at, ...failure });
    const before = problems.length;
    const decoded = decode(ref.filters, `${at}.filters`, problems);
    const filters = withService(decoded, problems, scope);
    const broken = failure ?? failureOf(problems.slice(before));
    return {
      weight: ref.weight,
      backend: broken === null ? backend : null,
      failure: broken,
      filters,
      mirrors: mirrors(decoded.mirrors, problems, scope),
      ...policyOf(broken === null ? backend : null, draft, scope),
    };
  });
}

/** A mirror that leads nowhere copies nothing; the request itself is served all the same (Gateway API, RequestMirror). */
function mirrors(decoded: readonly DecodedMirror[], problems: Problem[], scope: RuleScope): readonly MirrorPlan[] {
  if (decoded.length === 0) return NONE;
  return decoded.map(({ backendRef, path, numerator, denominator, afterFilter }) => {
    const ref = backendRef as BackendObjectReference;
    const { backend, failure } = resolveBackend(ref, scope.requester, scope, scope.reads);
    if (failure !== null) problems.push({ condition: 'ResolvedRefs', path, ...failure });
    return { backend, failure, numerator, denominator, afterFilter };
  });
}

/** The filters, of which one may ask an outside service: where that is not to be had, whatever it guards is answered 500. */
function withService(decoded: DecodedFilters, problems: Problem[], scope: RuleScope): readonly Filter[] {
  const { filters, externalAuth } = decoded;
  if (externalAuth === null) return filters;
  const { index, path } = externalAuth;
  const ref = externalAuth.backendRef as BackendObjectReference;
  const filter = filters[index] as ExternalAuthFilter;
  const { protocol } = filter.plan;
  const requester: Requester = protocol === 'GRPC' ? { ...scope.requester, speaks: 'grpc' } : scope.requester;
  const { backend, failure } = resolveBackend(ref, requester, scope, scope.reads);
  if (failure !== null) problems.push({ condition: 'ResolvedRefs', path, ...failure });
  const plan = { ...filter.plan, provider: backend ?? ref.name, backend, failure };
  return filters.with(index, { kind: 'ExternalAuth', plan });
}

function decode(filters: readonly RouteFilter[] | undefined, path: string, problems: Problem[]): DecodedFilters {
  const decoded = decodeFilters(filters, path, SILENT);
  for (const problem of decoded.unsupported) {
    const isReference = filters?.some(
      (filter, index) => filter.type === 'ExtensionRef' && problem.path.startsWith(`${path}[${index}]`),
    );
    problems.push(
      isReference
        ? { condition: 'ResolvedRefs', reason: 'InvalidKind', path: problem.path, message: problem.message }
        : { condition: 'Accepted', ...problem },
    );
  }
  return decoded;
}

function redirectWithBackends(path: string): Problem {
  const message = 'a rule that redirects cannot have backendRefs: remove one of the two';
  return { condition: 'Accepted', reason: 'IncompatibleFilters', path, message };
}

function failureOf(problems: readonly Problem[]): PlanFailure | null {
  const first = problems[0];
  return first === undefined ? null : { reason: first.reason, message: `${first.path}: ${first.message}` };
}
