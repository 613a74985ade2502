// What there is to say about one request: plain data, for people (text.ts) and for programs (JSON).

import type { EndpointPlan, PlanFailure } from '../../policies/plan.ts';

export interface ExplainReport {
  /** As it was read; null when it was refused. */
  readonly request: ExplainedRequest | null;
  /** The socket address that was dialled, and how the URL led to it. */
  readonly bind: { readonly id: string; readonly gateway: string; readonly found: string } | null;
  readonly frontend: ExplainedFrontend | null;
  /** In order of precedence; the first without a mismatch takes the request. */
  readonly candidates: readonly ExplainedCandidate[];
  readonly rule: ExplainedRule | null;
  /** What the waypoint answers itself; null when the request is forwarded, at least to some of the backends. */
  readonly answer: ExplainedAnswer | null;
}

interface ExplainedRequest {
  readonly method: string;
  readonly authority: string;
  /** Normalised: what is matched. */
  readonly path: string;
  readonly query: string;
}

interface ExplainedFrontend {
  readonly service: string | null;
  readonly listener: string | null;
  /** null: no route is attached, the Service is forwarded to itself. */
  readonly table: string | null;
}

export interface ExplainedCandidate {
  readonly route: string;
  readonly rule: string;
  /** null: any host. */
  readonly hostname: string | null;
  readonly match: string;
  /** The first condition that is not met; null: it takes the request, or would where none before it does. */
  readonly mismatch: string | null;
  readonly wins: boolean;
}

export interface ExplainedRule {
  readonly kind: string;
  readonly route: string;
  readonly rule: string;
  readonly timeouts: string | null;
  readonly filters: readonly string[];
  readonly mirrors: readonly string[];
  /** Lines of the head before and after the filters of the rule, without what every hop adds (`via`, `x-forwarded-*`). */
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly backends: readonly ExplainedBackend[];
}

export interface ExplainedBackend {
  readonly backend: string | null;
  readonly percent: number;
  /** Why its share is answered 500. */
  readonly failure: PlanFailure | null;
  readonly filters: readonly string[];
  readonly mirrors: readonly string[];
  /** Lines of the head as this backend sees it, where it has filters of its own. */
  readonly after: readonly string[] | null;
  /** `eligible`: it takes new requests. */
  readonly endpoints: readonly (EndpointPlan & { readonly eligible: boolean })[];
}

export interface ExplainedAnswer {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
}
