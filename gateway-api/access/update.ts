// Who is asked what at each target: the policies about access, remade where one of them or its target changed.

import type { AccessPlan } from '../../policies/plan.ts';
import type { Changes } from '../changes.ts';
import { DraftMap } from '../draft-map.ts';
import type { PartiesChange } from '../parties.ts';
import type { Resources } from '../resources.ts';
import { reuse } from '../reuse.ts';
import { ShardedDraft, ShardedMap } from '../sharded-map.ts';
import type { Translation } from '../translation.ts';
import { type AttachScope, presenceOf, targetsOf } from './attach.ts';
import { authenticationPlan, authorizationPlan } from './decode.ts';
import type { AccessPolicy } from './resources.ts';

/** Policies by the targets they name, `HTTPRoute shop/orders`, the oldest first. */
export type AccessIndex = ShardedMap<readonly AccessPolicy[]>;

export interface AccessChange {
  readonly access: ReadonlyMap<string, AccessPlan>;
  readonly accessIndex: AccessIndex;
  /** `Kind/key` of policies that changed, or of which something became else. */
  readonly changedAccess: ReadonlySet<string>;
}

export const NO_ACCESS: AccessIndex = new ShardedMap();

const NONE: readonly never[] = [];
const KINDS = ['AuthorizationPolicy', 'RequestAuthentication'] as const;

export function updateAccess(
  { snapshot, state }: Translation,
  resources: Resources,
  parties: PartiesChange,
  changes: Changes,
): AccessChange {
  const index = new ShardedDraft(state.accessIndex);
  const stale = new Set<string>();
  const changedAccess = new Set<string>();
  for (const kind of KINDS) {
    for (const key of changes[kind]) {
      rename(index, state.resources[kind].get(key), resources[kind].get(key), stale);
      changedAccess.add(`${kind}/${key}`);
    }
  }
  for (const target of touched(index, snapshot.access, parties, changes)) stale.add(target);
  const access = new DraftMap(snapshot.access);
  const scope = { resources, gateways: parties.gateways };
  for (const target of stale) {
    const policies = index.get(target) ?? NONE;
    for (const policy of policies) changedAccess.add(statusKey(policy));
    const plan = planOf(target, policies, scope);
    access.put(target, plan === null ? undefined : reusePlan(access.get(target), plan));
  }
  return { access: access.current, accessIndex: index.current, changedAccess };
}

/** Targets that are other objects now, and those of which a policy asks somebody that may be. */
function* touched(
  index: ShardedDraft<readonly AccessPolicy[]>,
  access: ReadonlyMap<string, AccessPlan>,
  { changedGateways }: PartiesChange,
  { Service, HTTPRoute, Gateway, ConfigMap, ReferenceGrant }: Changes,
): Iterable<string> {
  const kinds = { Service, HTTPRoute, Gateway: new Set([...Gateway, ...changedGateways]) };
  for (const [kind, keys] of Object.entries(kinds)) {
    for (const key of keys) if (index.get(`${kind} ${key}`) !== undefined) yield `${kind} ${key}`;
  }
  if (ConfigMap.size + Service.size + ReferenceGrant.size === 0) return;
  for (const { target, policies } of access.values()) {
    if (policies.some(({ externalAuth }) => externalAuth !== null)) yield target;
  }
}

/** `AuthorizationPolicy/shop/orders`, by which its status is found. */
export function statusKey(policy: AccessPolicy): string {
  return `${policy.kind}/${keyOf(policy)}`;
}

/** In Resources. */
export function keyOf({ apiVersion, metadata }: AccessPolicy): string {
  const suffix = apiVersion.startsWith(`${ISTIO}/`) ? `@${ISTIO}` : '';
  return `${metadata.namespace}/${metadata.name}${suffix}`;
}

const ISTIO = 'security.istio.io';

function rename(
  index: ShardedDraft<readonly AccessPolicy[]>,
  old: AccessPolicy | undefined,
  now: AccessPolicy | undefined,
  stale: Set<string>,
): void {
  for (const target of targetsOf(old)) {
    const left = (index.get(target) ?? NONE).filter((policy) => policy !== old);
    index.put(target, left.length === 0 ? undefined : left);
    stale.add(target);
  }
  for (const target of targetsOf(now)) {
    index.put(target, [...(index.get(target) ?? NONE), now as AccessPolicy].sort(olderFirst));
    stale.add(target);
  }
}

/** All of them hold together: the order only says who is named first. */
function olderFirst(a: AccessPolicy, b: AccessPolicy): number {
  if (a.createdAt !== b.createdAt) return a.createdAt - b.createdAt;
  return statusKey(a) < statusKey(b) ? -1 : 1;
}

function planOf(target: string, policies: readonly AccessPolicy[], scope: AttachScope): AccessPlan | null {
  if (policies.length === 0 || presenceOf(target, scope) !== 'here') return null;
  const titles = policies.map(titleOf);
  const named = (policy: AccessPolicy): string => {
    const title = titleOf(policy);
    return titles.indexOf(title) === titles.lastIndexOf(title) ? title : fullTitleOf(policy);
  };
  return {
    target,
    authentications: policies.flatMap((policy) =>
      policy.kind === 'RequestAuthentication' ? authenticationPlan(policy, named(policy)) : NONE,
    ),
    policies: policies.flatMap((policy) =>
      policy.kind === 'AuthorizationPolicy' ? authorizationPlan(policy, named(policy), scope.resources) : NONE,
    ),
  };
}

/** `AuthorizationPolicy shop/orders`. */
function titleOf({ kind, metadata }: AccessPolicy): string {
  return `${kind} ${metadata.namespace}/${metadata.name}`;
}

/** Where both groups have one of this name. */
function fullTitleOf({ kind, apiVersion, metadata }: AccessPolicy): string {
  return `${kind}.${apiVersion.split('/', 1)[0]} ${metadata.namespace}/${metadata.name}`;
}

/** Workers compile each policy once: one that did not change stays the same object. */
function reusePlan(previous: AccessPlan | undefined, next: AccessPlan): AccessPlan {
  if (previous === undefined) return next;
  const known = new Map([...previous.policies, ...previous.authentications].map((each) => [each.policy, each]));
  const kept = <T extends { readonly policy: string }>(plan: T): T =>
    reuse(known.get(plan.policy) as T | undefined, plan);
  const authentications = next.authentications.map(kept);
  return reuse(previous, { ...next, authentications, policies: next.policies.map(kept) });
}
