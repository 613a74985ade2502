// Which of our socket addresses a URL leads to: what DNS and redirection would do for a client, as far as the snapshot tells.

import { isIP } from 'node:net';
import type { BindPlan, ServicePlan, Snapshot } from '../../policies/plan.ts';
import { hostMatches, parseAuthority } from '../../routing/host.ts';

export interface Dialled {
  readonly bind: BindPlan;
  /** How it was found, for people. */
  readonly found: string;
}

/** `authority` is that of the URL. A string says why nothing here is dialled. */
export function chooseBind(authority: string, snapshot: Snapshot, scheme: 'http' | 'https' = 'http'): Dialled | string {
  const parsed = parseAuthority(authority);
  if (parsed === null) return `'${authority}' is no host:port`;
  const host = parsed.host === 'localhost' ? '127.0.0.1' : parsed.host;
  const port = parsed.port === 0 ? (scheme === 'http' ? 80 : 443) : parsed.port;
  const binds = [...snapshot.binds.values()];
  const found =
    isIP(host.replace(/^\[|\]$/g, '')) === 0
      ? (byName(host, port, binds) ?? byRedirectedName(host, port, snapshot) ?? byListener(host, port, binds))
      : (byAddress(host, port, snapshot, binds) ?? byRedirectedAddress(host, port, snapshot));
  if (found !== null) return speaks(found.bind, scheme) ?? found;
  const known = binds.map((bind) => (bind.service === null ? bind.id : `${bind.id} (${bind.service})`)).join(', ');
  return `nothing here listens where ${authority} leads; there are ${known === '' ? 'no listeners' : known}`;
}

/** What is wrong with the scheme; null: nothing. */
function speaks({ id, protocol }: BindPlan, scheme: 'http' | 'https'): string | null {
  const right = protocol === 'HTTPS' ? 'https' : 'http';
  if (scheme === right) return null;
  return `${id} ${right === 'https' ? 'is for TLS' : 'has no TLS'}: ask with ${right}://`;
}

/** Its own address; null: it listens on all of them. */
export function leadsHere({ address }: BindPlan): string | null {
  return address === '0.0.0.0' || address === '::' ? null : address;
}

function byAddress(host: string, port: number, snapshot: Snapshot, binds: readonly BindPlan[]): Dialled | null {
  const bind = snapshot.binds.get(`${host}:${port}`);
  if (bind !== undefined)
    return { bind, found: bind.service === null ? 'its address' : `the address of Service ${bind.service}` };
  const any = binds.find((each) => each.port === port && leadsHere(each) === null);
  return any === undefined ? null : { bind: any, found: 'its port, on every address' };
}

/** Not an address of this host: somebody leads here what is sent there. */
function byRedirectedAddress(host: string, port: number, snapshot: Snapshot): Dialled | null {
  const address = host.replace(/^\[|\]$/g, '');
  const service = snapshot.services.values().find((plan) => plan.port === port && plan.vips.includes(address));
  return service === undefined ? null : redirected(service, snapshot);
}

function byRedirectedName(host: string, port: number, snapshot: Snapshot): Dialled | null {
  const service = snapshot.services.values().find((plan) => plan.port === port && names(plan.id, host));
  return service === undefined ? null : redirected(service, snapshot);
}

/** To the Service's own port, or through a proxy that tells its address. */
function redirected({ id, port, vips }: ServicePlan, { binds }: Snapshot): Dialled | null {
  const own = binds.values().find((bind) => bind.service === id);
  if (own !== undefined) return { bind: own, found: `the port of Service ${id}, if what is sent there is led to it` };
  const destinations = vips.map((address) => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`));
  const proxied = binds.values().find((bind) => destinations.some((each) => bind.destinations.get(each) === id));
  if (proxied === undefined) return null;
  return { bind: { ...proxied, service: id }, found: `the address of Service ${id}, if a proxy tells it` };
}

/** An enrolled Service's name: DNS leads to its own address where it has one, else to the shared port. */
function byName(host: string, port: number, binds: readonly BindPlan[]): Dialled | null {
  for (const shared of binds) {
    const service = shared.authorities.get(`${host}:${port}`);
    if (service === undefined) continue;
    const own = binds.find((bind) => bind.service === service && bind.port === port);
    if (own !== undefined) return { bind: own, found: `the name of Service ${service}, which has this address` };
    return { bind: shared, found: `the name of Service ${service}, on the shared port of its waypoint` };
  }
  const own = binds.find((bind) => bind.service !== null && bind.port === port && names(bind.service, host));
  return own === undefined ? null : { bind: own, found: `the name of Service ${own.service}, which has this address` };
}

/** `svc.ns`, `svc.ns.svc`, `svc.ns.svc.any.domain`. */
function names(service: string, host: string): boolean {
  const [namespace = '', rest = ''] = service.split('/');
  const name = `${rest.slice(0, rest.lastIndexOf(':'))}.${namespace}`;
  return host === name || host === `${name}.svc` || host.startsWith(`${name}.svc.`);
}

/** A public name: DNS leads it to the Gateway whose listener on this port wants it most. */
function byListener(host: string, port: number, binds: readonly BindPlan[]): Dialled | null {
  const gateways = binds.filter((bind) => bind.service === null && bind.port === port);
  const named = gateways.find((bind) =>
    bind.listeners.some(({ hostname }) => hostname !== null && hostMatches(hostname, host)),
  );
  const bind = named ?? gateways[0];
  return bind === undefined ? null : { bind, found: `its port, if DNS leads ${host} there` };
}
