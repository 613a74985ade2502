// The waypoint from its compiled package: metrics on, access log off, its routes from files.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Backend } from '../backend.ts';
import { type Fleet, writeManifests } from '../manifests.ts';
import { freePort, scratchFolder, start } from '../processes.ts';
import type { Contender, Scheme } from './contender.ts';

export interface WaypointContender extends Contender {
  /** Where its resources are: rows edit them. */
  readonly folder: string;
  /** From the start of the process to the first 200 of `/ready`. */
  readonly readyMs: number;
}

export interface WaypointSettings {
  readonly name: string;
  readonly executable: string;
  readonly workers: number;
  readonly fleet: Fleet;
  /** Of its listener; http unless said otherwise. */
  readonly scheme?: Scheme;
}

export async function startWaypoint(backend: Backend, settings: WaypointSettings): Promise<WaypointContender> {
  const folder = scratchFolder('resources');
  const port = await freePort();
  const admin = await freePort();
  const scheme = settings.scheme ?? 'http';
  writeManifests(folder, { port, scheme }, backend, settings.fleet);
  const startedAt = performance.now();
  const running = start(settings.name, process.execPath, [
    ...[settings.executable, 'run', '--config', folder, '--workers', String(settings.workers)],
    ...['--admin', `127.0.0.1:${admin}`, '--access-log', 'off', '--log-level', 'warn'],
    ...['--max-connections', '12000', '--drain-delay', '0s', '--drain-timeout', '1s'],
  ]);
  await untilReady(admin, 60_000);
  return { ...running, port, scheme, folder, readyMs: performance.now() - startedAt };
}

async function untilReady(admin: number, timeoutMs: number): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  while (performance.now() < giveUpAt) {
    const ready = await fetch(`http://127.0.0.1:${admin}/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await sleep(5);
  }
  throw new Error(`waypoint: /ready on port ${admin} is not 200 after ${timeoutMs} ms`);
}
