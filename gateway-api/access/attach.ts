// What a policy about access is attached to, and whether it can be in force there: targets in its own namespace (GEP-713).

import { no, type Verdict, yes } from '../conditions.ts';
import { GATEWAY_GROUP } from '../environment.ts';
import type { GatewayState } from '../gateways.ts';
import { coreGroup } from '../references.ts';
import type { Resources } from '../resources.ts';
import { isShadow } from './decode.ts';
import type { AccessPolicy, AccessTargetReference } from './resources.ts';

type TargetKind = 'Gateway' | 'Service' | 'HTTPRoute';

export interface AttachScope {
  readonly resources: Resources;
  readonly gateways: ReadonlyMap<string, GatewayState>;
}

const NONE: readonly never[] = [];
const KINDS: Readonly<Record<TargetKind, string>> = { Gateway: GATEWAY_GROUP, HTTPRoute: GATEWAY_GROUP, Service: '' };

export function refsOf({ spec }: AccessPolicy): readonly AccessTargetReference[] {
  const { targetRef, targetRefs = NONE } = spec;
  return targetRef === undefined ? targetRefs : [targetRef, ...targetRefs];
}

/** `Service shop/orders`; null where the reference is to nothing that a waypoint guards, or leaves the namespace. */
function targetOf(ref: AccessTargetReference, { metadata }: AccessPolicy): string | null {
  const { group, kind, name, namespace = metadata.namespace } = ref;
  if (!isTargetKind(kind) || KINDS[kind] !== coreGroup(group) || namespace !== metadata.namespace) return null;
  return `${kind} ${namespace}/${name}`;
}

function isTargetKind(kind: string): kind is TargetKind {
  return Object.hasOwn(KINDS, kind);
}

/** Each once. */
export function targetsOf(policy: AccessPolicy | undefined): ReadonlySet<string> {
  const targets = policy === undefined ? NONE : refsOf(policy).map((ref) => targetOf(ref, policy));
  return new Set(targets.filter((target) => target !== null));
}

/** null: somebody else serves it, and it is not ours to say anything. */
export function presenceOf(target: string, { resources, gateways }: AttachScope): 'here' | 'missing' | null {
  const [kind, key] = target.split(' ') as [TargetKind, string];
  if (!resources[kind].has(key)) return 'missing';
  return kind === 'Gateway' && !gateways.has(key) ? null : 'here';
}

const ACCEPTED = yes('Accepted', 'Policy is accepted');

/** Of one reference; `problem` is what is wrong with the policy itself. */
export function admission(
  policy: AccessPolicy,
  ref: AccessTargetReference,
  problem: string | null,
  scope: AttachScope,
): Verdict | null {
  const target = targetOf(ref, policy);
  if (target === null) return no('Invalid', refusal(ref, policy));
  const presence = presenceOf(target, scope);
  if (presence === null) return null;
  if (presence === 'missing') {
    return no('TargetNotFound', `There is no ${target}: create it, or correct the name (in the policy's namespace)`);
  }
  return problem === null ? ACCEPTED : no('Invalid', `${problem}; ${consequenceOf(policy)}`);
}

function consequenceOf(policy: AccessPolicy): string {
  if (policy.kind === 'RequestAuthentication') return 'until that is mended, every token is refused here';
  const denied = isShadow(policy) ? 'would be denied here were it enforced' : 'is denied here';
  return `until that is mended, every request ${denied}`;
}

function refusal({ group, kind, namespace }: AccessTargetReference, { metadata }: AccessPolicy): string {
  if (namespace !== undefined && namespace !== metadata.namespace) {
    return `A policy never reaches beyond its own namespace ${metadata.namespace}: create it in ${namespace}`;
  }
  const written = group === '' ? kind : `${kind} of group ${group}`;
  return `${written} is nothing that a waypoint guards: target a Gateway or an HTTPRoute (group ${GATEWAY_GROUP}), or a Service (group "")`;
}

/** Why a policy without any target is in force nowhere, and what to write instead. */
export function withoutTarget({ spec }: AccessPolicy): Verdict {
  const gateway = `{group: ${GATEWAY_GROUP}, kind: Gateway, name: <waypoint>}`;
  const advice = `write targetRefs: [${gateway}] for all that a waypoint serves, or [{group: "", kind: Service, name: <service>}]`;
  const cause =
    spec.selector === undefined
      ? 'It names no target and is in force nowhere, since a waypoint knows no workloads'
      : 'It selects workloads and is in force nowhere, since a waypoint knows none';
  return no('Invalid', `${cause}: ${advice}`);
}
