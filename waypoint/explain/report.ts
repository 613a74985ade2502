// What there is to say about one request: plain data, for people (text.ts) and for programs (JSON).

import type { PolicyExplanation } from '../../policies/authorization.ts';
import type { EndpointPlan, PlanFailure } from '../../policies/plan.ts';
import type { Origin } from '../../policies/traffic.ts';

export interface ExplainReport {
  /** As it was read; null when it was refused. */
  readonly request: ExplainedRequest | null;
  /** The socket address that was dialled, and how the URL led to it. */
  readonly bind: { readonly id: string; readonly gateway: string; readonly found: string } | null;
  /** The handshake before the request; null: it is sent in the clear. */
  readonly tls: ExplainedTls | null;
  /** Who the client is known to be, in words; '' in the clear, where nobody expects to know. */
  readonly client: string;
  readonly frontend: ExplainedFrontend | null;
  /** In order of precedence; the first without a mismatch takes the request. */
  readonly candidates: readonly ExplainedCandidate[];
  readonly rule: ExplainedRule | null;
  /** null: there is none, or nobody looks for one. */
  readonly token: ExplainedToken | null;
  /** Who may; empty where nobody guards the request. */
  readonly access: readonly ExplainedAccess[];
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

export interface ExplainedTls {
  /** SNI; null: none. */
  readonly serverName: string | null;
  /** null: none has a certificate for that name. */
  readonly listener: string | null;
  /** Ids of the credentials among which the client's ciphers choose. */
  readonly certificates: readonly string[];
}

export interface ExplainedToken {
  /** `assumed`: its keys are not here, so its claims are taken for true. */
  readonly state: 'verified' | 'assumed' | 'refused';
  /** `iss/sub`; '' for nobody. */
  readonly principal: string;
  /** The RequestAuthentication that says so; '' where none does. */
  readonly policy: string;
  /** Why it is refused, as in the access log; '' when it is not. */
  readonly reason: string;
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
  /** Of a rule without backends; otherwise each backend has its own. */
  readonly policy: readonly ExplainedSection[];
  /** Whether the request comes back to an endpoint; null: the rule keeps no sessions. */
  readonly session: ExplainedSession | null;
  readonly filters: readonly string[];
  readonly mirrors: readonly string[];
  /** Lines of the head before and after the filters of the rule, without what every hop adds (`via`, `x-forwarded-*`). */
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly backends: readonly ExplainedBackend[];
}

/** What the policies about access say, of the Gateway, the Service and the route together. */
export interface ExplainedAccess {
  /** The backend on the way to which they hold; null: wherever the request goes. */
  readonly backend: string | null;
  /** Those of them that have any: `Service shop/orders`. */
  readonly targets: readonly string[];
  /** RequestAuthentications: a bad token is refused before all else. */
  readonly authentications: readonly string[];
  /** CUSTOM: who is asked, each with the policy that says so. */
  readonly asked: readonly string[];
  readonly allowed: boolean;
  /** The policy and the rule that decided; as in the access log. */
  readonly policy: string;
  readonly rule: string;
  readonly audited: readonly string[];
  readonly policies: readonly PolicyExplanation[];
}

/** One concern of the effective policy. */
export interface ExplainedSection {
  /** Its name below `spec`: `retry`, `circuitBreaker`. */
  readonly section: string;
  /** In one line. */
  readonly effect: string;
  /** The same if policies in mode Shadow were enforced; null: none of them says anything here. */
  readonly shadow: string | null;
  /** What holds, then what is in mode Shadow only. */
  readonly fields: readonly Origin[];
}

export interface ExplainedSession {
  /** Of the cookie or header that carries the token. */
  readonly name: string;
  /** null: the request has no token that is genuine and still valid. */
  readonly backend: string | null;
  /** `address:port`; null also when that endpoint takes requests no longer. */
  readonly endpoint: string | null;
}

/** What ConsistentHash makes of the request. */
export interface ExplainedChoice {
  /** `header x-user`. */
  readonly by: string;
  /** '' when the request has none. */
  readonly key: string;
  /** `address:port`, as long as it has room; null: there is no key, or nobody to choose from. */
  readonly endpoint: string | null;
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
  /** How connections to it are encrypted, in one line; null: they are not. */
  readonly tls: string | null;
  /** Why none is made (`BackendTlsPlan.failure`); null: they are. */
  readonly tlsFailure: PlanFailure | null;
  /** A server outside: what `Host` says to it, where no filter says otherwise; null: one inside. */
  readonly outside: string | null;
  /** What holds for requests of this rule to this backend. */
  readonly policy: readonly ExplainedSection[];
  /** What holds for its endpoints, whoever sends to them. */
  readonly endpointPolicy: readonly ExplainedSection[];
  /** null: the endpoint is not chosen by a key. */
  readonly choice: ExplainedChoice | null;
  /** `eligible`: it takes new requests. */
  readonly endpoints: readonly (EndpointPlan & { readonly eligible: boolean })[];
}

export interface ExplainedAnswer {
  /** 0: the connection ends before there is any. */
  readonly status: number;
  readonly reason: string;
  readonly message: string;
}
