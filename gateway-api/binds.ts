// Which socket addresses are listened on and for whom: Gateways' listeners and the loopback addresses of enrolled Services.

import { isIPv6 } from 'node:net';
import type { BindPlan, BindProtocol, ClientValidationPlan, ListenerPlan } from '../policies/plan.ts';
import { authoritiesOf } from './authorities.ts';
import { DraftMap } from './draft-map.ts';
import type { Enrolment } from './enrolment.ts';
import type { Environment } from './environment.ts';
import type { GatewayState } from './gateways.ts';
import type { PartiesChange } from './parties.ts';
import { reuse } from './reuse.ts';
import type { Translation } from './translation.ts';

/** Somebody who wants an address; of several the oldest has it, then the first by `namespace/name`. */
interface Claim {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  /** `Gateway namespace/name` or `Service namespace/name`. */
  readonly owner: string;
  readonly key: string;
  readonly createdAt: number;
  readonly gateway: string;
  readonly protocol: BindProtocol;
  readonly clientValidation: ClientValidationPlan | null;
  readonly listeners: readonly ListenerPlan[];
  readonly service: string | null;
}

/** Enrolled Services by their Gateway, in a fixed order. */
export type Members = ReadonlyMap<string, readonly Enrolment[]>;
/** The winning claim of each address. */
export type Holders = ReadonlyMap<string, Claim>;

const NO_LISTENERS: readonly ListenerPlan[] = [];
const NO_AUTHORITIES: ReadonlyMap<string, string> = new Map();
const NO_MEMBERS: readonly Enrolment[] = [];

export interface BindsChange {
  readonly binds: ReadonlyMap<string, BindPlan>;
  readonly members: Members;
  readonly holders: Holders;
}

export function updateBinds(before: Translation, environment: Environment, parties: PartiesChange): BindsChange {
  const { snapshot, state } = before;
  if (parties.changedGateways.size === 0 && parties.changedEnrolments.size === 0) {
    return { binds: snapshot.binds, members: state.members, holders: state.holders };
  }
  const members = membersOf(parties.enrolments, state.members);
  const holders = reuse(state.holders, holdersOf(parties.gateways, members));
  const scope = { clusterDomain: environment.clusterDomain, members, membersBefore: state.members };
  const draft = new DraftMap(snapshot.binds);
  for (const id of snapshot.binds.keys()) if (!holders.has(id)) draft.put(id, undefined);
  for (const [id, claim] of holders) draft.put(id, bindPlan(claim, scope, snapshot.binds.get(id)));
  return { binds: draft.current, members, holders };
}

export function bindId(address: string, port: number): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
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

function holdersOf(gateways: ReadonlyMap<string, GatewayState>, members: Members): Holders {
  const claims: Claim[] = [];
  for (const state of gateways.values()) claims.push(...gatewayClaims(state));
  for (const services of members.values()) for (const service of services) claims.push(...serviceClaims(service));
  claims.sort(byAge);
  const holders = new Map<string, Claim>();
  for (const claim of claims) if (!holders.has(claim.id)) holders.set(claim.id, claim);
  return holders;
}

function gatewayClaims(state: GatewayState): readonly Claim[] {
  const { key, gateway } = state;
  return state.addresses.flatMap((address) =>
    [...portsOf(state)].map(([port, { protocol, clientValidation, listeners }]) => ({
      id: bindId(address, port),
      address,
      port,
      owner: `Gateway ${key}`,
      key,
      createdAt: gateway.createdAt,
      gateway: key,
      protocol,
      clientValidation,
      listeners,
      service: null,
    })),
  );
}

type Port = Pick<Claim, 'protocol' | 'clientValidation' | 'listeners'>;

/** Served listeners by port, each list most specific hostname first. Those of one port are of one protocol. */
function portsOf(state: GatewayState): ReadonlyMap<number, Port> {
  const states = new Map(state.listeners.map((listener) => [listener.plan, listener]));
  const ports = new Map<number, Port & { readonly listeners: ListenerPlan[] }>();
  for (const plan of state.served) {
    const { spec, protocol, clientValidation } = states.get(plan)!;
    const port = ports.get(spec.port);
    if (port === undefined) ports.set(spec.port, { protocol: protocol ?? 'HTTP', clientValidation, listeners: [plan] });
    else port.listeners.push(plan);
  }
  return ports;
}

function serviceClaims(enrolment: Enrolment): readonly Claim[] {
  return enrolment.vips.flatMap((address) =>
    enrolment.ports.map(({ port, id }) => ({
      id: bindId(address, port),
      address,
      port,
      owner: `Service ${enrolment.service}`,
      key: enrolment.service,
      createdAt: enrolment.createdAt,
      gateway: enrolment.gateway,
      protocol: 'HTTP',
      clientValidation: null,
      listeners: NO_LISTENERS,
      service: id,
    })),
  );
}

function byAge(a: Claim, b: Claim): number {
  if (a.createdAt !== b.createdAt) return a.createdAt - b.createdAt;
  if (a.key !== b.key) return a.key < b.key ? -1 : 1;
  return a.owner < b.owner ? -1 : 1;
}

interface BindScope {
  readonly clusterDomain: string;
  readonly members: Members;
  /** Of the previous translation, to tell which authorities are still valid. */
  readonly membersBefore: Members;
}

function bindPlan(claim: Claim, scope: BindScope, previous: BindPlan | undefined): BindPlan {
  const { id, address, port, gateway, protocol, clientValidation, service, listeners } = claim;
  const authorities = service === null ? gatewayAuthorities(claim, scope, previous) : NO_AUTHORITIES;
  const destinations = NO_AUTHORITIES;
  const told = { service, listeners, destinations, authorities };
  return reuse(previous, { id, address, port, gateway, protocol, clientValidation, ...told });
}

function gatewayAuthorities(
  claim: Claim,
  scope: BindScope,
  previous: BindPlan | undefined,
): ReadonlyMap<string, string> {
  const services = scope.members.get(claim.gateway) ?? NO_MEMBERS;
  const isValid = previous?.gateway === claim.gateway && previous.service === null;
  if (isValid && services === (scope.membersBefore.get(claim.gateway) ?? NO_MEMBERS)) return previous.authorities;
  if (services.length === 0) return NO_AUTHORITIES;
  const home = claim.gateway.slice(0, claim.gateway.indexOf('/'));
  return authoritiesOf(services, { home, clusterDomain: scope.clusterDomain, port: claim.port });
}
