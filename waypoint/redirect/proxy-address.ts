// Addresses in PROXY protocol headers: text and bytes, in the one form in which the rest of the waypoint compares them.

import { isIPv4, isIPv6, SocketAddress } from 'node:net';

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;

/** Text as sent -> as compared: IPv6 in the form of RFC 5952, an IPv4-mapped one as IPv4; null: malformed. */
export function canonicalAddress(text: string, family: 4 | 6): string | null {
  // isIPv4 takes no leading zeros.
  if (family === 4) return isIPv4(text) ? text : null;
  // A zone means nothing outside of the host that wrote it.
  if (!isIPv6(text) || text.includes('%')) return null;
  return shortest(text);
}

/** The address of 4 or 16 bytes at `at`. */
export function addressAt(bytes: Buffer, at: number, size: number): string {
  if (size === 4) return bytes.subarray(at, at + 4).join('.');
  const groups: string[] = [];
  for (let group = 0; group < 16; group += 2) groups.push(bytes.readUInt16BE(at + group).toString(16));
  return shortest(groups.join(':'));
}

/** 4 bytes of IPv4 or 16 of IPv6. */
export function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [text] = address.split('%') as [string];
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const plain = dotted === null ? text : `${dotted[1]}${pair(dotted[2]!, dotted[3]!)}:${pair(dotted[4]!, dotted[5]!)}`;
  const [head = '', tail] = plain.split('::');
  const left = groupsOf(head);
  const right = groupsOf(tail ?? '');
  const zeros = new Array<number>(8 - left.length - right.length).fill(0);
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...left, ...zeros, ...right].entries()) bytes.writeUInt16BE(group, index * 2);
  return bytes;
}

function groupsOf(text: string): readonly number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

function pair(high: string, low: string): string {
  return (Number(high) * 256 + Number(low)).toString(16);
}

function shortest(text: string): string {
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  return MAPPED.exec(address)?.[1] ?? address;
}
