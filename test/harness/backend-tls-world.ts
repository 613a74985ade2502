// A Gateway in front of encrypted Services, and the policies that say how they prove themselves.

import { type Answered, call } from './call.ts';
import { type Authority, authority, type Issued } from './certificates.ts';
import { backendRef, configMap, gateway, gatewayClass, type Manifest, prefix, route, service } from './manifests.ts';
import type { Waypoint } from './waypoint.ts';

export const root: Authority = authority({ subject: 'Root' });
export const other: Authority = authority({ subject: 'Other' });

export function named(...names: readonly string[]): Issued {
  return root.issue({ subject: 'Backend', names });
}

export interface PolicySetup {
  readonly hostname?: string;
  readonly names?: readonly { readonly type: 'Hostname' | 'URI'; readonly hostname?: string; readonly uri?: string }[];
  readonly authorities?: readonly string[];
}

export function policy(
  target: string,
  { hostname = 'orders.example', names, authorities = ['root'] }: PolicySetup,
): Manifest {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'BackendTLSPolicy',
    metadata: { name: target, namespace: 'default' },
    spec: {
      targetRefs: [{ group: '', kind: 'Service', name: target }],
      validation: {
        hostname,
        caCertificateRefs: authorities.map((name) => ({ group: '', kind: 'ConfigMap', name })),
        ...(names === undefined ? {} : { subjectAltNames: names }),
      },
    },
  };
}

export function bundle(name: string, ...authorities: readonly Authority[]): Manifest {
  return configMap(name, { 'ca.crt': authorities.map(({ certificate }) => certificate).join('') });
}

interface Behind {
  readonly name: string;
  readonly port: number;
  readonly policy: PolicySetup;
}

/** A Gateway that leads `/name` to the Service of that name. */
export function world(port: number, behind: readonly Behind[], tls: unknown = {}): Manifest[] {
  const edge = gateway('edge', [{ port }]);
  return [
    gatewayClass(),
    { ...edge, spec: { ...(edge['spec'] as object), tls } },
    bundle('root', root),
    ...behind.map(({ name }) =>
      route({ name, parents: ['edge'], rules: [{ matches: [prefix(`/${name}`)], backendRefs: [backendRef(name)] }] }),
    ),
    ...behind.flatMap((each) => [
      ...service({ name: each.name, endpoints: [each.port] }),
      policy(each.name, each.policy),
    ]),
  ];
}

/** What one request is answered, and what the log says of it. */
export async function asked(
  waypoint: Waypoint,
  port: number,
  path: string,
): Promise<Answered & { readonly told: string }> {
  const answer = await call(port, { path });
  const { reason, detail } = (await waypoint.log.findOne((entry) => entry['path'] === path)) as Record<string, string>;
  return { ...answer, told: `${reason}: ${detail}` };
}
