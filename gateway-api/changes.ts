// Which objects differ between two readings of the resources, by reference.

import { changedKeys } from '../routing/patched-map.ts';
import type { Resources } from './resources.ts';

type Kind = keyof Resources;
export type Changes = Readonly<Record<Kind, ReadonlySet<string>>>;

export const NO_RESOURCES: Resources = {
  GatewayClass: new Map(),
  Gateway: new Map(),
  HTTPRoute: new Map(),
  ReferenceGrant: new Map(),
  Service: new Map(),
  EndpointSlice: new Map(),
  TrafficPolicy: new Map(),
  XBackendTrafficPolicy: new Map(),
  BackendTLSPolicy: new Map(),
  XBackend: new Map(),
  AuthorizationPolicy: new Map(),
  RequestAuthentication: new Map(),
  Namespace: new Map(),
  Secret: new Map(),
  ConfigMap: new Map(),
};

/** Keys that were added, removed or replaced, per kind. */
export function changesBetween(before: Resources, after: Resources): Changes {
  const keys = Object.keys(NO_RESOURCES) as Kind[];
  return Object.fromEntries(keys.map((kind) => [kind, changedKeys(before[kind], after[kind])])) as unknown as Changes;
}

/** The namespace of a `namespace/name` key. */
export function namespaceOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}
