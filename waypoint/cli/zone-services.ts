// The enrolled Services of a translation as DNS tells of them.

import { bindId } from '../../gateway-api/claims.ts';
import type { Enrolment } from '../../gateway-api/enrolment.ts';
import type { Translation } from '../../gateway-api/translate.ts';
import type { ZoneService } from '../redirect/dns/zone.ts';

/** `ownAddresses`: of this host, for Gateways that listen on all of them. */
export function zoneServices({ state }: Translation, ownAddresses: readonly string[]): readonly ZoneService[] {
  const services: ZoneService[] = [];
  const listeners = new Map<string, number>();
  const ports = new Map<string, number>();
  for (const { kind, gateway, service, protocol, port } of state.holders.values()) {
    if (kind === 'port' && service !== null) ports.set(service, port);
    if (kind === 'listener' && protocol === 'HTTP' && !listeners.has(gateway)) listeners.set(gateway, port);
  }
  for (const [gateway, members] of state.members) {
    const bound = state.parties.gateways.get(gateway)?.addresses ?? [];
    const addresses = [...new Set(bound.flatMap((address) => reachable(address, ownAddresses)))];
    const shared = listeners.get(gateway) ?? null;
    const scope = { addresses, ports, shared, state, home: gateway.slice(0, gateway.indexOf('/')) };
    for (const enrolment of members) services.push(zoneService(enrolment, scope));
  }
  return services;
}

/** What the names are made from: nothing about them changes while none of these does. */
export function zoneInputs({ state }: Translation): readonly unknown[] {
  const { members, holders, parties, environment } = state;
  return [members, holders, parties.gateways, environment.bindErrors];
}

interface Scope {
  readonly addresses: readonly string[];
  /** By id of a Service port: the port that was allocated to it alone. */
  readonly ports: ReadonlyMap<string, number>;
  /** The port at which Services are told by name; null: there is none. */
  readonly shared: number | null;
  readonly state: Translation['state'];
  readonly home: string;
}

function zoneService({ namespace, name, vips, ports }: Enrolment, scope: Scope): ZoneService {
  const owned = vips.filter((vip) => {
    const binds = ports.map(({ port, id }) => ownerOf(bindId(vip, port), id, scope));
    // A port that is another Service's would lead there.
    return binds.includes('us') && !binds.includes('another');
  });
  const named = ports.filter((port) => port.name !== '');
  return {
    namespace,
    name,
    isHome: namespace === scope.home,
    vips: owned,
    addresses: scope.addresses,
    ports: named.flatMap((port) => {
      const reached = owned.length > 0 ? port.port : (scope.ports.get(port.id) ?? scope.shared);
      return reached === null ? [] : [{ name: port.name.toLowerCase(), port: reached }];
    }),
  };
}

/** `us`: connections to it arrive here and are for this Service. */
function ownerOf(bind: string, service: string, { state }: Scope): 'us' | 'another' | 'nobody' {
  const holder = state.holders.get(bind);
  if (holder === undefined || !holder.isLocal) return 'nobody';
  if (holder.service !== service) return 'another';
  return state.environment.bindErrors.has(bind) ? 'nobody' : 'us';
}

function reachable(address: string, ownAddresses: readonly string[]): readonly string[] {
  if (address === '0.0.0.0') return ownAddresses.filter((own) => !own.includes(':'));
  return address === '::' ? ownAddresses : [address];
}
