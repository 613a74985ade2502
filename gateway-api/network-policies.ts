// Lock-down as Kubernetes NetworkPolicies (networking.k8s.io/v1): one for each workload, admitting its waypoint alone.

import { stringify } from 'yaml';
import type { Workload } from './workloads.ts';

/** Who besides its waypoint may reach a workload. */
export interface Exceptions {
  /** CIDRs of nodes, whose kubelets probe. */
  readonly probes: readonly string[];
  readonly scrapes: readonly Scrape[];
  /** Further Gateways (`namespace/name`). */
  readonly gateways: readonly string[];
}

/** Pods that collect metrics: each at one port of a workload. */
export interface Scrape {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly port: number;
}

type Policy = Readonly<Record<string, unknown>>;

/** Documents in the order of the workloads; those of which the pods are unknown have none. */
export function networkPolicies(workloads: readonly Workload[], exceptions: Exceptions): string {
  const policies = workloads.flatMap((workload) => policyOf(workload, exceptions));
  return policies.map((policy) => stringify(policy, { lineWidth: 0 })).join('---\n');
}

function policyOf(workload: Workload, { probes, scrapes, gateways }: Exceptions): Policy | [] {
  const { name, namespace, selector, gateway, ports } = workload;
  if (selector === null) return [];
  const targets = [...new Set(ports.map(({ target }) => target))].map((port) => ({ protocol: 'TCP', port }));
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `waypoint-${name}`, namespace, labels: { 'waypoint.dev/lockdown': name } },
    spec: {
      podSelector: { matchLabels: { ...selector } },
      policyTypes: ['Ingress'],
      ingress: [
        { from: [gateway, ...gateways].map(podsOfGateway), ports: targets },
        ...(probes.length === 0
          ? []
          : [{ from: probes.map((cidr) => ({ ipBlock: { cidr: whole(cidr) } })), ports: targets }]),
        ...scrapes.map((scrape) => ({
          from: [podsIn(scrape.namespace, scrape.labels)],
          ports: [{ protocol: 'TCP', port: scrape.port }],
        })),
      ],
    },
  };
}

/** GEP-1762: the pods of a Gateway carry its name. */
function podsOfGateway(gateway: string): Policy {
  const [namespace = '', name = ''] = gateway.split('/');
  return podsIn(namespace, { 'gateway.networking.k8s.io/gateway-name': name });
}

function podsIn(namespace: string, labels: Readonly<Record<string, string>>): Policy {
  return {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    podSelector: { matchLabels: labels },
  };
}

/** An ipBlock is always a CIDR. */
function whole(cidr: string): string {
  if (cidr.includes('/')) return cidr;
  return `${cidr}/${cidr.includes(':') ? 128 : 32}`;
}
