// `waypoint lockdown`: prints what keeps everybody but the waypoint away from the workloads of enrolled Services.

import { isIP } from 'node:net';
import { FileSource } from '../../gateway-api/files.ts';
import { networkPolicies, type Scrape } from '../../gateway-api/network-policies.ts';
import { type Translation, translate } from '../../gateway-api/translate.ts';
import { type Workload, workloadsOf } from '../../gateway-api/workloads.ts';
import { addressList, choice } from '../flag-values.ts';
import { type Flag, parseFlags } from '../flags.ts';
import { SOURCE_FLAGS, type SourceFlags } from '../source-flags.ts';
import { ENVIRONMENT_FLAGS, type EnvironmentFlags, environmentOf } from './environment.ts';
import { leftOut } from './left-out.ts';
import { nftables } from './lockdown/nftables.ts';
import { parseScrape } from './lockdown/scrape.ts';
import { usageErrors } from './usage-errors.ts';

type Format = 'networkpolicies' | 'nftables';

type LockdownFlags = Pick<SourceFlags, 'config'> &
  EnvironmentFlags & {
    readonly format: Flag<Format>;
    readonly allowProbes: Flag<readonly string[]>;
    readonly allowScrape: Flag<readonly Scrape[]>;
    readonly allowGateway: Flag<readonly string[]>;
    readonly waypointAddress: Flag<readonly string[]>;
  };

export const LOCKDOWN_FLAGS: LockdownFlags = {
  config: SOURCE_FLAGS.config,
  format: choice<Format>(['networkpolicies', 'nftables'], { help: 'what is printed', initial: 'networkpolicies' }),
  allowProbes: addressList({ help: 'nodes whose probes reach the ports of a workload; repeatable' }),
  allowScrape: {
    arg: 'namespace/label=value:port',
    help: 'pods that collect metrics at a port; repeatable',
    expects: 'namespace/label=value:port, such as monitoring/app=prometheus:9090',
    initial: [],
    shown: '',
    parse: (text) => {
      const scrape = parseScrape(text);
      return scrape === undefined ? undefined : [scrape];
    },
    join: (first, next) => [...first, ...next],
  },
  allowGateway: {
    arg: 'namespace/name',
    help: 'a further Gateway whose pods reach the workloads; repeatable',
    expects: 'namespace/name',
    initial: [],
    shown: '',
    parse: (text) => (/^[a-z0-9][-a-z0-9]*\/[a-z0-9][-.a-z0-9]*$/.test(text) ? [text] : undefined),
    join: (first, next) => [...first, ...next],
  },
  waypointAddress: {
    ...addressList({ help: 'from which the waypoint dials, for nftables; repeatable' }),
    shown: 'those of its Gateway',
  },
  ...ENVIRONMENT_FLAGS,
};

type Values = { readonly [K in keyof LockdownFlags]: LockdownFlags[K] extends Flag<infer T> ? T : never };

export async function lockdownCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const { values, positionals, errors } = parseFlags(LOCKDOWN_FLAGS, args, env);
  const paths = [...positionals, ...values.config];
  const mistakes = [...errors, ...(paths.length === 0 ? ['no file or directory of resources is named'] : [])];
  if (values.format === 'nftables' && values.allowScrape.length > 0) {
    mistakes.push('--allow-scrape names pods, which nftables does not know: name their addresses with --allow-probes');
  }
  if (mistakes.length > 0) return usageErrors('lockdown', mistakes);
  const translation = translationOf(paths, values);
  const workloads = workloadsOf(translation);
  if (workloads.length === 0) {
    tell('no Service is enrolled at a Gateway: there is nothing to lock down (waypoint check says why)');
    return 1;
  }
  return values.format === 'nftables'
    ? printNftables(workloads, translation, values)
    : printNetworkPolicies(workloads, values);
}

function translationOf(paths: readonly string[], values: Values): Translation {
  const source = new FileSource(paths, { stateDir: null, onChange: () => {}, log: { warn: () => {} } });
  source.load();
  source.close();
  const warning = leftOut(source.store.findings);
  if (warning !== '') tell(warning);
  return translate(source.store.resources, environmentOf(values), null);
}

function printNetworkPolicies(workloads: readonly Workload[], values: Values): number {
  const { allowProbes: probes, allowScrape: scrapes, allowGateway: gateways } = values;
  for (const { service, selector, unserved, otherGateways, neighbours } of workloads) {
    if (selector === null) {
      tell(
        `${service} has no selector: nobody knows its pods, protect its endpoints in another way (--format nftables)`,
      );
      continue;
    }
    if (unserved.length > 0)
      tell(`${service}: nobody will reach port ${unserved.join(', ')}, which no waypoint serves`);
    for (const other of otherGateways) {
      if (!gateways.includes(other))
        tell(`${service}: Gateway ${other} is refused: --allow-gateway ${other} admits it`);
    }
    for (const other of neighbours)
      tell(`${service}: Service ${other} selects its pods, too, and is cut off: enrol it`);
  }
  process.stdout.write(networkPolicies(workloads, { probes, scrapes, gateways }));
  return 0;
}

function printNftables(workloads: readonly Workload[], { state }: Translation, values: Values): number {
  const { waypointAddress, allowProbes, allowGateway } = values;
  const addressesOf = (gateway: string): readonly string[] =>
    (state.parties.gateways.get(gateway)?.addresses ?? []).filter((each) => isIP(each) !== 0 && !isAny(each));
  const sourcesOf = (gateway: string): readonly string[] => [
    ...(waypointAddress.length > 0 ? waypointAddress : addressesOf(gateway)),
    ...allowGateway.flatMap(addressesOf),
    ...allowProbes,
  ];
  for (const gateway of new Set(workloads.map((workload) => workload.gateway))) {
    if (waypointAddress.length > 0 || addressesOf(gateway).some((address) => !isLoopback(address))) continue;
    tell(`Gateway ${gateway} has no address from which others are reached: name it with --waypoint-address`);
    return 1;
  }
  for (const { service, ports } of workloads) {
    const endpoints = ports.flatMap((port) => port.endpoints);
    if (endpoints.length === 0)
      tell(`${service} has no endpoints: nothing of it is protected until this is printed again`);
    const local = endpoints.filter(({ address }) => isLoopback(address));
    if (local.length > 0) tell(`${service} has endpoints on loopback, where everybody has the same address`);
  }
  process.stdout.write(nftables(workloads, sourcesOf));
  return 0;
}

function isAny(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

function tell(message: string): void {
  process.stderr.write(`waypoint lockdown: ${message}\n`);
}
