// A name outside as a backend: its endpoints are the addresses that DNS gave last.

import type { BackendPlan, EndpointPlan } from '../../policies/plan.ts';
import { forwardedInTls } from '../app-protocol.ts';
import type { Service, ServicePort } from '../resources.ts';
import { outsideAuthority, outsideName, outsideProblem } from './outside-name.ts';
import type { XBackendState } from './x-backends.ts';

/** What is known of a server outside but for its addresses. */
export type Outside = Pick<BackendPlan, 'id' | 'protocol' | 'tls'> & {
  readonly hostname: string;
  readonly port: number;
};

const NONE: readonly never[] = [];

/** A backend but for its policies. Without an address, as long as none is known, its requests are answered 503. */
export function outsidePlan(
  { id, protocol, tls, hostname, port }: Outside,
  addresses: ReadonlyMap<string, readonly string[]>,
): Omit<BackendPlan, 'policy' | 'origins'> {
  const authority = outsideAuthority(hostname, port, tls === null ? 'http' : 'https');
  const endpoints = addresses.get(hostname)?.map((address) => endpoint(address, port, hostname)) ?? NONE;
  return { id, protocol, tls, external: true, authority, endpoints };
}

export function outsideOfXBackend({ id, hostname, protocol, tls, failure, xBackend }: XBackendState): Outside | null {
  return failure === null ? { id, hostname, protocol, tls, port: xBackend.spec.port } : null;
}

/** A Service of type ExternalName: targetPort plays no role, since nothing but a name stands behind it. */
export function outsideOfService(
  { spec }: Service,
  port: ServicePort,
  { id, tls, clusterDomain }: Pick<Outside, 'id' | 'tls'> & { readonly clusterDomain: string },
): Outside | null {
  const hostname = outsideName(spec.externalName ?? '');
  if (outsideProblem(hostname, clusterDomain) !== null) return null;
  return { id, hostname, port: port.port, protocol: forwardedInTls(port.appProtocol) ?? 'http', tls };
}

function endpoint(address: string, port: number, name: string): EndpointPlan {
  return { address, port, name, zone: null, hints: NONE, ready: true, serving: true, terminating: false };
}
