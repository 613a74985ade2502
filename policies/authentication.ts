// RequestAuthentication: which tokens are believed, where they are looked for, and what becomes of them.

/** One RequestAuthentication at one target. */
export interface AuthenticationPlan {
  /** `RequestAuthentication shop/orders`. */
  readonly policy: string;
  readonly rules: readonly JwtRulePlan[];
  /** Why it could not be loaded: then every token is refused. null: it was. */
  readonly failure: string | null;
}

/** Istio's JWTRule. */
export interface JwtRulePlan {
  readonly issuer: string;
  /** Of these one must be in `aud`; empty: any. */
  readonly audiences: readonly string[];
  /** Where the keys are: the text of an inline JWKS, or the URI of a remote one. */
  readonly keys: { readonly inline: string } | { readonly uri: string };
  /** Longest wait for the remote keys. */
  readonly timeoutMs: number;
  readonly locations: readonly TokenLocation[];
  /** The token stays in the request that is forwarded. */
  readonly forward: boolean;
  /** Header that carries the verified payload, base64url without padding; null: none. */
  readonly payloadHeader: string | null;
  /** Claims copied to headers. */
  readonly claimHeaders: readonly { readonly header: string; readonly claim: string }[];
}

export type TokenLocation =
  /** `prefix` is cut off, and values without it are no tokens; '' for none. */
  | { readonly in: 'header'; readonly name: string; readonly prefix: string }
  | { readonly in: 'query' | 'cookie'; readonly name: string };

/** Of a verified token. */
export interface VerifiedToken {
  /** `iss/sub`. */
  readonly principal: string;
  readonly audiences: readonly string[];
  /** `azp`; '' for none. */
  readonly presenter: string;
  readonly claims: Readonly<Record<string, unknown>>;
}
