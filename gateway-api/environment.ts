// What the translation depends on beside the resources: how this process was started and what it could bind.

import type { CredentialPlan } from '../policies/plan.ts';
import type { PortAllocation, PortRange } from './service-ports.ts';

export const CONTROLLER_NAME = 'waypoint.dev/controller';
/** Served in file mode even where no GatewayClass object says so. */
export const DEFAULT_CLASS = 'waypoint';
export const GATEWAY_GROUP = 'gateway.networking.k8s.io';

export interface Environment {
  /** Only this Gateway (`namespace/name`) is served; null: every Gateway of our classes. */
  readonly gateway: string | null;
  /** Where listeners are bound when a Gateway names no address. */
  readonly bindAddress: string;
  /** `cluster.local`: the suffix of Service names. */
  readonly clusterDomain: string;
  /** Bind id -> the system's message for an address that could not be listened on. */
  readonly bindErrors: ReadonlyMap<string, string>;
  /** The trust domain of this process, then the others that mean the same. Never empty. */
  readonly trustDomains: readonly string[];
  /** By id, `Credential <name>`: what was read from the credentials directory and from the SPIFFE Workload API. */
  readonly credentials: ReadonlyMap<string, CredentialPlan>;
  /** Addresses of names outside, by lower-case name: none where DNS has none, absent where nobody has asked yet. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  /** Why key sets of RequestAuthentications could not be fetched, by URI; those that could are left out. */
  readonly jwksErrors: ReadonlyMap<string, string>;
  /** Services of type ExternalName are backends too. */
  readonly allowExternalName: boolean;
  /** Of the interfaces of this host, the same object while they are the same; null: unknown. */
  readonly localAddresses: ReadonlySet<string> | null;
  /** From which every port of an enrolled Service gets one of its own; null: none does. */
  readonly servicePorts: ServicePorts | null;
  /** Wall clock, ms since the epoch: whether a certificate is valid now. */
  readonly now: number;
}

interface ServicePorts extends PortRange {
  /** What an earlier run allocated. */
  readonly kept: PortAllocation;
}

/** Of a process that was started with nothing but its files. */
export const DEFAULT_ENVIRONMENT: Environment = {
  gateway: null,
  bindAddress: '127.0.0.1',
  clusterDomain: 'cluster.local',
  bindErrors: new Map(),
  trustDomains: ['cluster.local'],
  credentials: new Map(),
  addresses: new Map(),
  jwksErrors: new Map(),
  allowExternalName: false,
  localAddresses: null,
  servicePorts: null,
  now: 0,
};

/** Equal in all that a translation can't follow step by step. */
export function sameScope(a: Environment, b: Environment): boolean {
  const { servicePorts: own } = a;
  const { servicePorts: other } = b;
  const isSameRange = own?.from === other?.from && own?.to === other?.to;
  const isSameName = a.gateway === b.gateway && a.clusterDomain === b.clusterDomain;
  const isSamePlace = a.bindAddress === b.bindAddress && a.allowExternalName === b.allowExternalName;
  return isSameName && isSamePlace && isSameRange;
}
