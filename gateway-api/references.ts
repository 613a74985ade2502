// ReferenceGrants: what one namespace lets objects of other namespaces refer to.

import type { ReferenceGrant } from './resources.ts';

/** Grants by the namespace they stand in, which is the namespace of the target. */
export type Grants = ReadonlyMap<string, readonly ReferenceGrant[]>;

export interface Referrer {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
}

export interface Target {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export function indexGrants(grants: ReadonlyMap<string, ReferenceGrant>): Grants {
  return Map.groupBy(grants.values(), (grant) => grant.metadata.namespace);
}

/** `from` and `to` entries are alternatives each; a `to` without a name means every object of the kind. */
export function isGranted(grants: Grants, referrer: Referrer, target: Target): boolean {
  if (referrer.namespace === target.namespace) return true;
  return (grants.get(target.namespace) ?? []).some(
    ({ spec }) =>
      spec.from.some(
        (from) => from.group === referrer.group && from.kind === referrer.kind && from.namespace === referrer.namespace,
      ) &&
      spec.to.some(
        (to) =>
          coreGroup(to.group) === target.group && to.kind === target.kind && (to.name ?? target.name) === target.name,
      ),
  );
}

/** The core group is written ''; `core` is common in prose and accepted. */
export function coreGroup(group: string): string {
  return group === 'core' ? '' : group;
}
