// Policies about who may do what, as they are read from both groups that have them.

import type { Resource } from '../resources.ts';

/** Group '' and a missing namespace are as written; whoever attaches the policy knows the kinds. */
export interface AccessTargetReference {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

interface AccessPolicySpec {
  /** Labels of workloads, which a waypoint does not see. */
  readonly selector?: unknown;
  readonly targetRef?: AccessTargetReference;
  readonly targetRefs?: readonly AccessTargetReference[];
  /** Why the object violates its schema: nothing else of its spec was read then. */
  readonly failure?: string;
}

/** Of security.istio.io or waypoint.dev; keys of the former end with `@security.istio.io`. */
export type AuthorizationPolicy = Resource<
  'AuthorizationPolicy',
  AccessPolicySpec & {
    /** Of waypoint.dev only. */
    readonly mode?: 'Enforce' | 'Shadow';
    readonly action?: string;
    readonly provider?: unknown;
    readonly rules?: readonly unknown[];
  }
>;

/** Of both groups, with keys likewise. */
export type RequestAuthentication = Resource<
  'RequestAuthentication',
  AccessPolicySpec & { readonly jwtRules?: readonly unknown[] }
>;

export type AccessPolicy = AuthorizationPolicy | RequestAuthentication;
