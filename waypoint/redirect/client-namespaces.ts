// The namespaces in which clients live, by their addresses, as the operator says: no proof, and never a principal.

import { isIPv6 } from 'node:net';
import { trustOf } from '../trusted-addresses.ts';

export interface AddressNamespace {
  /** An address or a CIDR. */
  readonly cidr: string;
  readonly namespace: string;
}

/** The namespace of the longest prefix that covers an address, of equal ones the first; null: none does. */
export function namespaceByAddress(entries: readonly AddressNamespace[]): (address: string) => string | null {
  if (entries.length === 0) return () => null;
  const blocks = entries.map(({ cidr, namespace }) => ({ covers: trustOf([cidr]), bits: prefixBits(cidr), namespace }));
  blocks.sort((a, b) => b.bits - a.bits);
  return (address) => {
    for (const { covers, namespace } of blocks) if (covers(address)) return namespace;
    return null;
  };
}

/** Comparable over both families. */
function prefixBits(cidr: string): number {
  const [address = '', prefix] = cidr.split('/');
  const all = isIPv6(address) ? 128 : 32;
  return (prefix === undefined ? all : Number(prefix)) + 128 - all;
}
