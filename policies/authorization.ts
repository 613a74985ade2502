// AuthorizationPolicy: who may do what, with Istio's semantics.

import type { VerifiedToken } from './authentication.ts';
import type { ExternalAuthPlan } from './external-auth.ts';
import type { FilterContext } from './policy.ts';

/** What a decision looks at; an exchange is one. */
export interface AccessContext extends FilterContext {
  /** The client as the trusted hops in front of us tell it (`x-forwarded-for`); the peer's own address without any. */
  readonly remoteAddress: string;
  /** The port that was addressed: of the Service, or of the listener. */
  readonly destinationPort: number;
  /** null: the request carries none that is believed. */
  readonly token: VerifiedToken | null;
}

export type AuthorizationAction = 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM';

/** One AuthorizationPolicy at one target. */
export interface AuthorizationPlan {
  /** `AuthorizationPolicy shop/orders`. */
  readonly policy: string;
  readonly action: AuthorizationAction;
  /** It decides, is counted and logged, and changes nothing (mode Shadow, `istio.io/dry-run`). */
  readonly shadow: boolean;
  /** Alternatives. Empty: it matches nothing. */
  readonly rules: readonly AccessRule[];
  /** Of CUSTOM: the provider as written; null for the other actions. */
  readonly provider: string | null;
  /** Of CUSTOM: whom to ask. Its `failure` says why nobody can be asked: then what matches is refused. */
  readonly externalAuth: ExternalAuthPlan | null;
  /** Why it could not be loaded: then it denies everything at its target. null: it was. */
  readonly failure: string | null;
}

/** Matches when one of `from` (any, where empty), one of `to` (likewise) and all of `when` hold. */
export interface AccessRule {
  readonly from: readonly (readonly AccessTest[])[];
  readonly to: readonly (readonly AccessTest[])[];
  readonly when: readonly AccessTest[];
}

/** One field of a source or operation together with its `notX`, or one condition of `when`. */
export interface AccessTest {
  readonly attribute: AccessAttribute;
  /** As written: `principals`, `paths`, `request.headers[x-user]`. */
  readonly name: string;
  /** The header (lower-case), or the names that lead to the claim; empty for the other attributes. */
  readonly key: readonly string[];
  /** One of them must match; empty: any value, or none, will do. */
  readonly values: readonly string[];
  /** None of them may match. */
  readonly notValues: readonly string[];
}

/** By Istio's names; those of an operation, which have none there, by their own. */
export type AccessAttribute =
  | 'source.principal'
  | 'source.namespace'
  | 'source.serviceAccount'
  | 'source.trustDomain'
  | 'source.ip'
  | 'remote.ip'
  | 'request.auth.principal'
  | 'request.auth.audiences'
  | 'request.auth.presenter'
  | 'request.auth.claims'
  | 'request.headers'
  | 'destination.ip'
  | 'destination.port'
  | 'connection.sni'
  | 'host'
  | 'method'
  | 'path';

/** What was decided about one request. */
export interface AccessVerdict {
  readonly allowed: boolean;
  /** The policy that decided, `AuthorizationPolicy shop/orders`; '' where there is no ALLOW policy that could. */
  readonly policy: string;
  /** Index of the rule that decided; '' where none did (no ALLOW policy matched), `failure` where the policy did not load. */
  readonly rule: string;
  /** AUDIT policies that match; the shared empty array when none does. */
  readonly audited: readonly string[];
}

/** Why one policy has the effect on a request that it has. */
export interface PolicyExplanation {
  readonly policy: string;
  readonly action: AuthorizationAction;
  readonly shadow: boolean;
  readonly failure: string | null;
  readonly matches: boolean;
  readonly rules: readonly RuleExplanation[];
}

export interface RuleExplanation {
  /** Its index. */
  readonly rule: string;
  readonly matches: boolean;
  /** The first condition that failed, or all that held, in words. */
  readonly why: string;
}
