// What the translator hands to the data plane: plain data (it crosses threads by structured clone), immutable, compared
// by reference: an object that is the same object as before has not changed.

import type { RouteMatch } from '../routing/condition.ts';
import type { AuthenticationPlan } from './authentication.ts';
import type { AuthorizationPlan } from './authorization.ts';
import type { Filter } from './index.ts';
import type { MirrorPlan } from './mirror.ts';
import type { TimeoutsPlan } from './timeouts.ts';
import type { BackendPolicy, Origin, Policies, RequestPolicy } from './traffic.ts';

/** What one rule of one route does with the requests that it matched. */
export interface RoutePlan {
  /** Route kind, `HTTPRoute`; 'Default' for a Service that is forwarded to itself. */
  readonly kind: string;
  /** `namespace/name` of the route. */
  readonly route: string;
  /** The rule's name, or its index as a string. */
  readonly rule: string;
  /** Filters of the rule in listed order; the shared empty array when none. */
  readonly filters: readonly Filter[];
  /** Weighted backends; empty and no redirect among the filters: 500. */
  readonly backends: readonly BackendShare[];
  /** Mirrors of the rule; a copy leaves after the filters ran (those listed before it: `afterFilter`). */
  readonly mirrors: readonly MirrorPlan[];
  readonly timeouts: TimeoutsPlan | null;
  /** Of a rule without backends; with some each share has its own, and here is nothing. */
  readonly policy: Policies<RequestPolicy>;
  readonly origins: readonly Origin[];
  /** Why every request of this rule is answered 500 (an unresolvable filter, a rule that did not compile); else null. */
  readonly failure: PlanFailure | null;
}

/** A broken reference is a value that answers 500, never a missing entry. */
export interface PlanFailure {
  /** Gateway API reason: BackendNotFound, InvalidKind, RefNotPermitted, UnsupportedProtocol, IncompatibleFilters, ... */
  readonly reason: string;
  readonly message: string;
}

export interface BackendShare {
  /** >= 0; a share of 0 gets no traffic. */
  readonly weight: number;
  /** Key of the backend (`namespace/name:port`); null when `failure` says why its share is answered 500. */
  readonly backend: string | null;
  readonly failure: PlanFailure | null;
  /** Filters of this backendRef, run after the choice, for this backend only. */
  readonly filters: readonly Filter[];
  readonly mirrors: readonly MirrorPlan[];
  /** Merged for this rule and this backend. */
  readonly policy: Policies<RequestPolicy>;
  readonly origins: readonly Origin[];
}

/** One route as attached to one table. Shared by reference between tables where it is equal. */
export interface RoutePlanEntry {
  /** `kind/namespace/name`, the key of the route within its table. */
  readonly key: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** creationTimestamp in ms since the epoch; file order where there is none. Older wins ties, then namespace/name. */
  readonly createdAt: number;
  /** Hostnames left after intersection with the listener; empty: any host. */
  readonly hostnames: readonly string[];
  readonly rules: readonly RulePlan[];
}

export interface RulePlan {
  /** Never empty: the default match is PathPrefix '/'. */
  readonly matches: readonly RouteMatch[];
  readonly plan: RoutePlan;
}

export interface TablePlan {
  readonly id: string;
  /** By entry key. A changed table shares the entries that did not change. */
  readonly entries: ReadonlyMap<string, RoutePlanEntry>;
}

/** One Gateway listener on a port: chosen by the request's host, most specific first (gateway-api.md 6.6). */
export interface ListenerPlan {
  /** `namespace/gateway/listener`. */
  readonly id: string;
  readonly gateway: string;
  readonly name: string;
  /** Lower-case, exact or `*.suffix`; null: any. */
  readonly hostname: string | null;
  readonly table: string;
  /**
   * Ids of the credentials it presents (HTTPS), in the order of its certificateRefs; empty: cleartext. Those that are
   * broken are left out; a listener of protocol HTTPS of which none is left is not served at all.
   */
  readonly certificates: readonly string[];
  /** Of HTTPS. */
  readonly minTlsVersion: '1.2' | '1.3';
}

/** One port of one enrolled Service as clients address it. */
export interface ServicePlan {
  /** `namespace/name:port`, also the key of its backend. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  /** Addresses by which clients know it, also where nobody listens on them here: an endpoint that has one is a loop. */
  readonly vips: readonly string[];
  /** The Gateway (`namespace/name`) at which it is enrolled. */
  readonly gateway: string;
  /** Consumer tables by client namespace: they replace the producer's for clients known to live there. */
  readonly consumers: ReadonlyMap<string, string>;
  /** Table of the routes of its own namespace; null: none attached. */
  readonly producer: string | null;
  /** Listeners of its Gateway whose routes apply where it has none of its own and their hostname fits. */
  readonly listeners: readonly ListenerPlan[];
  /** Where no route is attached: forward to itself. */
  readonly fallback: RoutePlan;
}

/** What comes first on a connection: HTTP itself, a TLS handshake, or a PROXY protocol header (v1 or v2). */
export type BindProtocol = 'HTTP' | 'HTTPS' | 'PROXY';

/** Gateway `spec.tls.frontend` for one port. */
export interface ClientValidationPlan {
  readonly mode: 'AllowValidOnly' | 'AllowInsecureFallback';
  /** Ids of credentials of which `ca` vouches for clients. Empty: every reference is broken, no client is believed. */
  readonly authorities: readonly string[];
}

/**
 * Certificates and keys, kept apart from everything that is printed: never part of explain, logs or the admin page.
 * `Secret shop/tls`, `ConfigMap shop/ca`, `Credential spiffe`.
 */
export interface CredentialPlan {
  readonly id: string;
  /** PEM, leaf first; null: it only vouches for others. */
  readonly certificate: string | null;
  readonly key: string | null;
  /** PEM, one or more CA certificates; null: it vouches for nobody. */
  readonly authorities: string | null;
  /** PEM, revocation lists of these CAs; null: none. */
  readonly revocations: string | null;
  /** Its CAs vouch for identities of this SPIFFE trust domain only; null: for any. */
  readonly trustDomain: string | null;
}

/** How connections to the endpoints of a backend are encrypted. */
export interface BackendTlsPlan {
  /** SNI; also the name that is verified, unless `names` has some. null: none (verified by `names` alone). */
  readonly serverName: string | null;
  /** Of these one must be in the certificate; `Hostname` may be a wildcard in the certificate. */
  readonly names: readonly { readonly type: 'Hostname' | 'URI'; readonly value: string }[];
  /** Ids of credentials; 'System' for the CAs that come with the runtime. Empty: nothing is believed. */
  readonly authorities: readonly string[];
  /** Id of the certificate that is presented; null: none. */
  readonly certificate: string | null;
  /** Why every connection is refused (no valid CA, a missing client certificate): never cleartext instead. null: none. */
  readonly failure: PlanFailure | null;
}

/** One socket address that every worker listens on. */
export interface BindPlan {
  /** `address:port` (IPv6 in brackets). */
  readonly id: string;
  readonly address: string;
  readonly port: number;
  /** The Gateway whose connections these are: names the hop in `Via`, the log and the metrics. */
  readonly gateway: string;
  readonly protocol: BindProtocol;
  /** What is asked of client certificates (HTTPS); null: none is asked for. */
  readonly clientValidation: ClientValidationPlan | null;
  /** Set for a VIP: everything that arrives is for this Service. */
  readonly service: string | null;
  /** Listeners of the Gateway on this port, most specific hostname first; empty for a VIP. */
  readonly listeners: readonly ListenerPlan[];
  /** Enrolled Services by the address that a trusted PROXY protocol header names, `address:port`; empty unless `protocol` is PROXY. */
  readonly destinations: ReadonlyMap<string, string>;
  /** Enrolled Services by authority, lower-case `host` or `host:port`; asked before the listeners. Empty for a VIP. */
  readonly authorities: ReadonlyMap<string, string>;
}

export interface EndpointPlan {
  readonly address: string;
  readonly port: number;
  /** Pod or node name when known, for logs. */
  readonly name: string | null;
  readonly zone: string | null;
  /** Zones that should use it (EndpointSlice `hints.forZones`); empty: no hint. */
  readonly hints: readonly string[];
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
}

/** One port of one Service as requests are forwarded to it. */
export interface BackendPlan {
  /** `namespace/name:port`. */
  readonly id: string;
  readonly protocol: 'http' | 'ws';
  readonly endpoints: readonly EndpointPlan[];
  /** null: cleartext. */
  readonly tls: BackendTlsPlan | null;
  /** A name outside, whose addresses come from DNS: loopback, link-local and our own are refused when connecting. */
  readonly external: boolean;
  /** What `Host` says to it where no filter rewrites the host, `host` or `host:port`; null: what the client said. */
  readonly authority: string | null;
  readonly policy: Policies<BackendPolicy>;
  readonly origins: readonly Origin[];
}

/** What holds for everybody who reaches one target: `Gateway shop/shop`, `Service shop/orders`, `HTTPRoute shop/orders`. */
export interface AccessPlan {
  readonly target: string;
  /** RequestAuthentication: which tokens are believed. */
  readonly authentications: readonly AuthenticationPlan[];
  /** AuthorizationPolicy: who may. A target with an entry here is guarded by it, however broken the policy. */
  readonly policies: readonly AuthorizationPlan[];
}

export interface Snapshot {
  readonly binds: ReadonlyMap<string, BindPlan>;
  readonly services: ReadonlyMap<string, ServicePlan>;
  readonly tables: ReadonlyMap<string, TablePlan>;
  readonly backends: ReadonlyMap<string, BackendPlan>;
  /** By target. */
  readonly access: ReadonlyMap<string, AccessPlan>;
  /** By id; only those that something above names. */
  readonly credentials: ReadonlyMap<string, CredentialPlan>;
}

/** Nothing is served. */
export const EMPTY_SNAPSHOT: Snapshot = {
  binds: new Map(),
  services: new Map(),
  tables: new Map(),
  backends: new Map(),
  access: new Map(),
  credentials: new Map(),
};
