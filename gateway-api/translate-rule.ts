// One rule of a route: its matches and what is done with the requests that they take, broken parts as values that answer 500.

import { type DecodedFilters, decodeFilters } from '../policies/index.ts';
import type { DecodedMirror, MirrorPlan } from '../policies/mirror.ts';
import type { BackendShare, PlanFailure, RoutePlan, RulePlan } from '../policies/plan.ts';
import type { DecodeReport } from '../policies/policy.ts';
import { decodeTimeouts } from '../policies/timeouts.ts';
import type { Reads } from './attach.ts';
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
  /** Fields that are valid but have no effect yet. */
  readonly inert: readonly string[];
}

/** What the rules of one route share while they are translated. */
export interface RuleScope extends BackendScope {
  readonly route: HTTPRoute;
  readonly requester: Requester;
  readonly reads: Reads;
}

const NONE: readonly never[] = [];
const INERT_FIELDS = ['retry', 'sessionPersistence'] as const;
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
  const decoded = decode(rule.filters, `${path}.filters`, problems);
  const redirects = decoded.filters.some((filter) => filter.kind === 'RequestRedirect');
  if (redirects && (rule.backendRefs ?? NONE).length > 0) problems.push(redirectWithBackends(path));
  const own = problems.slice(behind);
  const isRefused = matches.length === 0 || own.some(({ condition }) => condition === 'Accepted');
  const plan: RoutePlan = {
    kind: 'HTTPRoute',
    route: `${scope.route.metadata.namespace}/${scope.route.metadata.name}`,
    rule: rule.name ?? String(index),
    filters: decoded.filters,
    backends: redirects ? NONE : shares(rule.backendRefs ?? NONE, path, problems, scope),
    mirrors: mirrors(decoded.mirrors, problems, scope),
    timeouts,
    failure: failureOf(own),
  };
  const inert = INERT_FIELDS.filter((field) => rule[field] !== undefined).map((field) => `${path}.${field}`);
  return { rule: matches.length === 0 ? null : { matches, plan }, problems, isRefused, inert };
}

function shares(
  refs: readonly (BackendRef & { readonly filters?: readonly RouteFilter[] })[],
  path: string,
  problems: Problem[],
  scope: RuleScope,
): readonly BackendShare[] {
  if (refs.length === 0) return NONE;
  return refs.map((ref, index) => {
    const at = `${path}.backendRefs[${index}]`;
    const { backend, failure } = resolveBackend(ref, scope.requester, scope, scope.reads);
    if (failure !== null) problems.push({ condition: 'ResolvedRefs', path: at, ...failure });
    const before = problems.length;
    const decoded = decode(ref.filters, `${at}.filters`, problems);
    const broken = failure ?? failureOf(problems.slice(before));
    return {
      weight: ref.weight,
      backend: broken === null ? backend : null,
      failure: broken,
      filters: decoded.filters,
      mirrors: mirrors(decoded.mirrors, problems, scope),
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
