// Hosts on a network of their own, made of Linux network namespaces on a bridge; all of it goes with the test.

import { type ChildProcess, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const PREFIX = `wp${process.pid}`;
/** /24, seen from nowhere else. */
const NET = '10.200.0';

/** Why no such network can be made here; '' when it can. */
export function whyNoNetwork(): string {
  if (process.platform !== 'linux') return 'network namespaces are made on Linux alone';
  if (process.getuid?.() !== 0) return 'network namespaces are made by root alone';
  for (const tool of ['ip', 'nft', 'curl']) {
    if (spawnSync(tool, ['-V']).error !== undefined)
      return `${tool} is not installed (apt-get install iproute2 nftables curl)`;
  }
  const probe = `${PREFIX}-probe`;
  try {
    const made = spawnSync('ip', ['netns', 'add', probe], { encoding: 'utf8' });
    if (made.status !== 0) return `no network namespace can be made: ${made.stderr.trim()}`;
    const nat = 'table ip t { chain c { type nat hook output priority -100; ip daddr 10.0.0.1 dnat to 10.0.0.2\n}\n}\n';
    const loaded = inside(probe, ['nft', '-f', '-'], nat);
    return loaded.code === 0 ? '' : `this kernel does not redirect by nftables: ${loaded.stderr.trim()}`;
  } finally {
    spawnSync('ip', ['netns', 'del', probe]);
  }
}

export class Network {
  readonly #names: string[] = [];
  readonly #children: ChildProcess[] = [];
  /** The test process may end in any way. */
  readonly #onExit = (): void => this.#remove();

  /** `hosts`: their last bytes by name; each has the addresses `10.200.0.<byte>` and its loopback. */
  constructor(hosts: Readonly<Record<string, number>>) {
    process.on('exit', this.#onExit);
    this.#namespace('bridge');
    this.#ip('-n', nameOf('bridge'), 'link', 'add', 'br0', 'type', 'bridge');
    this.#ip('-n', nameOf('bridge'), 'link', 'set', 'br0', 'up');
    for (const [name, byte] of Object.entries(hosts)) this.#host(name, byte);
  }

  static address(byte: number): string {
    return `${NET}.${byte}`;
  }

  /** Runs a command on a host to its end. */
  run(host: string, argv: readonly string[], input: string = ''): Ran {
    return inside(nameOf(host), argv, input);
  }

  /** The same for commands that must succeed. */
  must(host: string, argv: readonly string[], input: string = ''): string {
    const { code, stdout, stderr } = this.run(host, argv, input);
    if (code !== 0) throw new Error(`${host}: ${argv.join(' ')}: ${code}: ${stderr}`);
    return stdout;
  }

  /** Starts a program on a host; it ends with the network. */
  start(host: string, argv: readonly string[]): ChildProcess {
    const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('WAYPOINT_')));
    const child = spawn('ip', ['netns', 'exec', nameOf(host), ...argv], { env: clean });
    this.#children.push(child);
    return child;
  }

  /** Names are looked up there from now on. */
  resolver(host: string, address: string): void {
    const folder = `/etc/netns/${nameOf(host)}`;
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/resolv.conf`, `nameserver ${address}\noptions timeout:1 attempts:3\n`);
  }

  async close(): Promise<void> {
    const living = this.#children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    await Promise.all(
      living.map((child) => {
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        return gone;
      }),
    );
    this.#remove();
    process.off('exit', this.#onExit);
  }

  #host(name: string, byte: number): void {
    this.#namespace(name);
    const [own, bridge] = [nameOf(name), nameOf('bridge')];
    this.#ip('-n', own, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', `to-${byte}`, 'netns', bridge);
    this.#ip('-n', bridge, 'link', 'set', `to-${byte}`, 'master', 'br0', 'up');
    this.#ip('-n', own, 'addr', 'add', `${Network.address(byte)}/24`, 'dev', 'eth0');
    this.#ip('-n', own, 'link', 'set', 'eth0', 'up');
  }

  #namespace(name: string): void {
    this.#names.push(name);
    this.#ip('netns', 'add', nameOf(name));
    this.#ip('-n', nameOf(name), 'link', 'set', 'lo', 'up');
  }

  #ip(...argv: readonly string[]): void {
    const { status, stderr } = spawnSync('ip', argv, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`ip ${argv.join(' ')}: ${stderr}`);
  }

  #remove(): void {
    for (const child of this.#children) if (child.exitCode === null) child.kill('SIGKILL');
    for (const name of this.#names.splice(0)) {
      spawnSync('ip', ['netns', 'del', nameOf(name)]);
      rmSync(`/etc/netns/${nameOf(name)}`, { recursive: true, force: true });
    }
    try {
      rmdirSync('/etc/netns');
    } catch {
      // Never made, or others use it.
    }
  }
}

function nameOf(host: string): string {
  return `${PREFIX}-${host}`;
}

function inside(namespace: string, argv: readonly string[], input: string): Ran {
  const done: SpawnSyncReturns<string> = spawnSync('ip', ['netns', 'exec', namespace, ...argv], {
    encoding: 'utf8',
    input,
  });
  return { code: done.status, stdout: done.stdout, stderr: done.stderr };
}
