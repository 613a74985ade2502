// Statuses as the Gateway API writes them: conditions per object, per listener and per parent reference.

import type { ParentReference } from './resources.ts';

/** Without lastTransitionTime: whoever writes a status to a cluster adds it when `status` turns. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
}

export interface RouteKind {
  readonly group: string;
  readonly kind: string;
}

export interface ListenerStatus {
  readonly name: string;
  readonly supportedKinds: readonly RouteKind[];
  /** Accepted routes attached, also where the listener itself is broken. */
  readonly attachedRoutes: number;
  readonly conditions: readonly Condition[];
}

/** What we say about one `parentRefs` entry of a route. */
export interface ParentStatus {
  readonly parentRef: ParentReference;
  readonly controllerName: string;
  readonly conditions: readonly Condition[];
}

export interface GatewayClassStatus {
  readonly kind: 'GatewayClass';
  readonly key: string;
  readonly conditions: readonly Condition[];
  /** Sorted. */
  readonly supportedFeatures: readonly string[];
}

export interface GatewayStatus {
  readonly kind: 'Gateway';
  readonly key: string;
  readonly conditions: readonly Condition[];
  readonly addresses: readonly { readonly type: string; readonly value: string }[];
  readonly listeners: readonly ListenerStatus[];
}

export interface HTTPRouteStatus {
  readonly kind: 'HTTPRoute';
  readonly key: string;
  readonly parents: readonly ParentStatus[];
}

/** Of a Service that asks for a waypoint: is it enrolled, and is its own address served? */
export interface ServiceStatus {
  readonly kind: 'Service';
  readonly key: string;
  readonly conditions: readonly Condition[];
}

/** What we say about one target of a policy (GEP-713). */
export interface PolicyAncestorStatus {
  readonly ancestorRef: {
    readonly group: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly sectionName?: string;
  };
  readonly controllerName: string;
  readonly conditions: readonly Condition[];
}

export interface PolicyStatus {
  readonly kind:
    | 'TrafficPolicy'
    | 'XBackendTrafficPolicy'
    | 'BackendTLSPolicy'
    | 'XBackend'
    | 'AuthorizationPolicy'
    | 'RequestAuthentication';
  readonly key: string;
  readonly ancestors: readonly PolicyAncestorStatus[];
}

/** `key` is `namespace/name`, for a GatewayClass `name`. */
export type ObjectStatus = GatewayClassStatus | GatewayStatus | HTTPRouteStatus | ServiceStatus | PolicyStatus;

/** By `Kind/namespace/name` (GatewayClass: `Kind/name`). An object that is not ours to speak about has no entry. */
export type Statuses = ReadonlyMap<string, ObjectStatus>;

/** What a condition says; the object's generation is added by `condition`. */
export interface Verdict {
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

/** Most objects are told the same: what is said of one verdict in one generation is one object for all of them. */
const said = new WeakMap<Verdict, Condition>();

export function condition(type: string, verdict: Verdict, generation: number): Condition {
  const known = said.get(verdict);
  if (known?.type === type && known.observedGeneration === generation) return known;
  const { status, reason, message } = verdict;
  const fresh: Condition = { type, status, reason, message, observedGeneration: generation };
  said.set(verdict, fresh);
  return fresh;
}

export function yes(reason: string, message: string): Verdict {
  return { status: 'True', reason, message };
}

export function no(reason: string, message: string): Verdict {
  return { status: 'False', reason, message };
}
