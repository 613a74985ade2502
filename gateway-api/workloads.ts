// The workloads of enrolled Services: what only their waypoint may reach, and whoever else is known to reach it.

import type { Enrolment } from './enrolment.ts';
import type { Service, ServicePort } from './resources.ts';
import type { Translation } from './translation.ts';

interface WorkloadPort {
  /** `namespace/name:port`. */
  readonly id: string;
  readonly port: number;
  /** Number or name. */
  readonly target: number | string;
  readonly endpoints: readonly { readonly address: string; readonly port: number }[];
}

export interface Workload {
  /** `namespace/name` of the Service. */
  readonly service: string;
  readonly namespace: string;
  readonly name: string;
  /** `namespace/name` of its Gateway. */
  readonly gateway: string;
  /** Addresses of the Service. */
  readonly vips: readonly string[];
  /** null: nobody knows which pods these are. */
  readonly selector: Readonly<Record<string, string>> | null;
  /** Those that the waypoint serves. */
  readonly ports: readonly WorkloadPort[];
  /** Ports of the Service that the waypoint does not serve, `5432/TCP`. */
  readonly unserved: readonly string[];
  /** Gateways of this process that dial it, too, as their routes name it. */
  readonly otherGateways: readonly string[];
  /** Services that are not enrolled and select the same pods. */
  readonly neighbours: readonly string[];
}

/** In the order of their names. */
export function workloadsOf(translation: Translation): readonly Workload[] {
  const { members, resources } = translation.state;
  const services = [...resources.Service.values()];
  return [...members.values()]
    .flat()
    .sort((a, b) => (a.service < b.service ? -1 : 1))
    .map((enrolment) => workload(enrolment, translation, services));
}

function workload(enrolment: Enrolment, { snapshot, state }: Translation, services: readonly Service[]): Workload {
  const { service: key, namespace, name, gateway, vips, ports } = enrolment;
  const service = state.resources.Service.get(key)!;
  const specs = new Map(service.spec.ports.map((spec) => [spec.port, spec]));
  const served = new Set(ports.map(({ port }) => port));
  const selector = service.spec.selector ?? {};
  const gateways = [...state.parties.gateways.keys()].filter((other) => other !== gateway);
  return {
    ...{ service: key, namespace, name, gateway, vips },
    selector: Object.keys(selector).length === 0 ? null : selector,
    ports: ports.map(({ id, port }) => ({
      ...{ id, port, target: targetOf(specs.get(port)!) },
      endpoints: (snapshot.backends.get(id)?.endpoints ?? []).map((each) => ({
        address: each.address,
        port: each.port,
      })),
    })),
    unserved: service.spec.ports
      .filter(({ port, protocol }) => protocol !== 'TCP' || !served.has(port))
      .map(({ port, protocol }) => `${port}/${protocol}`),
    otherGateways: gateways.filter((other) =>
      ports.some(({ id }) => state.routeTables.uses.get(`${id}@${other}`) !== undefined),
    ),
    neighbours: services
      .filter((other) => other !== service && !state.parties.enrolments.get(keyOf(other))?.ports.length)
      .filter((other) => other.metadata.namespace === namespace && shares(other.spec.selector ?? {}, selector))
      .map(keyOf),
  };
}

/** Some pods surely have the labels of both, where one asks for all that the other asks for. */
function shares(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const [fewer, more] = Object.keys(a).length < Object.keys(b).length ? [a, b] : [b, a];
  const labels = Object.entries(fewer);
  return labels.length > 0 && labels.every(([label, value]) => more[label] === value);
}

function targetOf({ targetPort, port }: ServicePort): number | string {
  return targetPort ?? port;
}

function keyOf({ metadata }: Service): string {
  return `${metadata.namespace}/${metadata.name}`;
}
