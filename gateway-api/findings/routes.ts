// Routes that attach to nothing, refer to what is not there or not allowed, or cannot answer.

import type { Condition, HTTPRouteStatus } from '../conditions.ts';
import type { Destinations } from '../destinations.ts';
import { GATEWAY_GROUP } from '../environment.ts';
import { NO_POLICIES } from '../policies/targets.ts';
import { coreGroup, type Grants, indexGrants } from '../references.ts';
import type { HTTPRoute, HTTPRouteRule, ParentReference, Resources } from '../resources.ts';
import type { Translation } from '../translate.ts';
import { type Problem, translateRule } from '../translate-rule.ts';
import { codeOf } from './codes.ts';
import { grantFor } from './grant.ts';
import type { FindingReport } from './report.ts';

interface Scope {
  readonly resources: Resources;
  readonly grants: Grants;
  readonly destinations: Destinations;
  readonly report: FindingReport;
}

export function reportRoutes(resources: Resources, { state, statuses }: Translation, report: FindingReport): void {
  const { destinations } = state;
  const scope = { resources, grants: indexGrants(resources.ReferenceGrant), destinations, report };
  for (const [key, route] of resources.HTTPRoute) {
    const status = statuses.get(`HTTPRoute/${key}`);
    reportRoute(route, status?.kind === 'HTTPRoute' ? status : null, scope);
  }
}

function reportRoute(route: HTTPRoute, status: HTTPRouteStatus | null, scope: Scope): void {
  const { report } = scope;
  const parents = route.spec.parentRefs ?? [];
  if (parents.length === 0) {
    const message = 'the route has no parentRefs, so that no request reaches it: name a Gateway or a Service';
    report.add(route, { severity: 'warning', code: 'route_without_parent', path: 'spec.parentRefs', message });
  }
  const isDangling = parents.filter((ref, index) => reportDangling(route, ref, index, scope)).length > 0;
  // Neither ours nor broken: another controller's.
  if (status === null && !isDangling && parents.length > 0) return;
  for (const [index, rule] of route.spec.rules.entries()) reportRule(route, rule, `spec.rules[${index}]`, report);
  const isTroubled = status?.parents.some(({ conditions }) => conditions.some(isTrouble)) ?? true;
  if (!isTroubled && !isDangling) return;
  const problems = problemsOf(route, scope);
  for (const problem of problems) reportProblem(route, problem, report);
  for (const { parentRef, conditions } of status?.parents ?? []) {
    const accepted = conditions.find(({ type }) => type === 'Accepted');
    if (accepted?.status !== 'False' || problems.some(({ reason }) => reason === accepted.reason)) continue;
    const index = parents.findIndex((ref) => isSameParent(ref, parentRef));
    const path = `spec.parentRefs[${index}]`;
    report.add(route, { severity: 'error', code: codeOf(accepted.reason), path, message: accepted.message });
  }
}

/** Whether the parent is missing altogether: then no status speaks of it. */
function reportDangling(route: HTTPRoute, ref: ParentReference, index: number, { resources, report }: Scope): boolean {
  const key = `${ref.namespace ?? route.metadata.namespace}/${ref.name}`;
  const isGateway = ref.group === GATEWAY_GROUP && ref.kind === 'Gateway';
  const isService = coreGroup(ref.group) === '' && ref.kind === 'Service';
  if (!isGateway && !isService) return false;
  if ((isGateway ? resources.Gateway : resources.Service).has(key)) return false;
  const known = [...(isGateway ? resources.Gateway : resources.Service).keys()];
  const elsewhere = known.find((other) => other.endsWith(`/${ref.name}`));
  const hint = elsewhere === undefined ? 'create it, or correct the name' : `did you mean ${elsewhere} (namespace)?`;
  const path = `spec.parentRefs[${index}]`;
  report.add(route, {
    severity: 'error',
    code: 'dangling_parent',
    path,
    message: `there is no ${ref.kind} ${key}: ${hint}`,
  });
  return true;
}

function reportRule(route: HTTPRoute, rule: HTTPRouteRule, path: string, report: FindingReport): void {
  const refs = rule.backendRefs ?? [];
  const redirect = rule.filters?.findIndex(({ type }) => type === 'RequestRedirect') ?? -1;
  if (refs.length === 0 && redirect === -1) {
    const message = 'has neither backendRefs nor a RequestRedirect, so that its requests are answered 500: add one';
    report.add(route, { severity: 'warning', code: 'rule_without_backend', path, message });
  }
  if (refs.length > 0 && refs.every(({ weight }) => weight === 0)) {
    const message = 'the weights sum to 0, so that its requests are answered 500: give one backend a weight';
    report.add(route, { severity: 'warning', code: 'weights_sum_zero', path: `${path}.backendRefs`, message });
  }
  const settings = redirect === -1 ? undefined : rule.filters?.[redirect]?.['requestRedirect'];
  if (settings !== undefined && changesNothing(settings)) {
    const message = 'redirects to the address that was asked for, again and again: set scheme, hostname, port or path';
    report.add(route, {
      severity: 'warning',
      code: 'redirect_to_itself',
      path: `${path}.filters[${redirect}]`,
      message,
    });
  }
}

function changesNothing(settings: unknown): boolean {
  return (
    typeof settings === 'object' && settings !== null && Object.keys(settings).every((key) => key === 'statusCode')
  );
}

function isTrouble({ type, status }: Condition): boolean {
  return type === 'PartiallyInvalid' ? status === 'True' : status === 'False';
}

/** They change nothing about what a rule cannot be. */
const WITHOUT_POLICIES = { policies: NO_POLICIES, frontend: { gateway: '', parent: null }, reads: new Set<string>() };

/** Everything that its parents' conditions say in one message each, one by one and with its path. */
function problemsOf(route: HTTPRoute, { resources, grants, destinations }: Scope): readonly Problem[] {
  const { namespace } = route.metadata;
  const homes = new Set<string | null>();
  for (const ref of route.spec.parentRefs ?? [])
    homes.add(ref.kind === 'Service' ? (ref.namespace ?? namespace) : null);
  const problems = [...homes].flatMap((reachable) => {
    const scope = { resources, grants, destinations, route, requester: { namespace, reachable }, ...WITHOUT_POLICIES };
    return route.spec.rules.flatMap((rule, index) => translateRule(rule, index, scope).problems);
  });
  return [...new Map(problems.map((problem) => [`${problem.path} ${problem.message}`, problem])).values()];
}

function reportProblem(route: HTTPRoute, { reason, path, message }: Problem, report: FindingReport): void {
  const grant = reason === 'RefNotPermitted' ? grantFor(route, path) : null;
  const text = grant === null ? message : `${message}: ${grant}`;
  report.add(route, { severity: 'error', code: codeOf(reason), path, message: text });
}

function isSameParent(a: ParentReference, b: ParentReference): boolean {
  return (
    a.kind === b.kind &&
    a.name === b.name &&
    a.namespace === b.namespace &&
    a.sectionName === b.sectionName &&
    a.port === b.port
  );
}
