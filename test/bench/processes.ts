// The child processes of a run and its scratch folder: started here, ended here, whatever happens.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const OUTPUT_LIMIT = 16_384;

export interface Running {
  readonly name: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const children = new Map<ChildProcess, string>();
let scratch: string | null = null;

/** A folder of this run, removed with everything in it at the end. */
export function scratchFolder(prefix: string): string {
  scratch ??= mkdtempSync(join(tmpdir(), 'waypoint-bench-'));
  return mkdtempSync(join(scratch, `${prefix}-`));
}

/** Starts a server; its output is kept back and shown only if it ends before it is told to. */
export function start(name: string, command: string, args: readonly string[]): Running {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.set(child, name);
  let output = '';
  let stopping = false;
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-OUTPUT_LIMIT);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.on('error', (error) => keep(Buffer.from(`${error.message}\n`)));
  const ended = new Promise<void>((resolve) => {
    child.on('close', (code) => {
      children.delete(child);
      if (!stopping) process.stderr.write(`${name} ended early (exit code ${code}):\n${output}\n`);
      resolve();
    });
  });
  const stop = async (): Promise<void> => {
    stopping = true;
    // SIGQUIT is nginx' graceful end; here the connections are ours and nothing is worth waiting for.
    child.kill('SIGTERM');
    const impatience = setTimeout(() => child.kill('SIGKILL'), 2000);
    await ended;
    clearTimeout(impatience);
  };
  return { name, pid: child.pid ?? -1, stop };
}

/** Runs a command to its end and returns what it printed; throws with its errors when it fails. */
export function complete(command: string, args: readonly string[], timeoutMs: number): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
  children.set(child, command);
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      children.delete(child);
      if (code === 0) resolve(output);
      else reject(new Error(`${command} ${args.join(' ')}: ended with ${signal ?? code}\n${output}${errors}`));
    });
  });
}

/** A TCP port of 127.0.0.1 that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Resolves when the port accepts connections; returns the time waited. */
export async function untilListening(port: number, timeoutMs: number): Promise<number> {
  const startedAt = performance.now();
  while (!(await accepts(port))) {
    if (performance.now() - startedAt > timeoutMs)
      throw new Error(`nothing listens on 127.0.0.1:${port} after ${timeoutMs} ms`);
    await sleep(5);
  }
  return performance.now() - startedAt;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

/** Is the program of this Debian package on the path? */
export function installed(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;
}

/** Ends everything that still runs and removes the scratch folder. Safe to call twice, and from a signal. */
export function endAll(): void {
  for (const child of children.keys()) child.kill('SIGTERM');
  for (const child of children.keys()) child.kill('SIGKILL');
  if (scratch !== null) rmSync(scratch, { recursive: true, force: true });
  scratch = null;
}
