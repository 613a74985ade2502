// AuthorizationPolicy: who may do what, with Istio's semantics.

import type { VerifiedToken } from './authentication.ts';
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

/** One AuthorizationPolicy at one target. */
export interface AuthorizationPlan {
  /** `AuthorizationPolicy shop/orders`. */
  readonly policy: string;
  readonly action: 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM';
  /** It decides, is counted and logged, and changes nothing (mode Shadow, `istio.io/dry-run`). */
  readonly shadow: boolean;
  /** Why it could not be loaded: then it denies everything at its target. null: it was. */
  readonly failure: string | null;
}
