// The objects we read, in the shapes of their published APIs, after validation and defaulting.

import type { AuthorizationPolicy, RequestAuthentication } from './access/resources.ts';

interface ObjectMeta {
  readonly name: string;
  /** '' for cluster-scoped kinds; 'default' when a namespaced object in a file names none. */
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly generation: number;
}

/** Where an object was read: what messages point at. Kept up to date in place: lines move without a change of the object. */
interface Origin {
  readonly file: string;
  readonly line: number;
}

/** One object. Two reads of an unchanged document yield the same reference. */
export interface Resource<K extends string, S> {
  readonly kind: K;
  readonly apiVersion: string;
  readonly metadata: ObjectMeta;
  readonly spec: S;
  readonly origin: Origin;
  /**
   * creationTimestamp in ms since the epoch; where a file gives none, a number below 0 (older than all that are dated)
   * that grows in reading order: file path, then document.
   */
  readonly createdAt: number;
}

export type GatewayClass = Resource<
  'GatewayClass',
  { readonly controllerName: string; readonly parametersRef?: unknown }
>;

export interface ListenerSpec {
  readonly name: string;
  readonly hostname?: string;
  readonly port: number;
  readonly protocol: string;
  readonly tls?: {
    readonly mode: 'Terminate' | 'Passthrough';
    readonly certificateRefs?: readonly ObjectReference[];
    readonly options?: Readonly<Record<string, string>>;
  };
  readonly allowedRoutes: {
    readonly namespaces: { readonly from: 'All' | 'Same' | 'Selector' | 'None'; readonly selector?: LabelSelector };
    readonly kinds: readonly { readonly group: string; readonly kind: string }[];
  };
}

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    readonly values?: readonly string[];
  }[];
}

export type Gateway = Resource<
  'Gateway',
  {
    readonly gatewayClassName: string;
    readonly listeners: readonly ListenerSpec[];
    readonly addresses?: readonly { readonly type: string; readonly value?: string }[];
    readonly infrastructure?: {
      readonly labels?: Readonly<Record<string, string>>;
      readonly annotations?: Readonly<Record<string, string>>;
      readonly parametersRef?: unknown;
    };
    readonly tls?: {
      readonly backend?: { readonly clientCertificateRef?: ObjectReference };
      readonly frontend?: {
        readonly default: FrontendTls;
        readonly perPort?: readonly { readonly port: number; readonly tls: FrontendTls }[];
      };
    };
  }
>;

/** What is asked of clients that come with TLS. */
export interface FrontendTls {
  readonly validation?: {
    readonly caCertificateRefs: readonly ObjectReference[];
    readonly mode: 'AllowValidOnly' | 'AllowInsecureFallback';
  };
}

export interface ObjectReference {
  readonly group: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

export interface ParentReference {
  /** Defaulted: 'gateway.networking.k8s.io'. */
  readonly group: string;
  /** Defaulted: 'Gateway'. */
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly sectionName?: string;
  readonly port?: number;
}

export interface BackendRef {
  readonly group: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly port?: number;
  readonly weight: number;
}

/** A filter as written: `type` and one settings field named by it. */
export interface RouteFilter {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface HTTPRouteMatch {
  readonly path: { readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression'; readonly value: string };
  readonly headers?: readonly HTTPValueMatch[];
  readonly queryParams?: readonly HTTPValueMatch[];
  readonly method?: string;
}

export interface HTTPValueMatch {
  readonly type: 'Exact' | 'RegularExpression';
  readonly name: string;
  readonly value: string;
}

export interface HTTPRouteRule {
  readonly name?: string;
  /** Defaulted: one PathPrefix '/'. */
  readonly matches: readonly HTTPRouteMatch[];
  readonly filters?: readonly RouteFilter[];
  readonly backendRefs?: readonly (BackendRef & { readonly filters?: readonly RouteFilter[] })[];
  readonly timeouts?: { readonly request?: string; readonly backendRequest?: string };
  readonly retry?: unknown;
  readonly sessionPersistence?: unknown;
}

export type HTTPRoute = Resource<
  'HTTPRoute',
  {
    readonly parentRefs?: readonly ParentReference[];
    readonly hostnames?: readonly string[];
    readonly rules: readonly HTTPRouteRule[];
  }
>;

export type ReferenceGrant = Resource<
  'ReferenceGrant',
  {
    readonly from: readonly { readonly group: string; readonly kind: string; readonly namespace: string }[];
    readonly to: readonly { readonly group: string; readonly kind: string; readonly name?: string }[];
  }
>;

export interface ServicePort {
  readonly name?: string;
  readonly protocol: string;
  readonly appProtocol?: string;
  readonly port: number;
  readonly targetPort?: number | string;
}

export type Service = Resource<
  'Service',
  {
    readonly type: string;
    readonly clusterIP?: string;
    readonly clusterIPs?: readonly string[];
    readonly ports: readonly ServicePort[];
    readonly selector?: Readonly<Record<string, string>>;
    readonly externalName?: string;
  }
>;

/** EndpointSlice has no `spec` in its API; the reader moves `addressType`, `endpoints` and `ports` under it. */
export type EndpointSlice = Resource<
  'EndpointSlice',
  {
    readonly addressType: 'IPv4' | 'IPv6' | 'FQDN';
    readonly endpoints: readonly {
      readonly addresses: readonly string[];
      readonly conditions: { readonly ready: boolean; readonly serving: boolean; readonly terminating: boolean };
      readonly hostname?: string;
      readonly nodeName?: string;
      readonly zone?: string;
      readonly targetRef?: { readonly kind?: string; readonly name?: string; readonly namespace?: string };
      readonly hints?: unknown;
    }[];
    readonly ports: readonly {
      readonly name?: string;
      readonly protocol?: string;
      readonly port?: number;
      readonly appProtocol?: string;
    }[];
  }
>;

export interface PolicyTargetReference {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly sectionName?: string;
}

type Settings = Readonly<Record<string, unknown>>;

/** What is absent is left to the policies of other levels. */
export type TrafficPolicy = Resource<
  'TrafficPolicy',
  {
    readonly targetRefs: readonly PolicyTargetReference[];
    readonly mode: 'Enforce' | 'Shadow';
    readonly loadBalancing?: Settings;
    readonly connections?: Settings;
    readonly circuitBreaker?: Settings;
    readonly outlierDetection?: Settings;
    readonly healthCheck?: Settings;
    readonly retry?: Settings;
    readonly rateLimit?: Settings;
    readonly fault?: Settings;
  }
>;

export type XBackendTrafficPolicy = Resource<
  'XBackendTrafficPolicy',
  {
    readonly targetRefs: readonly PolicyTargetReference[];
    readonly retryConstraint?: Settings;
    readonly sessionPersistence?: Settings;
  }
>;

interface SubjectAltName {
  readonly type: 'Hostname' | 'URI';
  readonly hostname?: string;
  readonly uri?: string;
}

/** What the certificate of a backend must prove; one of caCertificateRefs and wellKnownCACertificates is set. */
export interface BackendTLSValidation {
  readonly caCertificateRefs?: readonly ObjectReference[];
  readonly wellKnownCACertificates?: string;
  readonly hostname: string;
  readonly subjectAltNames?: readonly SubjectAltName[];
}

export type BackendTLSPolicy = Resource<
  'BackendTLSPolicy',
  {
    readonly targetRefs: readonly PolicyTargetReference[];
    readonly validation: BackendTLSValidation;
    readonly options?: Readonly<Record<string, string>>;
  }
>;

/** The two spellings of `port` are read as one. */
export type XBackend = Resource<
  'XBackend',
  {
    readonly type: 'ExternalHostname' | 'EndpointSelector';
    readonly port: number;
    readonly externalHostname?: { readonly hostname: string };
    readonly protocol?: string;
    readonly tls?: {
      readonly mode: 'None' | 'ServerOnly' | 'ClientAndServer';
      readonly clientCertificateRef?: ObjectReference;
      readonly validation?: BackendTLSValidation;
    };
  }
>;

export type Namespace = Resource<'Namespace', Readonly<Record<string, never>>>;
/** `data` (base64 decoded for a Secret) and `stringData` are moved under `spec.data` as Latin-1 strings. */
export type Secret = Resource<'Secret', { readonly type: string; readonly data: Readonly<Record<string, string>> }>;
export type ConfigMap = Resource<'ConfigMap', { readonly data: Readonly<Record<string, string>> }>;

export type AnyResource =
  | GatewayClass
  | Gateway
  | HTTPRoute
  | ReferenceGrant
  | Service
  | EndpointSlice
  | TrafficPolicy
  | XBackendTrafficPolicy
  | BackendTLSPolicy
  | XBackend
  | AuthorizationPolicy
  | RequestAuthentication
  | Namespace
  | Secret
  | ConfigMap;

/**
 * Everything known at one moment, by `namespace/name` (cluster-scoped: `name`). Immutable: a change makes a new
 * Resources that shares the maps of the kinds that did not change and the objects that did not change.
 */
export interface Resources {
  readonly GatewayClass: ReadonlyMap<string, GatewayClass>;
  readonly Gateway: ReadonlyMap<string, Gateway>;
  readonly HTTPRoute: ReadonlyMap<string, HTTPRoute>;
  readonly ReferenceGrant: ReadonlyMap<string, ReferenceGrant>;
  readonly Service: ReadonlyMap<string, Service>;
  readonly EndpointSlice: ReadonlyMap<string, EndpointSlice>;
  readonly TrafficPolicy: ReadonlyMap<string, TrafficPolicy>;
  readonly XBackendTrafficPolicy: ReadonlyMap<string, XBackendTrafficPolicy>;
  readonly BackendTLSPolicy: ReadonlyMap<string, BackendTLSPolicy>;
  readonly XBackend: ReadonlyMap<string, XBackend>;
  readonly AuthorizationPolicy: ReadonlyMap<string, AuthorizationPolicy>;
  readonly RequestAuthentication: ReadonlyMap<string, RequestAuthentication>;
  readonly Namespace: ReadonlyMap<string, Namespace>;
  readonly Secret: ReadonlyMap<string, Secret>;
  readonly ConfigMap: ReadonlyMap<string, ConfigMap>;
}
