// The same names as configuration of other DNS servers, for where ours is not wanted.

import { reverseName } from './reverse-name.ts';
import { addressesOf, ambiguous, namesOf, type ZoneService } from './zone.ts';

export type PrintFormat = 'coredns' | 'hosts' | 'dnsmasq';

interface Printed {
  readonly names: readonly string[];
  readonly addresses: readonly string[];
  readonly vips: readonly string[];
  readonly ports: ZoneService['ports'];
}

export function printNames(format: PrintFormat, services: readonly ZoneService[], clusterDomain: string): string {
  const domain = clusterDomain.toLowerCase();
  const twice = ambiguous(services);
  const printed = services.map((service) => ({
    names: namesOf(service, domain).filter((name) => !twice.has(name) && !`.${domain}`.endsWith(`.${name}`)),
    addresses: addressesOf(service),
    vips: service.vips,
    ports: service.ports,
  }));
  return `${PRINTERS[format](printed).join('\n')}\n`;
}

const PRINTERS: Readonly<Record<PrintFormat, (services: readonly Printed[]) => readonly string[]>> = {
  hosts: (services) => ['# Names of Services behind a waypoint, for /etc/hosts.', ...services.flatMap(hostLines)],
  coredns,
  dnsmasq: (services) => [
    '# Names of Services behind a waypoint, for a file in /etc/dnsmasq.d.',
    'local-ttl=5',
    ...services.flatMap(dnsmasqLines),
  ],
};

function hostLines({ names, addresses }: Printed): readonly string[] {
  return addresses.map((address) => `${address} ${names.join(' ')}`);
}

/** CoreDNS itself puts both plugins before `kubernetes` and `forward`, wherever they stand in the block. */
function coredns(services: readonly Printed[]): readonly string[] {
  // Reverse names of the waypoint's own address would be those of all Services at once.
  const hasShared = services.some(({ vips }) => vips.length === 0);
  return [
    '# Names of Services behind a waypoint: into the server block of the Corefile, in front of kubernetes and forward.',
    'hosts {',
    ...services.flatMap(hostLines).map((line) => `    ${line}`),
    '    ttl 5',
    ...(hasShared ? ['    no_reverse'] : []),
    '    fallthrough',
    '}',
    ...services.flatMap(({ names, ports }) => ports.flatMap(({ name, port }) => templateLines(names, name, port))),
  ];
}

function templateLines(names: readonly string[], port: string, number: number): readonly string[] {
  const alternatives = names.map((name) => name.replaceAll('.', '\\.')).join('|');
  return [
    'template IN SRV . {',
    `    match "(?i)^_${port}\\._tcp\\.(?:${alternatives})\\.$"`,
    `    answer "{{ .Name }} 5 IN SRV 0 100 ${number} ${names[0]}."`,
    '    fallthrough',
    '}',
  ];
}

/** `address` alone would let other servers answer for IPv6, and with it a way past the waypoint. */
function dnsmasqLines({ names, addresses, vips, ports }: Printed): readonly string[] {
  return [
    ...names.flatMap((name) => [`local=/${name}/`, ...addresses.map((address) => `address=/${name}/${address}`)]),
    ...names.flatMap((name) =>
      ports.map(({ name: port, port: number }) => `srv-host=_${port}._tcp.${name},${names[0]},${number},0,100`),
    ),
    ...vips.map((vip) => `ptr-record=${reverseName(vip)},${names[0]}`),
  ];
}
