// What a policy's owner is told at each target: in force or not, against whom it lost, and whether it only watches.

import { type Condition, condition, no, type PolicyAncestorStatus, type PolicyStatus, yes } from '../conditions.ts';
import { CONTROLLER_NAME } from '../environment.ts';
import { coreGroup } from '../references.ts';
import type { PolicyTargetReference } from '../resources.ts';
import { targetOf } from './attach.ts';
import { fieldOf, modeOf, type PolicyResource, settingsOf } from './settings.ts';
import { type Claim, claimKey, lossWords, type PolicyIndex } from './targets.ts';

const SHADOW = yes('Shadow', 'Decided, counted and logged, changing nothing: set mode: Enforce to put it in force');

/** null: none of its targets is ours to speak about. */
export function policyStatus(policy: PolicyResource, index: PolicyIndex): PolicyStatus | null {
  const refs: readonly PolicyTargetReference[] = policy.spec.targetRefs;
  const ancestors = refs.flatMap((ref) => ancestorStatus(policy, ref, index) ?? []);
  const { namespace, name } = policy.metadata;
  return ancestors.length === 0 ? null : { kind: policy.kind, key: `${namespace}/${name}`, ancestors };
}

function ancestorStatus(
  policy: PolicyResource,
  ref: PolicyTargetReference,
  index: PolicyIndex,
): PolicyAncestorStatus | null {
  const { namespace } = policy.metadata;
  const target = targetOf(ref, policy);
  const claim =
    target === null ? unsupported(ref) : index.targets.get(target)?.claims.get(claimKey(policy, ref.sectionName ?? ''));
  if (claim === undefined) return null;
  const { kind, name, sectionName } = ref;
  const section = sectionName === undefined ? {} : { sectionName };
  return {
    ancestorRef: { group: coreGroup(ref.group), kind, namespace, name, ...section },
    controllerName: CONTROLLER_NAME,
    conditions: conditionsOf(policy, claim),
  };
}

/** No schema of ours lets such a reference through but that of an XBackendTrafficPolicy. */
function unsupported({ kind }: PolicyTargetReference): Claim {
  return { verdict: no('Invalid', `${kind} is no kind of target: target a Service`), losses: [] };
}

/**
 * A policy that lost every field here is not accepted; one that lost only some of them is, and says under Conflicted
 * which are not in force.
 */
function conditionsOf(policy: PolicyResource, { verdict, losses }: Claim): readonly Condition[] {
  const { generation } = policy.metadata;
  const conditions = [condition('Accepted', verdict, generation)];
  if (verdict.status === 'False') return conditions;
  if (losses.length > 0) {
    const lost = new Set(losses.map(({ field }) => field));
    const rest = settingsOf(policy)
      .map(fieldOf)
      .filter((field) => !lost.has(field));
    const message = `${lossWords(losses)}; in force of it: ${rest.join(', ')}`;
    conditions.push(condition('Conflicted', yes('Conflicted', message), generation));
  }
  if (modeOf(policy) === 'Shadow') conditions.push(condition('waypoint.dev/Shadow', SHADOW, generation));
  return conditions;
}
