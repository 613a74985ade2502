// External authorization: which service is asked whether a request may pass, what it is told, and what of its answer counts.

import type { PlanFailure } from './plan.ts';

/** Plain data: of an `externalAuth` filter, or of an extension provider that an AuthorizationPolicy names. */
export interface ExternalAuthPlan {
  /** Names it in log and metrics, and its breaker: `shop/auth:9000`, or the name of the extension provider. */
  readonly provider: string;
  readonly protocol: 'HTTP' | 'GRPC';
  /** `namespace/name:port`; null when `failure` says why nobody can be asked: then every request is refused. */
  readonly backend: string | null;
  readonly failure: PlanFailure | null;
  /** Written before the path in what an HTTP service is asked; '' for none. */
  readonly pathPrefix: string;
  /** Fields of the request that it is told, beside those it is always told; null: all. */
  readonly allowedHeaders: HeaderNames | null;
  /** Fixed fields it is told, instead of those of the request. */
  readonly additionalHeaders: readonly (readonly [name: string, value: string])[];
  /** Fields of an HTTP service's consent that go into the request; null: all. */
  readonly allowedResponseHeaders: HeaderNames | null;
  /** Fields of its refusal that the client is told; null: all. */
  readonly clientHeadersOnDeny: HeaderNames | null;
  /** Fields of its consent that the client is told. */
  readonly clientHeadersOnAllow: HeaderNames;
  /** null: it is told nothing of the body, and is asked before the body came. */
  readonly forwardBody: ForwardBody | null;
  readonly timeoutMs: number;
  /** Whether a request passes where nobody answers. */
  readonly failOpen: boolean;
  /** What the client is answered where nobody answers and `failOpen` is false. */
  readonly statusOnError: number;
}

export interface ForwardBody {
  readonly maxBytes: number;
  /** Of a longer body its beginning is told; false: 413. */
  readonly allowPartial: boolean;
  /** A gRPC service is told bytes instead of text. */
  readonly packAsBytes: boolean;
}

/** Names of header fields, lower-case. */
export interface HeaderNames {
  readonly exact: readonly string[];
  readonly prefixes: readonly string[];
  readonly suffixes: readonly string[];
}
