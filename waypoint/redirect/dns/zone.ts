// The names of enrolled Services: what each resolves to, and which names are nobody else's to answer.

import { reverseName } from './reverse-name.ts';

/** An enrolled Service, with the addresses at which its waypoint is reached for it. */
export interface ZoneService {
  readonly namespace: string;
  readonly name: string;
  /** Lives in the namespace of its Gateway: known there by its bare name too. */
  readonly isHome: boolean;
  /** Addresses of the Service itself that the waypoint owns; empty: it has none such. */
  readonly vips: readonly string[];
  /** Without an address of the Service: those of the waypoint. */
  readonly addresses: readonly string[];
  /** Named ports, and where a client finds each at the addresses above. */
  readonly ports: readonly { readonly name: string; readonly port: number }[];
}

export type ZoneRecord =
  | { readonly type: 'A' | 'AAAA' | 'PTR'; readonly data: string }
  | { readonly type: 'SRV'; readonly port: number; readonly target: string };

/** What is known about one name. */
export interface ZoneNode {
  readonly records: readonly ZoneRecord[];
  /** Owner of the SOA record of a negative answer: this name or one above it. */
  readonly apex: string;
}

/** `missing`: the name belongs to us and there is no such name; `foreign`: somebody else may know. */
export type ZoneFinding =
  | { readonly kind: 'found'; readonly node: ZoneNode }
  | { readonly kind: 'missing'; readonly apex: string }
  | { readonly kind: 'foreign'; readonly isInCluster: boolean };

const NO_RECORDS: readonly ZoneRecord[] = [];

export class Zone {
  readonly clusterDomain: string;
  /** Grows with every change: the serial number of the SOA record. */
  readonly serial: number;
  readonly #nodes: Map<string, ZoneNode> = new Map();
  /** Names below which nothing is anybody else's. */
  readonly #cuts: Set<string> = new Set();
  /** Names of the cluster that have no records but have names below them. */
  readonly #between: Set<string>;

  constructor(services: readonly ZoneService[], clusterDomain: string, serial: number) {
    this.clusterDomain = clusterDomain.toLowerCase();
    this.serial = serial;
    const domain = this.clusterDomain;
    this.#between = new Set([
      domain,
      `svc.${domain}`,
      ...services.map(({ namespace }) => `${namespace}.svc.${domain}`),
    ]);
    const twice = ambiguous(services);
    for (const service of services) this.#add(service, twice);
  }

  /** How many names it answers for. */
  get size(): number {
    return this.#nodes.size;
  }

  /** `name` in lower case, without a dot at its end. */
  find(name: string): ZoneFinding {
    const node = this.#nodes.get(name);
    if (node !== undefined) return { kind: 'found', node };
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      const parent = name.slice(dot + 1);
      if (this.#cuts.has(parent)) return { kind: 'missing', apex: this.#nodes.get(parent)!.apex };
    }
    return { kind: 'foreign', isInCluster: name === this.clusterDomain || name.endsWith(`.${this.clusterDomain}`) };
  }

  /** It has no records of its own, but there are names of ours below it. */
  isBetween(name: string): boolean {
    return this.#between.has(name);
  }

  #add(service: ZoneService, twice: ReadonlySet<string>): void {
    const { vips, ports } = service;
    const names = namesOf(service, this.clusterDomain);
    const canonical = names[0]!;
    const addresses = addressesOf(service).map(addressRecord);
    for (const name of names) {
      // A Service "cluster" in namespace "local" does not take the whole domain.
      if (this.#isAbove(name) || twice.has(name)) continue;
      const apex = name === canonical ? this.clusterDomain : name;
      this.#nodes.set(name, { records: addresses, apex });
      if (name === canonical) this.#cuts.add(name);
      if (ports.length > 0) this.#nodes.set(`_tcp.${name}`, { records: NO_RECORDS, apex });
      for (const { name: port, port: number } of ports) {
        const records: readonly ZoneRecord[] = [{ type: 'SRV', port: number, target: canonical }];
        this.#nodes.set(`_${port}._tcp.${name}`, { records, apex });
      }
    }
    for (const vip of vips) {
      const name = reverseName(vip);
      // Services may share an address, each with ports of its own.
      const others = this.#nodes.get(name)?.records ?? NO_RECORDS;
      this.#nodes.set(name, { records: [...others, { type: 'PTR', data: canonical }], apex: name });
    }
  }

  #isAbove(name: string): boolean {
    return this.clusterDomain === name || this.clusterDomain.endsWith(`.${name}`);
  }
}

/** All names of a Service, the fully qualified one first. */
export function namesOf({ namespace, name, isHome }: ZoneService, clusterDomain: string): readonly string[] {
  const names = [`${name}.${namespace}.svc.${clusterDomain}`, `${name}.${namespace}.svc`, `${name}.${namespace}`];
  return isHome ? [...names, name] : names;
}

export function addressesOf({ vips, addresses }: ZoneService): readonly string[] {
  return vips.length > 0 ? vips : addresses;
}

/** Bare names that mean more than one Service: which of them is meant is not for us to guess. */
export function ambiguous(services: readonly ZoneService[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { name, isHome } of services) {
    if (!isHome) continue;
    if (seen.has(name)) twice.add(name);
    seen.add(name);
  }
  return twice;
}

function addressRecord(address: string): ZoneRecord {
  return { type: address.includes(':') ? 'AAAA' : 'A', data: address };
}
