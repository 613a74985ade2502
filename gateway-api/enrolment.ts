// Which Services ask to be served by a waypoint, at which Gateway, and whether it takes them.

import { forwardedAs } from './app-protocol.ts';
import { no, type Verdict, yes } from './conditions.ts';
import { outsideName, outsideProblem } from './egress/outside-name.ts';
import type { Environment } from './environment.ts';
import type { GatewayState } from './gateways.ts';
import { isAccepted } from './gateways.ts';
import { isUsable } from './listeners.ts';
import type { Namespace, Resources, Service, ServicePort } from './resources.ts';
import { admitsNamespace } from './selector.ts';

export interface EnrolledPort {
  /** `namespace/name:port`. */
  readonly id: string;
  readonly port: number;
  readonly name: string;
}

/** Depends on nothing of the Service but what is in here, so that an edited annotation changes nothing further on. */
export interface Enrolment {
  /** `namespace/name` of the Service. */
  readonly service: string;
  readonly namespace: string;
  readonly name: string;
  readonly createdAt: number;
  readonly generation: number;
  /** `namespace/name` of the Gateway it asks for. */
  readonly gateway: string;
  /** Another process or product serves that Gateway: it is not ours to say anything. */
  readonly isElsewhere: boolean;
  readonly verdict: Verdict;
  /** TCP ports that carry HTTP; empty unless enrolled. */
  readonly ports: readonly EnrolledPort[];
  /** Addresses of the Service; empty unless enrolled. */
  readonly vips: readonly string[];
}

interface Request {
  readonly gateway: string;
  /** Asked for with our own label: if it cannot be had, we say so. */
  readonly isOurs: boolean;
}

const NONE: readonly never[] = [];

export interface EnrolmentScope {
  readonly resources: Resources;
  readonly environment: Environment;
  readonly gateways: ReadonlyMap<string, GatewayState>;
}

/** null: the Service asks for no waypoint. */
export function enrolmentOf(service: Service, scope: EnrolmentScope): Enrolment | null {
  const { namespace, name, generation } = service.metadata;
  const request = requestOf(service, scope.resources.Namespace.get(namespace));
  if (request === null) return null;
  const isElsewhere = !scope.gateways.has(request.gateway) && (!request.isOurs || scope.environment.gateway !== null);
  const verdict = verdictOf(service, request, scope);
  const ports = verdict.status === 'True' ? service.spec.ports.filter(isServed) : NONE;
  const key = `${namespace}/${name}`;
  return {
    service: key,
    namespace,
    name,
    createdAt: service.createdAt,
    generation,
    gateway: request.gateway,
    isElsewhere,
    verdict,
    ports: ports.map((port) => ({ id: `${key}:${port.port}`, port: port.port, name: port.name ?? '' })),
    vips: ports.length === 0 ? NONE : clusterAddresses(service),
  };
}

export function isEnrolled(enrolment: Enrolment): boolean {
  return enrolment.verdict.status === 'True';
}

/** The Service's own labels win over its namespace's, at each ours over Istio's. */
function requestOf(service: Service, namespace: Namespace | undefined): Request | null {
  const home = service.metadata.namespace;
  for (const labels of [service.metadata.labels, namespace?.metadata.labels ?? {}]) {
    for (const prefix of ['waypoint.dev', 'istio.io']) {
      const name = labels[`${prefix}/use-waypoint`];
      if (name === undefined || name === '') continue;
      if (name === 'none') return null;
      const gateway = `${labels[`${prefix}/use-waypoint-namespace`] || home}/${name}`;
      return { gateway, isOurs: prefix === 'waypoint.dev' };
    }
  }
  return null;
}

function verdictOf(service: Service, request: Request, scope: EnrolmentScope): Verdict {
  const state = scope.gateways.get(request.gateway);
  if (state === undefined) {
    return no(
      'GatewayNotFound',
      `There is no Gateway ${request.gateway} of a class that is served here: create it, or change the label`,
    );
  }
  if (!isAccepted(state))
    return no('GatewayNotAccepted', `Gateway ${request.gateway} is not accepted: ${state.accepted.message}`);
  const { namespace } = service.metadata;
  if (namespace !== state.gateway.metadata.namespace && !admits(state, namespace, scope.resources.Namespace)) {
    const message = `No listener of Gateway ${request.gateway} admits namespace ${namespace}: widen allowedRoutes.namespaces there`;
    return no('NotAllowedByListeners', message);
  }
  return kindProblem(service, scope.environment) ?? served(service, request.gateway);
}

function admits(state: GatewayState, namespace: string, namespaces: ReadonlyMap<string, Namespace>): boolean {
  const home = state.gateway.metadata.namespace;
  return state.listeners.some(
    (listener) => isUsable(listener) && admitsNamespace(listener.spec, home, namespace, namespaces),
  );
}

function kindProblem(service: Service, { allowExternalName, clusterDomain }: Environment): Verdict | null {
  if (service.spec.type === 'ExternalName') {
    const problem = outsideProblem(outsideName(service.spec.externalName ?? ''), clusterDomain);
    if (allowExternalName && problem === null) return null;
    const why = allowExternalName ? problem : 'it could lead anywhere: --allow-external-name takes them';
    return no('UnsupportedService', `A Service of type ExternalName is not served: ${why}`);
  }
  if (isHeadless(service)) {
    return no(
      'UnsupportedService',
      'A headless Service is addressed by its pods, not through a waypoint: remove clusterIP: None, or label it "none"',
    );
  }
  return null;
}

function served(service: Service, gateway: string): Verdict {
  const refused = service.spec.ports.filter((port) => !isServed(port));
  const names = refused.map((port) => `${port.port} (${port.appProtocol ?? port.protocol})`).join(', ');
  if (refused.length === service.spec.ports.length) {
    return no('UnsupportedProtocol', `No port carries HTTP: ${names || 'it has no ports'}`);
  }
  return yes('Accepted', `Served at Gateway ${gateway}${names === '' ? '' : `, but for port ${names}: not HTTP/1.1`}`);
}

function isServed(port: ServicePort): boolean {
  return port.protocol === 'TCP' && forwardedAs(port.appProtocol) !== null;
}

export function isHeadless(service: Service): boolean {
  return service.spec.clusterIP === 'None';
}

function clusterAddresses(service: Service): readonly string[] {
  const { clusterIP, clusterIPs = NONE } = service.spec;
  return [...new Set([clusterIP ?? '', ...clusterIPs])].filter((address) => address !== '');
}
