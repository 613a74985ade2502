// Lock-down as an nftables ruleset, for hosts where workloads run or through which they are reached.

import { isIPv6 } from 'node:net';
import type { Workload } from '../../../gateway-api/workloads.ts';

const TABLE = 'inet waypoint_lockdown';

interface Group {
  readonly gateway: string;
  /** Addresses and CIDRs of those who may. */
  readonly sources: readonly string[];
  readonly endpoints: readonly { readonly address: string; readonly port: number }[];
}

/**
 * `sourcesOf`: addresses and CIDRs from which the waypoint of a Gateway, and others who may, reach its workloads. The
 * ruleset replaces what an earlier one of this name said. Connections that exist are refused as well.
 */
export function nftables(workloads: readonly Workload[], sourcesOf: (gateway: string) => readonly string[]): string {
  const byGateway = Map.groupBy(workloads, ({ gateway }) => gateway);
  const groups = [...byGateway.keys()].sort().map(
    (gateway): Group => ({
      gateway,
      sources: sourcesOf(gateway),
      endpoints: byGateway.get(gateway)!.flatMap(({ ports }) => ports.flatMap(({ endpoints }) => endpoints)),
    }),
  );
  const parts = groups.flatMap((group, index) => (group.endpoints.length === 0 ? [] : partsOf(group, index + 1)));
  const sets = parts.flatMap((part) => part.sets);
  const rules = parts.flatMap((part) => part.rules).map((rule) => `    ${rule}\n`);
  const chains = ['input', 'forward'].map(
    (hook) => `  chain ${hook} {\n    type filter hook ${hook} priority filter; policy accept;\n${rules.join('')}  }\n`,
  );
  return `table ${TABLE}\ndelete table ${TABLE}\ntable ${TABLE} {\n${[...sets, ...chains].join('\n')}}\n`;
}

interface Part {
  readonly sets: readonly string[];
  readonly rules: readonly string[];
}

function partsOf({ gateway, sources, endpoints }: Group, number: number): readonly Part[] {
  return (['ipv4', 'ipv6'] as const).flatMap((family): Part | [] => {
    const ofFamily = (address: string): boolean => isIPv6(address.split('/')[0]!) === (family === 'ipv6');
    const workloads = endpoints.filter(({ address }) => ofFamily(address));
    if (workloads.length === 0) return [];
    const allowed = sources.filter(ofFamily);
    const version = family === 'ipv4' ? 'ip' : 'ip6';
    const to = `workloads_${number}_${family}`;
    const from = `waypoint_${number}_${family}`;
    const elements = workloads.map(({ address, port }) => `${address} . ${port}`);
    const others = allowed.length === 0 ? '' : ` ${version} saddr != @${from}`;
    return {
      sets: [
        setText(to, `${family}_addr . inet_service`, elements, `behind Gateway ${gateway}`),
        ...(allowed.length === 0 ? [] : [setText(from, `${family}_addr`, allowed, `who may`)]),
      ],
      rules: [`${version} daddr . tcp dport @${to}${others} counter reject with tcp reset`],
    };
  });
}

function setText(name: string, type: string, elements: readonly string[], comment: string): string {
  const lines = [...new Set(elements)].sort().map((element) => `      ${element}`);
  const flags = type.includes(' . ') ? '' : '    flags interval\n    auto-merge\n';
  return `  # ${comment}\n  set ${name} {\n    type ${type}\n${flags}    elements = {\n${lines.join(',\n')}\n    }\n  }\n`;
}
