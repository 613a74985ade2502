// What a Service's owner is told about its waypoint: whether it is enrolled, and where its own addresses and ports are served.

import { isIPv6 } from 'node:net';
import { bindId, type Holders, isLocal } from './claims.ts';
import { condition, no, type ServiceStatus, type Verdict, yes } from './conditions.ts';
import type { Enrolment } from './enrolment.ts';
import type { Environment } from './environment.ts';
import { type BindScope, listenProblem } from './gateway-status.ts';
import type { GatewayState } from './gateways.ts';
import type { PortAllocation } from './service-ports.ts';

export interface ServiceStatusScope extends BindScope {
  readonly holders: Holders;
  readonly environment: Environment;
  readonly gateways: ReadonlyMap<string, GatewayState>;
  readonly ports: PortAllocation;
}

/** null: the Service is somebody else's to serve. */
export function serviceStatus(enrolment: Enrolment, scope: ServiceStatusScope): ServiceStatus | null {
  if (enrolment.isElsewhere) return null;
  const { generation } = enrolment;
  const conditions = [condition('waypoint.dev/WaypointBound', enrolment.verdict, generation)];
  const address = addressVerdict(enrolment, scope);
  if (address !== null) conditions.push(condition('waypoint.dev/AddressBound', address, generation));
  const ports = portsVerdict(enrolment, scope);
  if (ports !== null) conditions.push(condition('waypoint.dev/PortsAllocated', ports, generation));
  return { kind: 'Service', key: enrolment.service, conditions };
}

/** null: nothing is known of its addresses but that they are not loopback. */
function addressVerdict(enrolment: Enrolment, scope: ServiceStatusScope): Verdict | null {
  const { vips, ports } = enrolment;
  const { localAddresses } = scope.environment;
  const here = vips.filter((address) => isLocal(address, localAddresses));
  const away = vips.filter((address) => !here.includes(address));
  const idsOf = (addresses: readonly string[]) =>
    addresses.flatMap((address) => ports.map(({ port }) => bindId(address, port)));
  const ids = idsOf(here);
  const problems = [...conflicts(idsOf(vips), enrolment, scope.holders), ...unbound(ids, enrolment, scope)];
  if (away.length > 0 && localAddresses !== null && !isRedirected(enrolment, scope)) problems.push(notLocal(away));
  if (problems.length > 0) return no(problems[0]!.reason, problems.map(({ message }) => message).join('; '));
  if (ids.length > 0) return yes('Programmed', `Listening on ${ids.join(', ')}`);
  if (away.length === 0 || localAddresses === null) return null;
  return yes('Redirected', `${away.join(', ')}: no address of this host, what is redirected from there is served`);
}

/** The oldest of those who want an address has it. */
function conflicts(ids: readonly string[], { service }: Enrolment, holders: Holders): readonly Verdict[] {
  return ids.flatMap((id) => {
    const holder = holders.get(id);
    if (holder === undefined || holder.owner === `Service ${service}`) return [];
    const remedy = 'change spec.clusterIP of this Service, or change the port';
    return no('Conflicted', `${id} is held by ${holder.owner}, which is older: ${remedy}`);
  });
}

function unbound(ids: readonly string[], { service }: Enrolment, scope: ServiceStatusScope): readonly Verdict[] {
  const own = ids.filter((id) => scope.holders.get(id)?.owner === `Service ${service}`);
  return own.map((id) => listenProblem(id, scope)).filter((problem) => problem !== null);
}

/** Connections to its addresses are known to come in another way than by an interface of this host. */
function isRedirected({ gateway, ports }: Enrolment, scope: ServiceStatusScope): boolean {
  const listeners = scope.gateways.get(gateway)?.listeners ?? [];
  return ports.some(({ id }) => scope.ports.assigned.has(id)) || listeners.some(({ protocol }) => protocol === 'PROXY');
}

function notLocal(addresses: readonly string[]): Verdict {
  const commands = addresses.map((address) => `ip addr add ${address}/${isIPv6(address) ? 128 : 32} dev lo`);
  const message = `${addresses.join(', ')}: no interface of this host has the address, nothing is served there`;
  return no('AddressNotUsable', `${message} (\`${commands.join(' && ')}\` gives it to this host)`);
}

/** null: no ports are given to Services. */
function portsVerdict(enrolment: Enrolment, scope: ServiceStatusScope): Verdict | null {
  const { servicePorts } = scope.environment;
  if (servicePorts === null || enrolment.ports.length === 0) return null;
  const addresses = scope.gateways.get(enrolment.gateway)?.addresses ?? [];
  const range = `--service-ports ${servicePorts.from}-${servicePorts.to}`;
  const parts: string[] = [];
  const problems: Verdict[] = [];
  for (const { id, port } of enrolment.ports) {
    const own = scope.ports.assigned.get(id);
    if (own === undefined) {
      problems.push(no('PortsExhausted', `No port is left for port ${port}: widen ${range}`));
      continue;
    }
    const ids = addresses.map((address) => bindId(address, own));
    parts.push(`port ${port} at ${ids.join(', ')}`);
    const taken = ids.filter((each) => scope.holders.get(each)?.owner !== `Service ${enrolment.service}`);
    if (taken.length > 0) problems.push(no('Conflicted', `${taken.join(', ')} is held by a listener: move ${range}`));
    problems.push(...unbound(ids, enrolment, scope));
  }
  const listening = parts.length === 0 ? [] : [`Listening for ${parts.join('; for ')}`];
  if (problems.length === 0) return yes('Programmed', listening.join());
  return no(problems[0]!.reason, [...problems.map(({ message }) => message), ...listening].join('; '));
}
