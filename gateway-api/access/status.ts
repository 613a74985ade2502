// What the owner of a policy about access is told at each target (GEP-713).

import { condition, no, type PolicyAncestorStatus, type PolicyStatus, type Verdict, yes } from '../conditions.ts';
import { CONTROLLER_NAME } from '../environment.ts';
import { coreGroup } from '../references.ts';
import { type AttachScope, admission, refsOf, withoutTarget } from './attach.ts';
import { authorizationPlan, isShadow, problemOf } from './decode.ts';
import type { AccessPolicy } from './resources.ts';
import { keyOf } from './update.ts';

const SHADOW = yes('Shadow', 'Decided, counted and logged, changing nothing: set mode: Enforce to put it in force');
const DRY_RUN = yes(
  'Shadow',
  'Decided, counted and logged, changing nothing: remove the annotation istio.io/dry-run to put it in force',
);

/** null: none of its targets is ours to speak about. */
export function accessStatus(policy: AccessPolicy, scope: AttachScope): PolicyStatus | null {
  const refs = refsOf(policy);
  const { namespace } = policy.metadata;
  const ancestors = refs.flatMap((ref): PolicyAncestorStatus[] => {
    const verdict = admission(policy, ref, problemOf(policy), scope);
    if (verdict === null) return [];
    const { group, kind, name, namespace: home = namespace } = ref;
    const ancestorRef = { group: coreGroup(group), kind, namespace: home, name };
    return [ancestor(policy, ancestorRef, [['Accepted', verdict], ...remarks(policy, verdict, scope)])];
  });
  if (refs.length === 0) ancestors.push(unattached(policy));
  return ancestors.length === 0 ? null : { kind: policy.kind, key: keyOf(policy), ancestors };
}

type Said = readonly [type: string, verdict: Verdict];

/** There is no target to speak about: the namespace stands for what it may have been meant for. */
function unattached(policy: AccessPolicy): PolicyAncestorStatus {
  const { namespace } = policy.metadata;
  const verdict = policy.spec.failure === undefined ? withoutTarget(policy) : no('Invalid', policy.spec.failure);
  return ancestor(policy, { group: '', kind: 'Namespace', namespace: '', name: namespace }, [['Accepted', verdict]]);
}

function ancestor(
  { metadata }: AccessPolicy,
  ancestorRef: PolicyAncestorStatus['ancestorRef'],
  said: readonly Said[],
): PolicyAncestorStatus {
  const conditions = said.map(([type, verdict]) => condition(type, verdict, metadata.generation));
  return { ancestorRef, controllerName: CONTROLLER_NAME, conditions };
}

/** Of a policy that is in force. */
function remarks(policy: AccessPolicy, { status }: Verdict, { resources }: AttachScope): readonly Said[] {
  if (status === 'False' || policy.kind !== 'AuthorizationPolicy') return [];
  const said: Said[] = [];
  const failure = authorizationPlan(policy, '', resources).externalAuth?.failure ?? null;
  if (failure !== null) {
    said.push(['ResolvedRefs', no(failure.reason, `${failure.message}: requests that match are denied`)]);
  }
  if (isShadow(policy)) said.push(['waypoint.dev/Shadow', policy.spec.mode === 'Shadow' ? SHADOW : DRY_RUN]);
  return said;
}
