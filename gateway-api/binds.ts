// Which socket addresses are listened on and for whom: Gateways' listeners, and the addresses and ports of enrolled Services.

import type { BindPlan } from '../policies/plan.ts';
import { authoritiesOf } from './authorities.ts';
import { type Claim, type Holders, holdersOf, type Members } from './claims.ts';
import { DraftMap } from './draft-map.ts';
import type { Enrolment } from './enrolment.ts';
import type { Environment } from './environment.ts';
import type { PartiesChange } from './parties.ts';
import { reuse } from './reuse.ts';
import { allocatePorts, NO_PORTS, type PortAllocation } from './service-ports.ts';
import type { State, Translation } from './translation.ts';

const NO_AUTHORITIES: ReadonlyMap<string, string> = new Map();
const NO_MEMBERS: readonly Enrolment[] = [];

export interface BindsChange {
  readonly binds: ReadonlyMap<string, BindPlan>;
  readonly members: Members;
  readonly holders: Holders;
  readonly ports: PortAllocation;
}

export function updateBinds(before: Translation, environment: Environment, parties: PartiesChange): BindsChange {
  const { snapshot, state } = before;
  const { localAddresses } = environment;
  const isCurrent = parties.changedGateways.size === 0 && parties.changedEnrolments.size === 0;
  if (isCurrent && localAddresses === state.environment.localAddresses) {
    return { binds: snapshot.binds, members: state.members, holders: state.holders, ports: state.ports };
  }
  const { gateways } = parties;
  const members = membersOf(parties.enrolments, state.members);
  const ports = portsOf(state, environment, parties, members);
  const holders = reuse(state.holders, holdersOf({ gateways, members, ports, localAddresses }));
  const { clusterDomain } = environment;
  const scope = { clusterDomain, members, membersBefore: state.members, destinations: destinationsOf(holders) };
  const draft = new DraftMap(snapshot.binds);
  for (const id of snapshot.binds.keys()) if (holders.get(id)?.isLocal !== true) draft.put(id, undefined);
  for (const [id, claim] of holders) {
    if (claim.isLocal) draft.put(id, bindPlan(claim, scope, snapshot.binds.get(id)));
  }
  return { binds: draft.current, members, holders, ports };
}

function membersOf(enrolments: ReadonlyMap<string, Enrolment>, previous: Members): Members {
  const members = new Map<string, Enrolment[]>();
  for (const enrolment of enrolments.values()) {
    if (enrolment.ports.length === 0) continue;
    const list = members.get(enrolment.gateway);
    if (list === undefined) members.set(enrolment.gateway, [enrolment]);
    else list.push(enrolment);
  }
  const result = new Map<string, readonly Enrolment[]>();
  for (const [gateway, list] of members) {
    list.sort((a, b) => (a.service < b.service ? -1 : 1));
    const before = previous.get(gateway);
    const isSame = before?.length === list.length && list.every((enrolment, index) => enrolment === before[index]);
    result.set(gateway, isSame ? before : list);
  }
  return result;
}

/** What an earlier run left behind is where the first translation starts from. */
function portsOf(
  { ports }: State,
  { servicePorts }: Environment,
  { gateways }: PartiesChange,
  members: Members,
): PortAllocation {
  if (servicePorts === null) return NO_PORTS;
  const wanted = [...members.values()].flatMap((services) =>
    services.flatMap((enrolment) => enrolment.ports.map(({ id }) => id)),
  );
  const listeners = [...gateways.values()].flatMap(({ gateway }) => gateway.spec.listeners.map(({ port }) => port));
  return allocatePorts(wanted, ports === NO_PORTS ? servicePorts.kept : ports, servicePorts, new Set(listeners));
}

/** By Gateway: the Services at it by their own addresses, whether those are of this host or not. */
function destinationsOf(holders: Holders): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const gateways = new Set([...holders.values()].flatMap((claim) => (claim.protocol === 'PROXY' ? claim.gateway : [])));
  const destinations = new Map<string, Map<string, string>>();
  if (gateways.size === 0) return destinations;
  for (const [id, { kind, gateway, service }] of holders) {
    if (kind !== 'vip' || service === null || !gateways.has(gateway)) continue;
    const known = destinations.get(gateway);
    if (known === undefined) destinations.set(gateway, new Map([[id, service]]));
    else known.set(id, service);
  }
  return destinations;
}

interface BindScope {
  readonly clusterDomain: string;
  readonly members: Members;
  /** Of the previous translation, to tell which authorities are still valid. */
  readonly membersBefore: Members;
  readonly destinations: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** Who comes through a proxy is believed about whereto it went, and in nothing that a request says instead. */
function bindPlan(claim: Claim, scope: BindScope, previous: BindPlan | undefined): BindPlan {
  const { id, address, port, gateway, protocol, clientValidation, service, listeners } = claim;
  const isProxied = protocol === 'PROXY';
  const isShared = service === null && !isProxied;
  const authorities = isShared ? gatewayAuthorities(claim, scope, previous) : NO_AUTHORITIES;
  const destinations = (isProxied ? scope.destinations.get(gateway) : undefined) ?? NO_AUTHORITIES;
  const told = { service, listeners, destinations, authorities };
  return reuse(previous, { id, address, port, gateway, protocol, clientValidation, ...told });
}

function gatewayAuthorities(
  claim: Claim,
  scope: BindScope,
  previous: BindPlan | undefined,
): ReadonlyMap<string, string> {
  const services = scope.members.get(claim.gateway) ?? NO_MEMBERS;
  const isValid = previous?.gateway === claim.gateway && previous.service === null && previous.protocol !== 'PROXY';
  if (isValid && services === (scope.membersBefore.get(claim.gateway) ?? NO_MEMBERS)) return previous.authorities;
  if (services.length === 0) return NO_AUTHORITIES;
  const home = claim.gateway.slice(0, claim.gateway.indexOf('/'));
  return authoritiesOf(services, { home, clusterDomain: scope.clusterDomain, port: claim.port });
}
