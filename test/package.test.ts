// What `npm pack` makes works where there are no sources and no type stripping: compiled, installed, started.

import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  version: string;
  dependencies: Record<string, string>;
};

describe('the package', function () {
  this.timeout(120_000);
  let folder = '';
  let installed = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'waypoint-package-'));
    installed = install(folder);
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it('carries compiled JavaScript, declarations and manifests, and no sources or tests', () => {
    const files = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter(
      (file) => !file.startsWith('node_modules'),
    );
    const sources = files.filter((file) => /(?<!\.d)\.ts$/.test(file) || /\.test\./.test(file));
    assert.deepEqual(sources, []);
    for (const file of [
      'dist/waypoint/main.js',
      'dist/waypoint/main.d.ts',
      'dist/waypoint/worker.js',
      'manifests/demo/gateway.yaml',
      'LICENSE',
    ]) {
      assert.ok(files.includes(file), `${file} is missing`);
    }
  });

  it('says its version', () => {
    const { status, stdout } = waypoint(folder, ['--version']);
    assert.equal(status, 0);
    assert.match(stdout, new RegExp(RegExp.escape(MANIFEST.version)));
  });

  it('checks resources', () => {
    const { status, stdout } = waypoint(folder, ['check', join(installed, 'manifests/examples/weights.yaml')]);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /HTTPRoute weights\/orders/);
  });

  it('fails the check of what is wrong', () => {
    writeFileSync(
      join(folder, 'wrong.yaml'),
      'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 99999}]}\n',
    );
    const { status, stdout, stderr } = waypoint(folder, ['check', 'wrong.yaml']);
    assert.equal(status, 1);
    assert.match(stdout + stderr, /wrong\.yaml:4/);
  });
});

/** Packs the working copy and unpacks it as an installation would, its dependencies those that are here already. */
function install(folder: string): string {
  const packed = command(ROOT, 'npm', ['pack', '--json', '--pack-destination', folder]);
  assert.equal(packed.status, 0, packed.stderr);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) as string;
  writeFileSync(join(folder, 'package.json'), '{"name": "user", "private": true}');
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  assert.equal(command(folder, 'tar', ['-xzf', tarball, '-C', modules]).status, 0);
  const installed = join(modules, 'waypoint');
  assert.equal(command(modules, 'mv', ['package', 'waypoint']).status, 0);
  for (const name of readdirSync(join(ROOT, 'node_modules')).filter((name) => !name.startsWith('.'))) {
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  symlinkSync('../waypoint/waypoint/cli/bin.js', join(modules, '.bin/waypoint'));
  // The Node of the working copy first on the path, as the optional dependencies would put it there.
  symlinkSync(process.execPath, join(modules, '.bin/node'));
  return installed;
}

function waypoint(folder: string, args: readonly string[]): SpawnSyncReturns<string> {
  return command(folder, 'npx', ['--offline', 'waypoint', ...args]);
}

function command(cwd: string, program: string, args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(program, args, { cwd, encoding: 'utf8', timeout: 100_000 });
}
