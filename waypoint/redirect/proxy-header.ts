// Writes the header of the PROXY protocol that announces a client to whoever is connected to.

import { isIPv4 } from 'node:net';
import { addressBytes } from './proxy-address.ts';
import { type ProxyAddress, SIGNATURE } from './proxy-protocol.ts';

export interface ProxyTlv {
  readonly type: number;
  readonly value: Buffer;
}

/** `source` null: the connection is our own (LOCAL; UNKNOWN in version 1), for health checks. Version 1 carries no TLVs. */
export function proxyHeader(
  version: 1 | 2,
  source: ProxyAddress | null,
  destination: ProxyAddress,
  tlvs: readonly ProxyTlv[],
): Buffer {
  return version === 1 ? headerV1(source, destination) : headerV2(source, destination, tlvs);
}

function headerV1(source: ProxyAddress | null, destination: ProxyAddress): Buffer {
  if (source === null) return Buffer.from('PROXY UNKNOWN\r\n', 'latin1');
  const both = isIPv4(source.address) && isIPv4(destination.address);
  const [from, to] = both ? [source.address, destination.address] : [asV6(source.address), asV6(destination.address)];
  const line = `PROXY ${both ? 'TCP4' : 'TCP6'} ${from} ${to} ${source.port} ${destination.port}\r\n`;
  return Buffer.from(line, 'latin1');
}

/** Where one end has an address of the other family, both are written as IPv6. */
function asV6(address: string): string {
  return isIPv4(address) ? `::ffff:${address}` : address.replace(/%.*$/, '');
}

function headerV2(source: ProxyAddress | null, destination: ProxyAddress, tlvs: readonly ProxyTlv[]): Buffer {
  const parts = source === null ? [] : addressBlock(source, destination);
  const family = source === null ? 0x00 : parts[0]!.length === 4 ? 0x11 : 0x21;
  for (const { type, value } of tlvs) parts.push(Buffer.from([type, value.length >> 8, value.length & 0xff]), value);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const command = source === null ? 0x20 : 0x21;
  return Buffer.concat([SIGNATURE, Buffer.from([command, family, length >> 8, length & 0xff]), ...parts]);
}

function addressBlock(source: ProxyAddress, destination: ProxyAddress): Buffer[] {
  const both = isIPv4(source.address) && isIPv4(destination.address);
  const bytes = ({ address }: ProxyAddress) => addressBytes(both ? address : asV6(address));
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(source.port, 0);
  ports.writeUInt16BE(destination.port, 2);
  return [bytes(source), bytes(destination), ports];
}
