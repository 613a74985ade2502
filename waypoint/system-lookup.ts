// Looks names up as this host would: its hosts file, then DNS with the time that answers hold, then whatever else it knows.

import type { Answer } from './name-resolver.ts';

/** How long an answer holds that says nothing about it. */
const UNKNOWN_TTL_MS = 30_000;
const TIMEOUT_MS = 2_000;
const TRIES = 2;

/** Of both families that this host has; A and AAAA are asked for at once, the shorter time holds. @throws why there is no address. */
export async function systemLookup(name: string): Promise<Answer> {
  const listed = await hostsFile(name);
  if (listed.length > 0) return { addresses: listed, ttlMs: UNKNOWN_TTL_MS };
  const { promises } = process.getBuiltinModule('node:dns');
  const resolver = new promises.Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  const outcomes = await Promise.allSettled(
    families().map((family) =>
      family === 4 ? resolver.resolve4(name, { ttl: true }) : resolver.resolve6(name, { ttl: true }),
    ),
  );
  const found = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
  if (found.length > 0) {
    const seconds = Math.min(...found.map(({ ttl }) => ttl));
    return { addresses: found.map(({ address }) => address), ttlMs: seconds * 1000 };
  }
  return { addresses: await anyOther(name, outcomes), ttlMs: UNKNOWN_TTL_MS };
}

/** What neither file nor DNS knows, the host may all the same: mDNS, the search list, a name service switch. */
async function anyOther(name: string, outcomes: readonly PromiseSettledResult<unknown>[]): Promise<readonly string[]> {
  try {
    const found = await process.getBuiltinModule('node:dns').promises.lookup(name, { all: true });
    return found.map(({ address }) => address);
  } catch (error) {
    const told = outcomes.find((outcome) => outcome.status === 'rejected' && outcome.reason.code !== 'ENODATA');
    throw told === undefined ? error : (told as PromiseRejectedResult).reason;
  }
}

/** Those of which an interface has an address that leads out; both where none has. */
function families(): readonly (4 | 6)[] {
  const all = Object.values(process.getBuiltinModule('node:os').networkInterfaces()).flatMap((each) => each ?? []);
  const outward = all.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  const known = ([4, 6] as const).filter((family) => outward.some((each) => each.family === `IPv${family}`));
  return known.length === 0 ? [4, 6] : known;
}

/** hosts(5); a file that cannot be read lists nothing. */
async function hostsFile(name: string): Promise<readonly string[]> {
  const { promises } = process.getBuiltinModule('node:fs');
  const path = process.platform === 'win32' ? 'C:\\Windows\\System32\\drivers\\etc\\hosts' : '/etc/hosts';
  const text = await promises.readFile(path, 'utf8').catch(() => '');
  return listedIn(text, name);
}

/** The addresses of a lower-case name in the text of a hosts file. */
export function listedIn(hosts: string, name: string): readonly string[] {
  const addresses: string[] = [];
  for (const line of hosts.split('\n')) {
    const [address, ...names] = line.split('#', 1)[0]!.trim().split(/\s+/);
    if (address && names.some((each) => each.toLowerCase() === name)) addresses.push(address);
  }
  return addresses;
}
