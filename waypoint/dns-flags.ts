// Flags of the DNS server, shared by `waypoint run --dns` and `waypoint dns`.

import { isIP } from 'node:net';
import { addressList, count, parseSocketAddress, type SocketAddress } from './flag-values.ts';
import type { Flag } from './flags.ts';

export type DnsFlags = {
  readonly dnsUpstream: Flag<readonly SocketAddress[] | null>;
  readonly dnsClients: Flag<readonly string[]>;
  readonly dnsRate: Flag<number>;
};

const DNS_PORT = 53;

export const DNS_FLAGS: DnsFlags = {
  dnsUpstream: {
    arg: 'ip[:port]|none',
    help: 'resolver for every other name; repeatable',
    expects: "an IP address with or without a port, such as 10.96.0.10 or [fd00::a]:53, or 'none'",
    initial: null,
    shown: 'those of /etc/resolv.conf',
    parse: (text) => (text === 'none' ? [] : parseResolver(text)),
    join: (first, next) => [...(first ?? []), ...(next ?? [])],
  },
  dnsClients: addressList({ help: 'who but this host may ask for other names too; repeatable' }),
  dnsRate: count(1, 1_000_000, { help: 'queries per second of one client', initial: 1000 }),
};

export const DNS_LISTEN: Flag<SocketAddress | null> = {
  arg: 'host:port|off',
  help: 'a DNS server that leads the names of enrolled Services here',
  expects: "host:port or 'off'",
  initial: null,
  shown: 'off',
  parse: (text) => (text === 'off' ? null : parseSocketAddress(text)),
};

function parseResolver(text: string): readonly SocketAddress[] | undefined {
  if (isIP(text) !== 0) return [{ host: text, port: DNS_PORT }];
  const address = parseSocketAddress(text);
  return address === undefined || isIP(address.host) === 0 || address.port === 0 ? undefined : [address];
}
