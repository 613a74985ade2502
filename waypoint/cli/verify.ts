// `waypoint verify`: tries, from where it stands, to reach the workloads of enrolled Services past their waypoint.

import { lookup } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { FileSource } from '../../gateway-api/files.ts';
import { type Translation, translate } from '../../gateway-api/translate.ts';
import { workloadsOf } from '../../gateway-api/workloads.ts';
import { choice, count, duration } from '../flag-values.ts';
import { type Flag, parseFlags } from '../flags.ts';
import { readableJson } from '../ops/readable-json.ts';
import { SOURCE_FLAGS, type SourceFlags } from '../source-flags.ts';
import { ENVIRONMENT_FLAGS, type EnvironmentFlags, environmentOf } from './environment.ts';
import { leftOut } from './left-out.ts';
import { table } from './table.ts';
import { usageErrors } from './usage-errors.ts';
import { type Tried, tryAll, waysTo } from './verify/ways.ts';

type Format = 'text' | 'json';

type VerifyFlags = Pick<SourceFlags, 'config'> &
  EnvironmentFlags & {
    readonly format: Flag<Format>;
    readonly timeout: Flag<number>;
    readonly concurrency: Flag<number>;
  };

export const VERIFY_FLAGS: VerifyFlags = {
  config: SOURCE_FLAGS.config,
  format: choice<Format>(['text', 'json'], { help: 'how it is printed', initial: 'text' }),
  timeout: duration(1, { help: 'for one try', initial: 2000 }),
  concurrency: count(1, 1024, { help: 'tries at a time', initial: 32 }),
  ...ENVIRONMENT_FLAGS,
};

type Values = { readonly [K in keyof VerifyFlags]: VerifyFlags[K] extends Flag<infer T> ? T : never };

export async function verifyCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const { values, positionals, errors } = parseFlags(VERIFY_FLAGS, args, env);
  const paths = [...positionals, ...values.config];
  const missing = paths.length === 0 ? ['no file or directory of resources is named'] : [];
  if (errors.length + missing.length > 0) return usageErrors('verify', [...errors, ...missing]);
  const translation = translationOf(paths, values);
  const workloads = workloadsOf(translation);
  if (workloads.length === 0) {
    tell('no Service is enrolled at a Gateway: there is nothing to verify (waypoint check says why)');
    return 1;
  }
  for (const { service, ports } of workloads) {
    if (ports.every(({ endpoints }) => endpoints.length === 0)) tell(`${service} has no endpoints to try`);
  }
  if (isOfWaypoint(translation))
    tell('this is a host of the waypoint, to which every way is open: run it where clients are');
  const { backends } = translation.snapshot;
  const secured = new Set([...backends.values()].flatMap(({ id, tls }) => (tls === null ? [] : id)));
  const { clusterDomain, concurrency, timeout } = values;
  const tried = await tryAll(await waysTo(workloads, { clusterDomain, secured, resolve }), concurrency, timeout);
  if (!tried.some(({ verdict }) => verdict === 'waypoint' || verdict === 'open')) {
    tell('nobody answered, not even the waypoint: do they run, and is this where clients are?');
  }
  process.stdout.write(values.format === 'json' ? asJson(tried) : asText(tried));
  return tried.some(isOpen) ? 1 : 0;
}

function translationOf(paths: readonly string[], values: Values): Translation {
  const source = new FileSource(paths, { stateDir: null, onChange: () => {}, log: { warn: () => {} } });
  source.load();
  source.close();
  const warning = leftOut(source.store.findings);
  if (warning !== '') tell(warning);
  return translate(source.store.resources, environmentOf(values), null);
}

async function resolve(name: string): Promise<readonly string[]> {
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address);
  } catch {
    // A name that this host does not know is no way to anything.
    return [];
  }
}

function isOfWaypoint({ state }: Translation): boolean {
  const own = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).filter(({ internal }) => !internal));
  const addresses = new Set(own.map(({ address }) => address));
  return [...state.parties.gateways.values()].some((gateway) => gateway.addresses.some((each) => addresses.has(each)));
}

/** Whatever is answered, but not by the waypoint. */
function isOpen({ verdict }: Tried): boolean {
  return verdict === 'open';
}

const ADVICE: Readonly<Record<Tried['kind'], string>> = {
  endpoint: 'admit only the waypoint to it (waypoint lockdown)',
  address: 'lead its address to the waypoint (waypoint dns, or a redirection to its port)',
  name: 'let the name lead to the waypoint (waypoint dns)',
};

function asText(tried: readonly Tried[]): string {
  const rows = tried
    .toSorted((a, b) => Number(isOpen(b)) - Number(isOpen(a)))
    .map((each) => [
      isOpen(each) ? '!' : '',
      each.service,
      each.kind,
      isIPv6(each.address) ? `[${each.address}]:${each.port}` : `${each.address}:${each.port}`,
      each.verdict,
      isOpen(each) ? `${each.detail}: ${ADVICE[each.kind]}` : each.detail,
    ]);
  const open = tried.filter(isOpen).length;
  const summary = `${tried.length} ways tried, ${open === 0 ? 'none' : open} around the waypoint\n`;
  return `${table(['', 'SERVICE', 'BY', 'TRIED', 'RESULT', 'DETAIL'], rows)}\n${summary}`;
}

function asJson(tried: readonly Tried[]): string {
  const ways = tried.map(({ service, kind, address, port, verdict, detail }) => ({
    ...{ service, kind, address, port, verdict, detail },
  }));
  return readableJson({ open: tried.filter(isOpen).length, ways });
}

function tell(message: string): void {
  process.stderr.write(`waypoint verify: ${message}\n`);
}
