// Every command that the demo prints, run as printed, shows what the demo says it shows.

import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { demoTour, type TourStep } from '../waypoint/cli/demo-tour.ts';
import { LinkedFolder } from './harness/linked.ts';
import { eventually } from './harness/signal.ts';

const BIN = join(import.meta.dirname, '../waypoint/cli/bin.js');
const NETWORK = `127.${10 + (process.pid % 200)}.10`;
const linked = new LinkedFolder();
const ENV = linked.env({ WAYPOINT_DEMO_NETWORK: NETWORK });

describe('waypoint demo', function () {
  this.timeout(30_000);
  let demo: Demo;

  before(async function () {
    if (spawnSync('curl', ['--version']).status !== 0) {
      process.stderr.write('    curl is not installed: the demo is not tried (apt-get install curl)\n');
      this.skip();
    }
    demo = new Demo();
    await eventually(
      () => demo.output.includes('Ctrl-C ends the demo') || demo.ended,
      'the demo to print what to try',
      15_000,
    );
    assert.ok(!demo.ended, demo.output);
  });

  after(async () => {
    if (demo !== undefined) await demo.stop();
    linked.remove();
  });

  for (const [index, { title, needs }] of tour('').entries()) {
    it(title, async function () {
      if (needs !== undefined && spawnSync(needs, ['-v']).error !== undefined) {
        process.stderr.write(`    ${needs} is not installed: it is not tried\n`);
        this.skip();
      }
      const certificates = /^ {2}certificates +(.*)$/m.exec(demo.output)?.[1] ?? '';
      const { command, expected } = tour(certificates)[index] as TourStep;
      assert.ok(demo.output.includes(`    ${command}\n`), 'the command is not printed');
      assert.match(await shell(command), expected);
    });
  }

  it('checks its own resources without a finding', async () => {
    assert.match(await shell(printed(/npx waypoint check .*/)), /shop\/orders[\s\S]*, 0 errors, 0 warnings$/m);
  });

  it('follows an edited route', async () => {
    await shell(printed(/sed -i .*/));
    const version = `curl -s http://${NETWORK}.2:8880/version`;
    await eventually(async () => {
      const seen = await shell(`for i in 1 2 3 4 5 6 7 8; do ${version}; done | sort -u`);
      return seen === 'orders v2\n';
    }, 'version 2 to get all requests');
  });

  it('logs each request as a line of text', () => {
    assert.match(demo.output, /GET .*\/orders\/42/);
  });

  it('says which address is taken, and what to do', async () => {
    const second = new Demo();
    await once(second.process, 'close');
    assert.equal(second.process.exitCode, 1);
    assert.match(second.output, new RegExp(`${RegExp.escape(NETWORK)}\\.[0-9]+:[0-9]+ is in use`));
    assert.match(second.output, /WAYPOINT_DEMO_NETWORK=/);
  });

  it('ends with Ctrl-C', async () => {
    await demo.stop();
    assert.equal(demo.process.exitCode, 0);
  });

  function printed(pattern: RegExp): string {
    const line = pattern.exec(demo.output)?.[0];
    assert.ok(line !== undefined, `${pattern} is not printed`);
    return line;
  }
});

function tour(certificates: string): readonly TourStep[] {
  return demoTour({ network: NETWORK, waypoint: 'npx waypoint', certificates });
}

class Demo {
  readonly process: ChildProcess;
  output = '';

  constructor() {
    const child = spawn(process.execPath, [BIN, 'demo'], { cwd: linked.path, env: ENV });
    child.stdout.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.process = child;
  }

  get ended(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  async stop(): Promise<void> {
    if (this.ended) return;
    const closed = once(this.process, 'close');
    this.process.kill('SIGINT');
    const impatience = setTimeout(() => this.process.kill('SIGKILL'), 5000);
    await closed;
    clearTimeout(impatience);
  }
}

/** What the command prints, on either stream. */
function shell(command: string): Promise<string> {
  return new Promise((resolve) => {
    execFile('sh', ['-c', command], { cwd: linked.path, env: ENV, timeout: 15_000 }, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });
}
