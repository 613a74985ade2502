// A waypoint as its own process, for what only a process can show: signals, exit codes, a process id that stays.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AccessLog } from './access-log.ts';
import { call } from './call.ts';
import { documents, type Manifest } from './manifests.ts';
import { freePort } from './ports.ts';
import { eventually } from './signal.ts';

const ENTRY = new URL('../../waypoint/cli/bin.js', import.meta.url).pathname;

export class WaypointProcess {
  readonly log: AccessLog = new AccessLog();
  readonly admin: number;
  stderr = '';
  exit: { readonly code: number | null; readonly signal: string | null; readonly at: number } | null = null;
  readonly #process: ChildProcess;
  readonly #dir: string;

  private constructor(process: ChildProcess, dir: string, admin: number) {
    this.#process = process;
    this.#dir = dir;
    this.admin = admin;
    process.stdout?.on('data', (chunk: Buffer) => this.log.add(chunk.toString()));
    process.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    process.on('exit', (code, signal) => {
      this.exit = { code, signal, at: performance.now() };
    });
  }

  /** Starts it and waits until it is ready. */
  static async start(objects: readonly Manifest[], flags: readonly string[] = []): Promise<WaypointProcess> {
    const dir = await mkdtemp(join(tmpdir(), 'waypoint-child-'));
    const file = join(dir, 'config.yaml');
    await writeFile(file, documents(objects));
    const admin = await freePort();
    const fixed = ['run', '--config', file, '--admin', `127.0.0.1:${admin}`, '--workers', '1', '--log-level', 'error'];
    const started = spawn(process.execPath, [ENTRY, ...fixed, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
    const child = new WaypointProcess(started, dir, admin);
    await eventually(() => child.#isReady(), 'the process to be ready', 10_000);
    return child;
  }

  signal(name: 'SIGTERM' | 'SIGINT'): void {
    this.#process.kill(name);
  }

  /** Status of /ready, 0 when nobody answers. */
  async ready(): Promise<number> {
    try {
      return (await call(this.admin, { path: '/ready', host: `127.0.0.1:${this.admin}` })).status;
    } catch {
      return 0;
    }
  }

  async exited(timeoutMs: number): Promise<{ readonly code: number | null; readonly signal: string | null }> {
    return eventually(() => this.exit, `the process to exit: ${this.stderr}`, timeoutMs);
  }

  async close(): Promise<void> {
    if (this.exit === null) {
      const exited = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await exited;
    }
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #isReady(): Promise<boolean> {
    if (this.exit !== null) throw new Error(`exited with ${this.exit.code}: ${this.stderr}`);
    return (await this.ready()) === 200;
  }
}
