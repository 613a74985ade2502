// A waypoint inside the test process: its files in a temporary folder, its log captured, its leavings counted.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_LIMITS, type Limits, type RunOptions } from '../../waypoint/config.ts';
import { type RunningWaypoint, run } from '../../waypoint/main.ts';
import type { LookUp } from '../../waypoint/name-resolver.ts';
import { AccessLog } from './access-log.ts';
import { type Answered, call } from './call.ts';
import { assertNothingLeft, type Census, census } from './leaks.ts';
import { documents, type Manifest } from './manifests.ts';
import { RawClient } from './raw-client.ts';
import { eventually } from './signal.ts';

export type Files = Readonly<Record<string, string | readonly Manifest[]>>;

export type Settings = Partial<Omit<RunOptions, 'config' | 'limits'>> & { readonly limits?: Partial<Limits> };

export class Waypoint {
  readonly running: RunningWaypoint;
  readonly dir: string;
  readonly log: AccessLog;
  /** What the operator was told. */
  readonly messages: readonly string[];
  /** Workers that the test lets die; any other death fails it (I3). */
  deaths = 0;
  readonly #before: Census;
  readonly #release: () => void;

  private constructor(running: RunningWaypoint, dir: string, captured: Capture, before: Census) {
    this.running = running;
    this.dir = dir;
    this.log = captured.log;
    this.messages = captured.messages;
    this.#release = captured.release;
    this.#before = before;
  }

  /** `lookUp` answers for names outside. */
  static async start(files: Files, settings: Settings = {}, lookUp?: LookUp): Promise<Waypoint> {
    const dir = await mkdtemp(join(tmpdir(), 'waypoint-e2e-'));
    for (const [name, content] of Object.entries(files)) await put(dir, name, content);
    const before = census();
    const captured = captureOutput();
    try {
      const options = { ...runOptions(dir), ...settings, limits: { ...DEFAULT_LIMITS, ...settings.limits } };
      const running = await run(options, lookUp);
      return new Waypoint(running, dir, captured, before);
    } catch (error) {
      captured.release();
      throw error;
    }
  }

  /** Writes a file as an editor does, by renaming a new one over it; returns at once. */
  async write(name: string, content: string | readonly Manifest[]): Promise<void> {
    await put(this.dir, name, content);
  }

  /** Writes a file and waits until the configuration that is served has changed. */
  async apply(name: string, content: string | readonly Manifest[]): Promise<void> {
    await this.changed(() => put(this.dir, name, content));
  }

  async remove(name: string): Promise<void> {
    await this.changed(() => rm(join(this.dir, name)));
  }

  async changed(act: () => Promise<void>): Promise<void> {
    const before = await this.version();
    await act();
    await eventually(async () => (await this.version()) !== before, 'a new configuration to be served');
  }

  /** The version every worker serves. */
  async version(): Promise<number> {
    const page = await this.admin('/config');
    return (JSON.parse(page.body) as { version: number }).version;
  }

  async admin(path: string, method: string = 'GET'): Promise<Answered> {
    const { hostname, port, host } = new URL(this.running.admin as string);
    return call(Number(port), { path, method, host }, hostname);
  }

  /** Closes it and fails if anything is left behind or a worker died of itself. */
  async close(): Promise<void> {
    await this.running.close();
    this.#release();
    await RawClient.destroyAll();
    await rm(this.dir, { recursive: true, force: true });
    const died = this.messages.filter((message) => message.includes('died'));
    assert.equal(died.length, this.deaths, died.join(''));
    await assertNothingLeft(this.#before);
  }
}

function runOptions(dir: string): RunOptions {
  return {
    config: [dir],
    bind: '127.0.0.1',
    workers: 1,
    admin: { host: '127.0.0.1', port: 0 },
    gateway: null,
    accessLog: 'json',
    stateDir: null,
    zone: null,
    sessionKey: null,
    logLevel: 'error',
    clusterDomain: 'cluster.local',
    pathNormalization: 'merge-slashes',
    trustedProxies: [],
    trustDomain: 'cluster.local',
    trustDomainAliases: [],
    credentials: null,
    spiffeEndpointSocket: null,
    proxyProtocolFrom: [],
    allowExternalName: false,
    egressAllow: [],
    jwksRefreshMs: 300_000,
    jwksStaleMs: 7_200_000,
    servicePorts: null,
    clientNamespaces: [],
    dns: null,
    dnsUpstream: null,
    dnsClients: [],
    dnsRate: 1000,
    drainDelayMs: 0,
    drainTimeoutMs: 1000,
    limits: DEFAULT_LIMITS,
  };
}

async function put(dir: string, name: string, content: string | readonly Manifest[]): Promise<void> {
  const text = typeof content === 'string' ? content : documents(content);
  const fresh = join(dir, `.${name}.new`);
  await writeFile(fresh, text);
  await rename(fresh, join(dir, name));
}

interface Capture {
  readonly log: AccessLog;
  readonly messages: string[];
  readonly release: () => void;
}

const MESSAGE = /^\d{4}-\d\d-\d\dT\S+ (error|warn|info|debug) /;

/** Takes file descriptor 1 as the access log and operator messages off standard error; everything else passes. */
function captureOutput(): Capture {
  const log = new AccessLog();
  const messages: string[] = [];
  const { write } = fs;
  const { write: writeError } = process.stderr;
  const captured = (fd: number, data: Uint8Array, offset: number, length: number, ...rest: unknown[]): void => {
    const done = rest.at(-1) as (error: Error | null, written: number) => void;
    if (fd !== 1) {
      Reflect.apply(write, fs, [fd, data, offset, length, ...rest]);
      return;
    }
    log.add(Buffer.from(data.buffer, data.byteOffset + offset, length).toString('latin1'));
    setImmediate(() => done(null, length));
  };
  fs.write = captured as typeof fs.write;
  process.stderr.write = ((...args: unknown[]): boolean => {
    if (typeof args[0] !== 'string' || !MESSAGE.test(args[0])) return Reflect.apply(writeError, process.stderr, args);
    messages.push(args[0]);
    return true;
  }) as typeof writeError;
  return {
    log,
    messages,
    release: () => {
      fs.write = write;
      process.stderr.write = writeError;
    },
  };
}
