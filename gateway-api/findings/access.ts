// Policies about access that are refused, that have no effect, or another one than was meant.

import type { AccessRule, AccessTest } from '../../policies/authorization.ts';
import type { DecodedAuthorization } from '../../policies/authorization-decode.ts';
import { isOwnPrincipal } from '../../policies/trust-domains.ts';
import { refsOf, targetsOf } from '../access/attach.ts';
import { decodedAuthorization } from '../access/decode.ts';
import type { AccessPolicy, AuthorizationPolicy } from '../access/resources.ts';
import { statusKey } from '../access/update.ts';
import type { PolicyStatus } from '../conditions.ts';
import { coreGroup } from '../references.ts';
import type { Resources } from '../resources.ts';
import type { Translation } from '../translate.ts';
import { reportCovered } from './access-cover.ts';
import { vainValues } from './access-values.ts';
import { codeOf } from './codes.ts';
import type { FindingReport } from './report.ts';

export function reportAccess(resources: Resources, translation: Translation, report: FindingReport): void {
  const scope: Scope = { translation, report };
  for (const policy of resources.RequestAuthentication.values()) reportConditions(policy, scope);
  for (const policy of resources.AuthorizationPolicy.values()) {
    reportConditions(policy, scope);
    const decoded = decodedAuthorization(policy);
    if (decoded === null) continue;
    reportEffect(policy, decoded, scope);
    reportDomains(policy, decoded, scope);
    reportTokens(policy, decoded, scope);
  }
  reportCovered(translation.state.accessIndex, report);
}

interface Scope {
  readonly translation: Translation;
  readonly report: FindingReport;
}

function reportConditions(policy: AccessPolicy, { translation, report }: Scope): void {
  const status = translation.statuses.get(statusKey(policy)) as PolicyStatus | undefined;
  for (const { ancestorRef, conditions } of status?.ancestors ?? []) {
    const { group, kind, name } = ancestorRef;
    const index = refsOf(policy).findIndex(
      (ref) => coreGroup(ref.group) === group && ref.kind === kind && ref.name === name,
    );
    const path =
      index === -1 ? 'spec' : policy.spec.targetRef === undefined ? `spec.targetRefs[${index}]` : 'spec.targetRef';
    for (const { status: value, reason, message } of conditions) {
      // What violates its schema was told when it was read.
      if (value === 'True' || (reason === 'Invalid' && policy.spec.failure !== undefined)) continue;
      report.add(policy, { severity: 'error', code: codeOf(reason), ...placed(message, path) });
    }
  }
}

/** A message that names the field itself says where it is better than the reference does. */
function placed(message: string, path: string): { readonly path: string; readonly message: string } {
  const [, field, rest] = /^(spec\.\S+): (.*)$/s.exec(message) ?? [];
  return field === undefined || rest === undefined ? { path, message } : { path: field, message: rest };
}

const WITHOUT_RULES = {
  ALLOW: 'has no rules: it allows nothing, so that everything is denied where no other policy allows it',
  DENY: 'has no effect: without rules it denies nothing; write rules: [{}] to deny everything',
  AUDIT: 'has no effect: without rules it marks nothing; write rules: [{}] to mark everything',
  CUSTOM: 'has no effect: without rules nobody is asked; write rules: [{}] to ask about everything',
} as const;

/** ALLOW without rules is how Istio's manual writes "deny everything". */
function reportEffect(policy: AuthorizationPolicy, { action, rules }: DecodedAuthorization, { report }: Scope): void {
  if (rules.length === 0) {
    const severity = action === 'ALLOW' ? 'info' : 'warning';
    const code = action === 'ALLOW' ? 'policy_allows_nothing' : 'policy_without_effect';
    report.add(policy, { severity, code, path: 'spec.rules', message: WITHOUT_RULES[action] });
    return;
  }
  let inVain = 0;
  for (const [index, rule] of rules.entries()) {
    const vain = vainValues(rule);
    for (const { path, message } of vain.values) {
      report.add(policy, {
        severity: 'warning',
        code: 'value_never_matches',
        path: `spec.rules[${index}].${path}`,
        message,
      });
    }
    if (vain.isWhole) inVain += 1;
  }
  if (inVain < rules.length) return;
  const message =
    action === 'ALLOW'
      ? 'never matches: it allows nothing, so that everything is denied where no other policy allows it'
      : 'has no effect: it never matches';
  const code = action === 'ALLOW' ? 'allow_never_matches' : 'policy_without_effect';
  report.add(policy, { severity: 'warning', code, path: 'spec.rules', message });
}

interface Placed {
  /** Below `spec`. */
  readonly path: string;
  readonly test: AccessTest;
}

function* testsOf(rules: readonly AccessRule[]): Iterable<Placed> {
  for (const [index, { from, to, when }] of rules.entries()) {
    const rule = `rules[${index}]`;
    for (const [at, tests] of from.entries()) {
      for (const test of tests) yield { path: `${rule}.from[${at}].source.${test.name}`, test };
    }
    for (const [at, tests] of to.entries()) {
      for (const test of tests) yield { path: `${rule}.to[${at}].operation.${test.name}`, test };
    }
    for (const [at, test] of when.entries()) yield { path: `${rule}.when[${at}].values`, test };
  }
}

function reportDomains(
  policy: AuthorizationPolicy,
  { rules }: DecodedAuthorization,
  { translation, report }: Scope,
): void {
  const { trustDomains } = translation.state.environment;
  for (const { path, test } of testsOf(rules)) {
    if (test.attribute !== 'source.principal') continue;
    for (const value of [...test.values, ...test.notValues]) {
      if (isOwnPrincipal(value, trustDomains)) continue;
      const domain = value.slice(0, value.indexOf('/'));
      const message = `${value}: ${domain} is not the trust domain here (${trustDomains.join(', ')}): correct it, or name it with --trust-domain-aliases`;
      report.add(policy, { severity: 'warning', code: 'foreign_trust_domain', path: `spec.${path}`, message });
    }
  }
}

function reportTokens(
  policy: AuthorizationPolicy,
  { rules }: DecodedAuthorization,
  { translation, report }: Scope,
): void {
  const asked = [...testsOf(rules)].find(({ test }) => test.attribute.startsWith('request.auth.'));
  if (asked === undefined) return;
  const { access } = translation.snapshot;
  for (const target of targetsOf(policy)) {
    if (!access.has(target)) continue;
    const places = [target, ...aroundOf(target, translation)];
    if (places.some((place) => (access.get(place)?.authentications.length ?? 0) > 0)) continue;
    const message = `${asked.test.name}: no RequestAuthentication is at ${target}, so that no token is believed there: create one`;
    report.add(policy, { severity: 'warning', code: 'no_request_authentication', path: `spec.${asked.path}`, message });
  }
}

/** Other targets of which the policies hold for the same requests. */
function aroundOf(target: string, { state }: Pick<Translation, 'state'>): readonly string[] {
  const [kind, key] = target.split(' ') as [string, string];
  if (kind === 'Service') {
    const enrolment = state.parties.enrolments.get(key);
    return enrolment === undefined ? [] : [`Gateway ${enrolment.gateway}`];
  }
  const route = kind === 'HTTPRoute' ? state.resources.HTTPRoute.get(key) : undefined;
  if (route === undefined) return [];
  const { namespace: home } = route.metadata;
  const backends = route.spec.rules.flatMap(({ backendRefs = [] }) => backendRefs);
  return [...(route.spec.parentRefs ?? []), ...backends].flatMap(({ kind: other, namespace = home, name }) => {
    const place = `${other} ${namespace}/${name}`;
    return [place, ...aroundOf(place, { state })];
  });
}
