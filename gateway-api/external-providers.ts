// Extension providers by name, as an AuthorizationPolicy refers to them: from the ConfigMap `waypoint` of its own namespace,
// else from Istio's MeshConfig.

import { type DecodedProvider, decodeProvider } from '../policies/extension-provider.ts';
import type { ExternalAuthPlan } from '../policies/external-auth.ts';
import { NO_NAMES } from '../policies/header-names.ts';
import type { PlanFailure } from '../policies/plan.ts';
import type { DecodeReport } from '../policies/policy.ts';
import { parseDocument } from './documents.ts';
import { indexGrants, isGranted } from './references.ts';
import type { ConfigMap, Resources } from './resources.ts';

/** Of a team: whom it names in other namespaces must have granted it. */
const OWN = 'waypoint';
/** Of the mesh, whose operator may name anybody. */
const MESH = 'istio-system/istio';
const KEY = 'mesh';
/** Groups in which an AuthorizationPolicy is one. */
const GROUPS = ['security.istio.io', 'waypoint.dev'];

interface Providers {
  /** By name; one that is wrong has its failure. */
  readonly byName: ReadonlyMap<string, DecodedProvider | PlanFailure>;
  /** Why nothing can be read at all; null: something can. */
  readonly failure: PlanFailure | null;
}

const known = new WeakMap<ConfigMap, Providers>();

/**
 * Always a plan: its `failure` says why nobody can be asked. Reads ConfigMaps, Services and ReferenceGrants.
 * `namespace` is the policy's.
 */
export function resolveProvider(resources: Resources, namespace: string, name: string): ExternalAuthPlan {
  for (const key of [`${namespace}/${OWN}`, MESH]) {
    const map = resources.ConfigMap.get(key);
    if (map?.spec.data[KEY] === undefined) continue;
    const { byName, failure } = providersOf(map);
    if (failure !== null) return broken(name, failure);
    const found = byName.get(name);
    if (found === undefined) continue;
    if ('reason' in found) return broken(name, found);
    const backend = backendOf(found, { resources, namespace, isMesh: key === MESH });
    return typeof backend === 'string'
      ? { ...found.plan, backend, failure: null }
      : { ...found.plan, backend: null, failure: backend };
  }
  const places = `ConfigMap ${namespace}/${OWN} nor ${MESH}`;
  return broken(name, {
    reason: 'ProviderNotFound',
    message: `there is no extension provider "${name}" in ${places}: add it to extensionProviders under the key ${KEY}`,
  });
}

function broken(provider: string, failure: PlanFailure): ExternalAuthPlan {
  return { ...NOBODY, provider, failure };
}

const NOBODY: ExternalAuthPlan = {
  provider: '',
  protocol: 'HTTP',
  backend: null,
  failure: null,
  pathPrefix: '',
  allowedHeaders: NO_NAMES,
  additionalHeaders: [],
  allowedResponseHeaders: NO_NAMES,
  clientHeadersOnDeny: NO_NAMES,
  clientHeadersOnAllow: NO_NAMES,
  forwardBody: null,
  timeoutMs: 1_000,
  failOpen: false,
  statusOnError: 403,
};

function providersOf(map: ConfigMap): Providers {
  let providers = known.get(map);
  if (providers === undefined) {
    providers = read(map);
    known.set(map, providers);
  }
  return providers;
}

function read({ metadata, spec }: ConfigMap): Providers {
  const place = `ConfigMap ${metadata.namespace}/${metadata.name}, key ${KEY}`;
  const invalid = (message: string): PlanFailure => ({ reason: 'Invalid', message: `${place}: ${message}` });
  const parsed = parseDocument(Buffer.from(spec.data[KEY] as string, 'latin1').toString('utf8'));
  if ('problem' in parsed)
    return { byName: new Map(), failure: invalid(`line ${parsed.problem.line}: ${parsed.problem.message}`) };
  const { extensionProviders = [] } = (parsed.value ?? {}) as { readonly extensionProviders?: unknown };
  if (!Array.isArray(extensionProviders))
    return { byName: new Map(), failure: invalid('extensionProviders is no list') };
  const byName = new Map<string, DecodedProvider | PlanFailure>();
  for (const [index, raw] of extensionProviders.entries()) {
    const name = String((raw as { readonly name?: unknown } | null)?.name);
    const problems: string[] = [];
    const report: DecodeReport = { unsupported: (path, message) => problems.push(`${path}: ${message}`) };
    const decoded = decodeProvider(raw, `extensionProviders[${index}]`, report);
    const twice = byName.has(name) ? invalid(`there are two extension providers "${name}": rename one`) : null;
    byName.set(name, twice ?? decoded ?? invalid(problems.join('; ')));
  }
  return { byName, failure: null };
}

interface Asking {
  readonly resources: Resources;
  readonly namespace: string;
  readonly isMesh: boolean;
}

/** Of `[namespace/]host`, where the host is `name`, `name.namespace` or `name.namespace.svc.<cluster domain>`. */
function backendOf({ service, port }: DecodedProvider, asking: Asking): string | PlanFailure {
  const slash = service.indexOf('/');
  const [name = '', second, third] = service.slice(slash + 1).split('.');
  if (name === '' || (third !== undefined && third !== 'svc')) {
    return {
      reason: 'InvalidKind',
      message: `${service} is no Service of the cluster: write name.namespace.svc.cluster.local`,
    };
  }
  const namespace = second ?? (slash < 0 ? asking.namespace : service.slice(0, slash));
  const key = `${namespace}/${name}`;
  if (!asking.isMesh && !isAllowed(asking, namespace, name)) {
    return {
      reason: 'RefNotPermitted',
      message: `Service ${key} may not be asked from namespace ${asking.namespace}: a ReferenceGrant in namespace ${namespace} for AuthorizationPolicies can allow it`,
    };
  }
  const found = asking.resources.Service.get(key);
  if (found === undefined) return { reason: 'BackendNotFound', message: `There is no Service ${key}` };
  const ports = found.spec.ports.filter(({ protocol }) => protocol === 'TCP').map((each) => each.port);
  if (ports.includes(port)) return `${key}:${port}`;
  const has = ports.join(', ') || 'none';
  return { reason: 'BackendNotFound', message: `Service ${key} has no port ${port}; it has ${has}` };
}

function isAllowed({ resources, namespace: from }: Asking, namespace: string, name: string): boolean {
  if (from === namespace) return true;
  const grants = indexGrants(resources.ReferenceGrant);
  const target = { group: '', kind: 'Service', namespace, name };
  return GROUPS.some((group) => isGranted(grants, { group, kind: 'AuthorizationPolicy', namespace: from }, target));
}
