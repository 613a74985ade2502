// Who wants which socket address: Gateways for their listeners, enrolled Services for their own addresses and ports.

import { isIPv4, isIPv6 } from 'node:net';
import type { BindProtocol, ClientValidationPlan, ListenerPlan } from '../policies/plan.ts';
import type { Enrolment } from './enrolment.ts';
import type { GatewayState } from './gateways.ts';
import type { PortAllocation } from './service-ports.ts';

/** Somebody who wants an address; of several the oldest has it, then the first by `namespace/name`. */
export interface Claim {
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
  /** A listener, an address of a Service, or a port that was allocated to one. */
  readonly kind: 'listener' | 'vip' | 'port';
  /** Connections to it arrive at this host; else it is a name only, for what others tell of whereto clients went. */
  readonly isLocal: boolean;
}

/** Enrolled Services by their Gateway, in a fixed order. */
export type Members = ReadonlyMap<string, readonly Enrolment[]>;
/** The winning claim of each address. */
export type Holders = ReadonlyMap<string, Claim>;

export interface ClaimScope {
  readonly gateways: ReadonlyMap<string, GatewayState>;
  readonly members: Members;
  readonly ports: PortAllocation;
  /** null: unknown. */
  readonly localAddresses: ReadonlySet<string> | null;
}

const NONE: readonly never[] = [];

export function bindId(address: string, port: number): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Connections to a loopback address always arrive here, others where an interface has the address. */
export function isLocal(address: string, localAddresses: ReadonlySet<string> | null): boolean {
  return address === '::1' || (isIPv4(address) && address.startsWith('127.')) || localAddresses?.has(address) === true;
}

/** Addresses of Services that an interface of this host may have, now or later. */
export function hasRemoteVips(holders: Holders): boolean {
  let found = remoteVips.get(holders);
  if (found === undefined) {
    found = holders.values().some(({ kind, address }) => kind === 'vip' && !isLocal(address, null));
    remoteVips.set(holders, found);
  }
  return found;
}

/** Asked after every translation, of which few change the holders. */
const remoteVips: WeakMap<Holders, boolean> = new WeakMap();

export function holdersOf(scope: ClaimScope): Holders {
  const claims: Claim[] = [];
  for (const state of scope.gateways.values()) claims.push(...gatewayClaims(state));
  for (const services of scope.members.values()) {
    for (const service of services) claims.push(...vipClaims(service, scope), ...portClaims(service, scope));
  }
  claims.sort(byAge);
  const holders = new Map<string, Claim>();
  for (const claim of claims) if (!holders.has(claim.id)) holders.set(claim.id, claim);
  return holders;
}

function gatewayClaims(state: GatewayState): readonly Claim[] {
  const { key, gateway } = state;
  return state.addresses.flatMap((address) =>
    [...portsOf(state)].map(
      ([port, { protocol, clientValidation, listeners }]): Claim => ({
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
        kind: 'listener',
        isLocal: true,
      }),
    ),
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

function vipClaims(enrolment: Enrolment, { localAddresses }: ClaimScope): readonly Claim[] {
  return enrolment.vips.flatMap((address) => {
    const place = { address, kind: 'vip', isLocal: isLocal(address, localAddresses) } as const;
    return enrolment.ports.map(({ port, id }) => serviceClaim(enrolment, id, { ...place, port }));
  });
}

function portClaims(enrolment: Enrolment, { gateways, ports }: ClaimScope): readonly Claim[] {
  if (ports.assigned.size === 0) return NONE;
  const addresses = gateways.get(enrolment.gateway)?.addresses ?? NONE;
  return enrolment.ports.flatMap(({ id }): readonly Claim[] => {
    const port = ports.assigned.get(id);
    if (port === undefined) return NONE;
    return addresses.map((address) => serviceClaim(enrolment, id, { address, port, kind: 'port', isLocal: true }));
  });
}

type Place = Pick<Claim, 'address' | 'port' | 'kind' | 'isLocal'>;

function serviceClaim({ service: key, createdAt, gateway }: Enrolment, service: string, place: Place): Claim {
  const { address, port, kind, isLocal: isHere } = place;
  return {
    id: bindId(address, port),
    address,
    port,
    owner: `Service ${key}`,
    key,
    createdAt,
    gateway,
    protocol: 'HTTP',
    clientValidation: null,
    listeners: NONE,
    service,
    kind,
    isLocal: isHere,
  };
}

function byAge(a: Claim, b: Claim): number {
  if (a.createdAt !== b.createdAt) return a.createdAt - b.createdAt;
  if (a.key !== b.key) return a.key < b.key ? -1 : 1;
  return a.owner < b.owner ? -1 : 1;
}
