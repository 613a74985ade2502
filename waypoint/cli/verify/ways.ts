// The ways to a workload: past the waypoint by its endpoints, and those that should lead through it, by address and name.

import type { Workload } from '../../../gateway-api/workloads.ts';
import { probe } from './probe.ts';
import { type Judged, judge, markedRequest } from './verdict.ts';

export interface Way {
  /** `namespace/name:port`. */
  readonly service: string;
  readonly kind: 'endpoint' | 'address' | 'name';
  readonly address: string;
  readonly port: number;
  readonly gateway: string;
  readonly host: string;
  readonly wants: 'TLS' | 'cleartext';
}

export interface Tried extends Way, Judged {}

interface Scope {
  readonly clusterDomain: string;
  /** Backends that are spoken to in TLS. */
  readonly secured: ReadonlySet<string>;
  /** Addresses of a name; empty: it has none. */
  readonly resolve: (name: string) => Promise<readonly string[]>;
}

export async function waysTo(workloads: readonly Workload[], scope: Scope): Promise<readonly Way[]> {
  const ways = await Promise.all(workloads.map((workload) => waysToOne(workload, scope)));
  return ways.flat();
}

async function waysToOne(workload: Workload, { clusterDomain, secured, resolve }: Scope): Promise<readonly Way[]> {
  const { name, namespace, gateway, vips, ports } = workload;
  const host = `${name}.${namespace}.svc.${clusterDomain}`;
  const named = (await resolve(host)).filter((address) => !vips.includes(address));
  return ports.flatMap(({ id, port, endpoints }) => {
    // Whatever leads to the workload gets its manners; the waypoint is known by what it says.
    const wants = secured.has(id) ? 'TLS' : 'cleartext';
    const common = { service: id, gateway, host: `${host}:${port}`, wants } as const;
    return [
      ...endpoints.map(
        (endpoint): Way => ({
          ...common,
          ...{ kind: 'endpoint', address: endpoint.address, port: endpoint.port },
        }),
      ),
      ...vips.map((address): Way => ({ ...common, kind: 'address', address, port })),
      ...named.map((address): Way => ({ ...common, kind: 'name', address, port })),
    ];
  });
}

/** All of them, so many at a time, in their order. */
export async function tryAll(ways: readonly Way[], atOnce: number, timeoutMs: number): Promise<readonly Tried[]> {
  const tried = new Array<Tried>(ways.length);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < ways.length) {
      const at = next++;
      const way = ways[at]!;
      const { address, port, gateway, host, wants } = way;
      const probed = await probe({ address, port, request: markedRequest(gateway, host), timeoutMs });
      tried[at] = { ...way, ...judge(probed, wants) };
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, ways.length) }, work));
  return tried;
}
