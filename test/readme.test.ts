// What README tells people to type works: every block marked `sh` is run, and shows what its arrows promise.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LinkedFolder } from './harness/linked.ts';

const ROOT = join(import.meta.dirname, '..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
/** Loopback addresses of this run, so that two runs on one machine do not meet. */
const NETWORK = `127.${10 + (process.pid % 200)}.20.`;

/** Commands that cannot run inside the tests, and what runs them instead. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'npm ci && npm start': '.ci/run installs, demo.test.ts starts the demo',
  'npm test': 'this is it',
  'npm run check': '.ci/run',
  'npm run bench': 'takes minutes and needs other proxies',
};

const blocks = [...README.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1] as string);

describe('README', function () {
  this.timeout(60_000);
  let linked: LinkedFolder | null = null;
  const groups: number[] = [];

  before(function () {
    if (spawnSync('curl', ['--version']).status !== 0) {
      process.stderr.write('    curl is not installed: README is not tried (apt-get install curl)\n');
      this.skip();
    }
    linked = new LinkedFolder();
  });

  after(() => {
    for (const group of groups) endGroup(group);
    linked?.remove();
  });

  it('has commands to run', () => {
    assert.ok(blocks.some((block) => !elsewhere(block)));
  });

  for (const [index, block] of blocks.entries()) {
    if (elsewhere(block)) continue;
    it(`block ${index + 1}: ${block.split('\n')[0]}`, async () => {
      const { output, code, group } = await runBlock(block.replaceAll('127.0.20.', NETWORK), linked as LinkedFolder);
      groups.push(group);
      assert.equal(code, 0, output);
      let from = 0;
      for (const [, expected] of block.matchAll(/^# → (.*)$/gm)) {
        const at = output.indexOf(expected as string, from);
        assert.ok(at >= 0, `'${expected}' is not shown:\n${output}`);
        from = at + (expected as string).length;
      }
    });
  }

  it('names no file that does not exist', () => {
    const named = [...README.matchAll(/`((?:routing|policies|gateway-api|waypoint|manifests|test)\/[\w./-]*)`/g)];
    const missing = named.map((match) => match[1] as string).filter((path) => !existsSync(join(ROOT, path)));
    assert.deepEqual(missing, []);
  });
});

function elsewhere(block: string): boolean {
  const lines = block.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.every((line) => ELSEWHERE[line] !== undefined);
}

/** Runs the block in a process group of its own: what it leaves in the background serves the blocks behind it. */
function runBlock(
  block: string,
  linked: LinkedFolder,
): Promise<{ output: string; code: number | null; group: number }> {
  const env = linked.env({ WAYPOINT_ADMIN: 'off' });
  // Scripts of package.json are for a working copy.
  const cwd = block.startsWith('npm run ') ? ROOT : linked.path;
  const child = spawn('sh', ['-e', '-c', block], { cwd, env, detached: true });
  const group = child.pid as number;
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    const impatience = setTimeout(() => endGroup(group), 40_000);
    // Not 'close': what runs on in the background keeps the pipes open.
    child.on('exit', (code) => {
      clearTimeout(impatience);
      setImmediate(() => resolve({ output, code, group }));
    });
  });
}

function endGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // All of them ended by themselves.
  }
}
