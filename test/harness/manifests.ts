// Gateway API objects as short as tests want them; the result is written to files for the waypoint to read.

export type Manifest = { readonly kind: string; readonly [field: string]: unknown };

const GATEWAY_API = 'gateway.networking.k8s.io/v1';

export interface ListenerSetup {
  readonly name?: string;
  readonly port: number;
  readonly hostname?: string;
  readonly protocol?: string;
  readonly tls?: unknown;
  readonly allowedRoutes?: unknown;
}

export interface RuleSetup {
  readonly name?: string;
  readonly matches?: readonly unknown[];
  readonly filters?: readonly unknown[];
  readonly backendRefs?: readonly unknown[];
  readonly timeouts?: unknown;
}

export interface RouteSetup {
  readonly name: string;
  readonly namespace?: string;
  /** parentRefs; a string is the name of a Gateway. */
  readonly parents: readonly (string | Record<string, unknown>)[];
  readonly hostnames?: readonly string[];
  readonly rules: readonly RuleSetup[];
  readonly created?: string;
}

export interface ServiceSetup {
  readonly name: string;
  readonly namespace?: string;
  /** Service port; 80 when absent. */
  readonly port?: number;
  /** More ports that lead to the same endpoints. */
  readonly morePorts?: readonly number[];
  /** Ports on 127.0.0.1 of the endpoints; empty: a Service without endpoints. */
  readonly endpoints: readonly number[];
  readonly clusterIP?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly appProtocol?: string;
}

export function gatewayClass(): Manifest {
  return {
    apiVersion: GATEWAY_API,
    kind: 'GatewayClass',
    metadata: { name: 'waypoint' },
    spec: { controllerName: 'waypoint.dev/controller' },
  };
}

export function gateway(name: string, listeners: readonly ListenerSetup[], namespace: string = 'default'): Manifest {
  return {
    apiVersion: GATEWAY_API,
    kind: 'Gateway',
    metadata: { name, namespace },
    spec: {
      gatewayClassName: 'waypoint',
      listeners: listeners.map((listener, i) => ({ name: `l${i}`, protocol: 'HTTP', ...listener })),
    },
  };
}

/** A Gateway of HTTPS listeners; `tls` of the whole, `secrets` by listener where it does not bring its own. */
export function secureGateway(
  name: string,
  listeners: readonly (ListenerSetup & { readonly secrets?: readonly string[] })[],
  tls: unknown = {},
): Manifest {
  const manifest = gateway(
    name,
    listeners.map(({ secrets = [], ...listener }) => ({
      protocol: 'HTTPS',
      tls: { certificateRefs: secrets.map((each) => ({ name: each })) },
      ...listener,
    })),
  );
  return { ...manifest, spec: { ...(manifest['spec'] as object), tls } };
}

export function route(setup: RouteSetup): Manifest {
  const metadata = { name: setup.name, namespace: setup.namespace ?? 'default' };
  return {
    apiVersion: GATEWAY_API,
    kind: 'HTTPRoute',
    metadata: setup.created === undefined ? metadata : { ...metadata, creationTimestamp: setup.created },
    spec: {
      parentRefs: setup.parents.map((parent) => (typeof parent === 'string' ? { name: parent } : parent)),
      ...(setup.hostnames === undefined ? {} : { hostnames: setup.hostnames }),
      rules: setup.rules,
    },
  };
}

/** A Service with one EndpointSlice of its own. */
export function service(setup: ServiceSetup): Manifest[] {
  const { name, namespace = 'default', port = 80, morePorts = [], endpoints } = setup;
  const ports = [port, ...morePorts];
  const portName = (i: number): string => `p${i}`;
  const object: Manifest = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, labels: setup.labels ?? {} },
    spec: {
      ...(setup.clusterIP === undefined ? {} : { clusterIP: setup.clusterIP }),
      selector: { app: name },
      ports: ports.map((number, i) => ({
        name: portName(i),
        port: number,
        ...(setup.appProtocol === undefined ? {} : { appProtocol: setup.appProtocol }),
      })),
    },
  };
  return [
    object,
    ...endpoints.map((target, i) =>
      slice(
        setup,
        i,
        ports.map((_, at) => ({ name: portName(at), port: target })),
      ),
    ),
  ];
}

function slice(setup: ServiceSetup, index: number, ports: readonly unknown[]): Manifest {
  return endpointSlice(`${setup.name}-${index}`, setup.name, setup.namespace ?? 'default', {
    ports,
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
  });
}

export function endpointSlice(
  name: string,
  serviceName: string,
  namespace: string,
  content: { readonly ports: readonly unknown[]; readonly endpoints: readonly unknown[] },
): Manifest {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace, labels: { 'kubernetes.io/service-name': serviceName } },
    addressType: 'IPv4',
    ...content,
  };
}

/** Of type kubernetes.io/tls. */
export function tlsSecret(
  name: string,
  pair: { readonly chain: string; readonly key: string },
  namespace: string = 'default',
): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': pair.chain, 'tls.key': pair.key },
  };
}

export function configMap(
  name: string,
  data: Readonly<Record<string, string>>,
  namespace: string = 'default',
): Manifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

export function namespace(name: string, labels: Readonly<Record<string, string>> = {}): Manifest {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

export function referenceGrant(
  name: string,
  inNamespace: string,
  from: { readonly kind: string; readonly namespace: string },
  to: { readonly kind: string; readonly name?: string },
): Manifest {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1beta1',
    kind: 'ReferenceGrant',
    metadata: { name, namespace: inNamespace },
    spec: { from: [{ group: 'gateway.networking.k8s.io', ...from }], to: [{ group: '', ...to }] },
  };
}

export function backendRef(name: string, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { name, port: 80, ...more };
}

export function prefix(value: string): { path: { type: 'PathPrefix'; value: string } } {
  return { path: { type: 'PathPrefix', value } };
}

export function exact(value: string): { path: { type: 'Exact'; value: string } } {
  return { path: { type: 'Exact', value } };
}

/** Many documents of one file; JSON is YAML. */
export function documents(objects: readonly Manifest[]): string {
  return objects.map((object) => JSON.stringify(object, null, 1)).join('\n---\n');
}
