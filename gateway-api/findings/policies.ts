// Policies whose target is not there, that others win over, that contradict others, or that nothing takes anything from.

import type { Snapshot } from '../../policies/plan.ts';
import type { Origin } from '../../policies/traffic.ts';
import type { Condition, PolicyStatus } from '../conditions.ts';
import { type PolicyResource, settingsOf, titleOf } from '../policies/settings.ts';
import { coreGroup } from '../references.ts';
import type { PolicyTargetReference, Resources } from '../resources.ts';
import type { Translation } from '../translate.ts';
import { codeOf } from './codes.ts';
import type { FindingReport } from './report.ts';

export function reportPolicies(resources: Resources, translation: Translation, report: FindingReport): void {
  const { snapshot, statuses } = translation;
  const policies = [...resources.TrafficPolicy.values(), ...resources.XBackendTrafficPolicy.values()];
  if (policies.length === 0) return;
  const inForce = authorsOf(snapshot);
  for (const policy of policies) {
    const { namespace, name } = policy.metadata;
    const status = statuses.get(`${policy.kind}/${namespace}/${name}`) as PolicyStatus | undefined;
    for (const { ancestorRef, conditions } of status?.ancestors ?? []) {
      for (const condition of conditions)
        reportCondition(policy, pathOf(policy, ancestorRef), condition, { resources, report });
    }
    const isAccepted = status?.ancestors.some(({ conditions }) => isTrue(conditions, 'Accepted')) ?? true;
    if (isAccepted && !inForce.has(titleOf(policy))) reportIdle(policy, translation, report);
  }
}

interface Scope {
  readonly resources: Resources;
  readonly report: FindingReport;
}

function reportCondition(policy: PolicyResource, path: string, condition: Condition, scope: Scope): void {
  const { type, status, reason, message } = condition;
  if (type === 'Accepted' && status === 'False') {
    const hint = reason === 'TargetNotFound' ? elsewhere(policy, path, scope.resources) : '';
    scope.report.add(policy, { severity: 'error', code: codeOf(reason), path, message: `${message}${hint}` });
  }
  if (type === 'Conflicted' && status === 'True') {
    scope.report.add(policy, { severity: 'warning', code: codeOf(reason), path, message });
  }
}

/** The same name in a namespace that the policy cannot reach. */
function elsewhere(policy: PolicyResource, path: string, resources: Resources): string {
  const refs: readonly PolicyTargetReference[] = policy.spec.targetRefs;
  const ref = refs.find((_, index) => path === `spec.targetRefs[${index}]`);
  if (ref === undefined || (ref.kind !== 'Service' && ref.kind !== 'HTTPRoute' && ref.kind !== 'Gateway')) return '';
  const { namespace } = policy.metadata;
  const all = resources[ref.kind];
  if (all.has(`${namespace}/${ref.name}`)) return '';
  const other = [...all.keys()].find((key) => key.endsWith(`/${ref.name}`));
  return other === undefined ? '' : `; there is ${other}, but a policy never reaches beyond its own namespace`;
}

/** Whoever has a field in force anywhere, enforced or in the shadow. */
function authorsOf({ tables, services, backends }: Snapshot): ReadonlySet<string> {
  const authors = new Set<string>();
  const add = (origins: readonly Origin[]): void => {
    for (const { from } of origins) authors.add(from);
  };
  for (const { fallback } of services.values()) for (const { origins } of fallback.backends) add(origins);
  for (const { origins } of backends.values()) add(origins);
  for (const { entries } of tables.values()) {
    for (const { rules } of entries.values()) {
      for (const { plan } of rules) {
        add(plan.origins);
        for (const { origins } of plan.backends) add(origins);
      }
    }
  }
  return authors;
}

function reportIdle(policy: PolicyResource, { state, snapshot }: Translation, report: FindingReport): void {
  const refs: readonly PolicyTargetReference[] = policy.spec.targetRefs;
  const { namespace } = policy.metadata;
  const reached = refs.filter(({ kind, name }) => {
    const key = `${namespace}/${name}`;
    if (kind === 'HTTPRoute') return (state.routes.get(key)?.entries.length ?? 0) > 0;
    if (kind === 'Gateway') return state.parties.gateways.has(key);
    return [...snapshot.backends.keys()].some((id) => id.startsWith(`${key}:`));
  });
  const names = refs.map(({ kind, name }) => `${kind} ${namespace}/${name}`).join(', ');
  const why =
    settingsOf(policy).length === 0
      ? 'it sets nothing'
      : reached.length === 0
        ? `no request reaches ${names} through a waypoint here; enrol, route or attach it`
        : 'whatever it sets is set by more specific policies or routes, or nothing here asks for it';
  report.add(policy, {
    severity: 'warning',
    code: 'policy_never_applies',
    path: 'spec',
    message: `has no effect: ${why}`,
  });
}

function pathOf(policy: PolicyResource, ancestor: PolicyTargetReference): string {
  const refs: readonly PolicyTargetReference[] = policy.spec.targetRefs;
  const index = refs.findIndex(
    (ref) =>
      coreGroup(ref.group) === ancestor.group &&
      ref.kind === ancestor.kind &&
      ref.name === ancestor.name &&
      ref.sectionName === ancestor.sectionName,
  );
  return `spec.targetRefs[${index}]`;
}

function isTrue(conditions: readonly Condition[], type: string): boolean {
  return conditions.some((condition) => condition.type === type && condition.status === 'True');
}
