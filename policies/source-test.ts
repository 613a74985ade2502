// Conditions of an AuthorizationPolicy about where a connection comes from and where it leads.

import type { AccessCondition, WhenUnknown } from './access-test.ts';
import type { AccessContext, AccessTest } from './authorization.ts';
import { IpBlocks, isAddress } from './ip-block.ts';
import { GlobMatch } from './string-match.ts';

type AddressAttribute = 'source.ip' | 'remote.ip' | 'destination.ip';

export class IpTest implements AccessCondition {
  readonly #attribute: AddressAttribute;
  readonly #values: IpBlocks | null;
  readonly #notValues: IpBlocks | null;
  readonly #whenUnknown: boolean;

  constructor({ values, notValues }: AccessTest, attribute: AddressAttribute, unknown: WhenUnknown) {
    this.#attribute = attribute;
    this.#values = values.length === 0 ? null : new IpBlocks(values);
    this.#notValues = notValues.length === 0 ? null : new IpBlocks(notValues);
    this.#whenUnknown = unknown === 'holds';
  }

  holds(context: AccessContext): boolean {
    const address = addressOf(context, this.#attribute);
    if (!isAddress(address)) return this.#whenUnknown;
    if (this.#values !== null && !this.#values.covers(address)) return false;
    return this.#notValues === null || !this.#notValues.covers(address);
  }
}

export function addressOf({ peer, remoteAddress }: AccessContext, attribute: AddressAttribute): string {
  switch (attribute) {
    case 'source.ip':
      return peer.address;
    case 'remote.ip':
      return remoteAddress;
    case 'destination.ip':
      return peer.localAddress;
  }
}

export class PortTest implements AccessCondition {
  readonly #values: readonly number[];
  readonly #notValues: readonly number[];

  constructor({ values, notValues }: AccessTest) {
    this.#values = values.map(Number);
    this.#notValues = notValues.map(Number);
  }

  holds({ destinationPort }: AccessContext): boolean {
    if (this.#values.length > 0 && !this.#values.includes(destinationPort)) return false;
    return !this.#notValues.includes(destinationPort);
  }
}

/** Of the identity; without one what is known of the address. '' for none. */
export function namespaceOf({ peer }: AccessContext): string {
  return peer.identity?.namespace ?? peer.namespace ?? '';
}

/** Istio lets a star stand anywhere in a namespace. */
export class NamespaceTest implements AccessCondition {
  readonly #values: GlobMatch | null;
  readonly #notValues: GlobMatch | null;

  constructor({ values, notValues }: AccessTest) {
    this.#values = values.length === 0 ? null : new GlobMatch(values);
    this.#notValues = notValues.length === 0 ? null : new GlobMatch(notValues);
  }

  holds(context: AccessContext): boolean {
    const namespace = namespaceOf(context);
    if (this.#values !== null && !this.#values.matches(namespace)) return false;
    return this.#notValues === null || !this.#notValues.matches(namespace);
  }
}

type Accounts = ReadonlyMap<string, ReadonlySet<string>>;

/** `namespace/name`, literally (CVE-2026-39350), of any trust domain. */
export class ServiceAccountTest implements AccessCondition {
  readonly #values: Accounts | null;
  readonly #notValues: Accounts;

  constructor({ values, notValues }: AccessTest) {
    this.#values = values.length === 0 ? null : accountsOf(values);
    this.#notValues = accountsOf(notValues);
  }

  holds({ peer: { identity } }: AccessContext): boolean {
    const namespace = identity?.namespace ?? '';
    const account = identity?.serviceAccount ?? '';
    if (this.#values !== null && this.#values.get(namespace)?.has(account) !== true) return false;
    return this.#notValues.get(namespace)?.has(account) !== true;
  }
}

/** `namespace/name`; '' for none. */
export function accountOf({ peer: { identity } }: AccessContext): string {
  if (identity === null || identity.namespace === null || identity.serviceAccount === null) return '';
  return `${identity.namespace}/${identity.serviceAccount}`;
}

function accountsOf(values: readonly string[]): Accounts {
  const accounts = new Map<string, Set<string>>();
  for (const value of values) {
    const [namespace = '', name = ''] = value.split('/');
    accounts.set(namespace, (accounts.get(namespace) ?? new Set()).add(name));
  }
  return accounts;
}
