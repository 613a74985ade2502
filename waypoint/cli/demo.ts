// `waypoint demo`: a small shop behind a waypoint on loopback, with what to try printed as curl lines.

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative, resolve, sep } from 'node:path';
import { parseRunOptions } from '../config.ts';
import { run } from '../main.ts';
import { demoCertificates } from './demo-certificates.ts';
import { SERVICE_PORT, startSampleServices } from './demo-services.ts';
import { DEMO_NETWORK, type DemoPlace, demoDns, demoTour } from './demo-tour.ts';

const NETWORK_VARIABLE = 'WAYPOINT_DEMO_NETWORK';
/** By last part of the address: what the manifests make the waypoint listen on, and its admin page. */
const PORTS: readonly (readonly [host: number, port: number])[] = [
  [1, 8880],
  [1, 8443],
  [1, 15_080],
  [1, 15_000],
  ...[2, 3, 4, 5, 6, 7, 8].map((host) => [host, 8880] as const),
  ...[101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111].map((host) => [host, SERVICE_PORT] as const),
];

/** Serves the demo until SIGINT or SIGTERM; returns the exit code. */
export async function demo(env: Readonly<Record<string, string | undefined>>): Promise<number> {
  const network = env[NETWORK_VARIABLE] ?? DEMO_NETWORK;
  if (!/^127(\.[0-9]{1,3}){2}$/.test(network)) {
    process.stderr.write(`${NETWORK_VARIABLE}: '${network}' is not the first three parts of a loopback address\n`);
    return 2;
  }
  const taken = await takenAddress(network);
  if (taken !== null) {
    process.stderr.write(
      `waypoint demo: ${taken} (does another demo run?)\n` +
        `Stop what uses it, or give this one a network of its own: ${NETWORK_VARIABLE}=127.0.11 npm start\n`,
    );
    return 1;
  }
  const manifests = manifestsFor(network);
  const certificates = demoCertificates(`${network}.1`);
  try {
    await serve({ network, waypoint: 'npx waypoint', certificates: certificates.folder }, manifests.folder);
  } finally {
    certificates.discard();
    manifests.discard();
  }
  return 0;
}

async function serve(place: DemoPlace, folder: string): Promise<void> {
  const ended = untilSignal();
  const services = await startSampleServices(place.network);
  const waypoint = await run(optionsFor(place, folder));
  process.stdout.write(introduction(place, folder));
  await ended;
  process.stdout.write('\nThe demo ends.\n');
  await waypoint.close();
  await services.close();
}

function optionsFor({ network, certificates }: DemoPlace, folder: string): Parameters<typeof run>[0] {
  const flags = ['--config', folder, '--credentials', certificates, '--admin', `${network}.1:15000`, '--workers', '1'];
  const { host, port } = demoDns(network);
  const parsed = parseRunOptions([...flags, '--access-log', 'text', '--dns', `${host}:${port}`], {});
  if ('errors' in parsed) throw new Error(`the demo's own options are wrong: ${parsed.errors.join('; ')}`);
  return parsed.options;
}

/**
 * In a working copy the files of the repository, to be edited in place; from an installed package, or for another
 * network, a copy that goes with the demo.
 */
function manifestsFor(network: string): { readonly folder: string; discard(): void } {
  const shipped = shippedManifests();
  const installed = shipped.split(sep).includes('node_modules');
  if (!installed && network === DEMO_NETWORK) return { folder: shipped, discard: () => {} };
  const folder = mkdtempSync(join(tmpdir(), 'waypoint-demo-'));
  cpSync(shipped, folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(`${DEMO_NETWORK}.`, `${network}.`));
  }
  return { folder, discard: () => rmSync(folder, { recursive: true, force: true }) };
}

/** manifests/demo beside the sources, or one folder further up from the compiled ones in dist. */
function shippedManifests(): string {
  const root = resolve(import.meta.dirname, '../..');
  return join(root.endsWith(`${sep}dist`) ? resolve(root, '..') : root, 'manifests', 'demo');
}

async function takenAddress(network: string): Promise<string | null> {
  const addresses = PORTS.map(([last, port]) => ({ host: `${network}.${last}`, port }));
  for (const { host, port } of [...addresses, demoDns(network)]) {
    const error = await tryToListen(host, port);
    if (error === 'EADDRINUSE') return `${host}:${port} is in use`;
    if (error !== null) return `${host}:${port} cannot be had: ${error}`;
  }
  return null;
}

function tryToListen(host: string, port: number): Promise<string | null> {
  const server = createServer();
  return new Promise((resolve) => {
    server.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

function introduction(place: DemoPlace, folder: string): string {
  const { network, waypoint, certificates } = place;
  const shown = relative(process.cwd(), folder).startsWith('..') ? folder : relative(process.cwd(), folder);
  const dns = demoDns(network);
  const steps = demoTour(place).map(({ title, command, shows }) => `  ${title}\n    ${command}\n      → ${shows}\n`);
  return `
A small shop behind its waypoint. Each request you send is a line of text here.

  resources    ${shown}
  admin        http://${network}.1:15000  (/ready /statuses /endpoints /metrics /config)
  names        DNS at ${dns.host}:${dns.port}
  certificates ${certificates}
  check        ${waypoint} check ${shown} --credentials ${certificates}

Try, in another terminal:

${steps.join('\n')}
Edit a route and see the next request follow it: make v2 the only version with
    sed -i 's/weight: 90/weight: 0/' ${join(shown, 'orders.yaml')}
and repeat the canary. A mistake is told here with its line, and the rest goes on being served.

Ctrl-C ends the demo.

`;
}

function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}
