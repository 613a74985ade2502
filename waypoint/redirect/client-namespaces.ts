// The namespaces in which clients live, by their addresses, as the operator says: no proof, and never a principal.

import { BlockList, isIPv6 } from 'node:net';

export interface AddressNamespace {
  /** An address or a CIDR. */
  readonly cidr: string;
  readonly namespace: string;
}

/** The namespace of the longest prefix that covers an address, of equal ones the first; null: none does. */
export function namespaceByAddress(entries: readonly AddressNamespace[]): (address: string) => string | null {
  if (entries.length === 0) return () => null;
  const blocks = entries.map(({ cidr, namespace }) => ({ ...blockOf(cidr), namespace }));
  blocks.sort((a, b) => b.bits - a.bits);
  return (address) => {
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    for (const { list, namespace } of blocks) if (list.check(address, family)) return namespace;
    return null;
  };
}

function blockOf(cidr: string): { readonly list: BlockList; readonly bits: number } {
  const [address = '', prefix] = cidr.split('/');
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  const all = family === 'ipv6' ? 128 : 32;
  const bits = prefix === undefined ? all : Number(prefix);
  const list = new BlockList();
  list.addSubnet(address, bits, family);
  return { list, bits: bits + 128 - all };
}
