// What a policy's owner is told at each target: in force or not, against whom it lost, and whether it only watches.

import type { Refusals } from '../backends.ts';
import { type Condition, condition, no, type PolicyAncestorStatus, type PolicyStatus, yes } from '../conditions.ts';
import { CONTROLLER_NAME } from '../environment.ts';
import { coreGroup } from '../references.ts';
import type { PolicyTargetReference } from '../resources.ts';
import { targetOf } from './attach.ts';
import { fieldOf, modeOf, type PolicyResource, settingsOf, titleOf } from './settings.ts';
import { type Claim, claimKey, lossWords, type PolicyIndex } from './targets.ts';

const NONE: readonly never[] = [];
const SHADOW = yes('Shadow', 'Decided, counted and logged, changing nothing: set mode: Enforce to put it in force');

export interface PolicyScope {
  readonly policies: PolicyIndex;
  readonly refusals: Refusals;
}

/** null: none of its targets is ours to speak about. */
export function policyStatus(policy: PolicyResource, scope: PolicyScope): PolicyStatus | null {
  const refs: readonly PolicyTargetReference[] = policy.spec.targetRefs;
  const ancestors = refs.flatMap((ref) => ancestorStatus(policy, ref, scope) ?? []);
  const { namespace, name } = policy.metadata;
  return ancestors.length === 0 ? null : { kind: policy.kind, key: `${namespace}/${name}`, ancestors };
}

function ancestorStatus(
  policy: PolicyResource,
  ref: PolicyTargetReference,
  { policies, refusals }: PolicyScope,
): PolicyAncestorStatus | null {
  const { namespace } = policy.metadata;
  const target = targetOf(ref, policy);
  const claim =
    target === null
      ? unsupported(ref)
      : policies.targets.get(target)?.claims.get(claimKey(policy, ref.sectionName ?? ''));
  if (claim === undefined) return null;
  const { kind, name, sectionName } = ref;
  const section = sectionName === undefined ? {} : { sectionName };
  return {
    ancestorRef: { group: coreGroup(ref.group), kind, namespace, name, ...section },
    controllerName: CONTROLLER_NAME,
    conditions: conditionsOf(
      policy,
      claim,
      refusedAt(`${target}${sectionName === undefined ? '' : ` ${sectionName}`}`, policy, refusals),
    ),
  };
}

/** No schema of ours lets such a reference through but that of an XBackendTrafficPolicy. */
function unsupported({ kind }: PolicyTargetReference): Claim {
  return { verdict: no('Invalid', `${kind} is no kind of target: target a Service`), losses: [] };
}

/** What of the policy, set on this target, contradicts other levels: each field with the backends where it does. */
function refusedAt(target: string, policy: PolicyResource, refusals: Refusals): readonly Contradiction[] {
  if (refusals.size === 0) return NONE;
  const title = titleOf(policy);
  const all = [...refusals].flatMap(([id, refused]) => refused.map((each) => ({ id, ...each })));
  const own = all.filter(({ setting, target: set }) => setting.from === title && set === target);
  return [...Map.groupBy(own, ({ setting, problem }) => `${fieldOf(setting)}: ${problem}`)].map(([problem, each]) => {
    const ids = [...new Set(each.map(({ id }) => id))].sort();
    return {
      field: fieldOf(each[0]!.setting),
      message: `not in force at ${ids.join(', ')}, because of other levels: ${problem}`,
    };
  });
}

interface Contradiction {
  readonly field: string;
  readonly message: string;
}

/**
 * A policy that lost every field here is not accepted; one that lost only some of them is, and says under Conflicted
 * which are not in force.
 */
function conditionsOf(
  policy: PolicyResource,
  { verdict, losses }: Claim,
  contradictions: readonly Contradiction[],
): readonly Condition[] {
  const { generation } = policy.metadata;
  const conditions = [condition('Accepted', verdict, generation)];
  if (verdict.status === 'False') return conditions;
  if (losses.length + contradictions.length > 0) {
    const lost = new Set([...losses, ...contradictions].map(({ field }) => field));
    const rest = settingsOf(policy)
      .map(fieldOf)
      .filter((field) => !lost.has(field));
    const parts = [
      ...(losses.length === 0 ? NONE : [lossWords(losses)]),
      ...contradictions.map(({ message }) => message),
      `the rest of it is in force: ${rest.join(', ') || 'nothing'}`,
    ];
    const reason = losses.length > 0 ? 'Conflicted' : 'Contradiction';
    conditions.push(condition('Conflicted', yes(reason, parts.join('; ')), generation));
  }
  if (modeOf(policy) === 'Shadow') conditions.push(condition('waypoint.dev/Shadow', SHADOW, generation));
  return conditions;
}
