// What the owner of a policy about access is told at each target (GEP-713).

import { condition, no, type PolicyAncestorStatus, type PolicyStatus, type Verdict, yes } from '../conditions.ts';
import { CONTROLLER_NAME, type Environment } from '../environment.ts';
import { coreGroup } from '../references.ts';
import { type AttachScope, admission, refsOf, withoutTarget } from './attach.ts';
import { authorizationPlan, isShadow, jwksUrisOf, problemOf } from './decode.ts';
import type { AccessPolicy } from './resources.ts';
import { keyOf } from './update.ts';

const SHADOW = yes('Shadow', 'Decided, counted and logged, changing nothing: set mode: Enforce to put it in force');
const DRY_RUN = yes(
  'Shadow',
  'Decided, counted and logged, changing nothing: remove the annotation istio.io/dry-run to put it in force',
);

interface StatusScope extends AttachScope {
  readonly jwksErrors: Environment['jwksErrors'];
}

/** Keys of RequestAuthentications whose keys are fetched as they were not before, or no longer are. */
export function changedKeys(
  policies: StatusScope['resources']['RequestAuthentication'],
  before: StatusScope['jwksErrors'],
  now: StatusScope['jwksErrors'],
): readonly string[] {
  const uris = [...before.keys(), ...now.keys()].filter((uri) => before.get(uri) !== now.get(uri));
  if (uris.length === 0) return [];
  return [...policies].filter(([, policy]) => jwksUrisOf(policy).some((uri) => uris.includes(uri))).map(([key]) => key);
}

/** null: none of its targets is ours to speak about. */
export function accessStatus(policy: AccessPolicy, scope: StatusScope): PolicyStatus | null {
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
function remarks(policy: AccessPolicy, { status }: Verdict, { resources, jwksErrors }: StatusScope): readonly Said[] {
  if (status === 'False') return [];
  if (policy.kind === 'RequestAuthentication') return keyRemarks(jwksUrisOf(policy), jwksErrors);
  const said: Said[] = [];
  const failure = authorizationPlan(policy, '', resources).externalAuth?.failure ?? null;
  if (failure !== null) {
    said.push(['ResolvedRefs', no(failure.reason, `${failure.message}: requests that match are denied`)]);
  }
  if (isShadow(policy)) said.push(['waypoint.dev/Shadow', policy.spec.mode === 'Shadow' ? SHADOW : DRY_RUN]);
  return said;
}

const UNKNOWN_KEYS = 'until then, tokens whose keys were not fetched before are refused';

/** Tokens are refused while there are no keys for them. */
function keyRemarks(uris: readonly string[], errors: StatusScope['jwksErrors']): readonly Said[] {
  const failing = uris.map((uri) => errors.get(uri)).filter((error) => error !== undefined);
  if (failing.length === 0) return [];
  const why = [...new Set(failing)].join('; ');
  return [['ResolvedRefs', no('KeysUnavailable', `${why}: correct jwksUri, or what answers there; ${UNKNOWN_KEYS}`)]];
}
