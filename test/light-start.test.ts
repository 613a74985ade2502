// What starting costs: nothing that serving does not need is loaded, in the main thread or in a worker.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/** Node's own modules that run when these are imported. */
function loadedBy(...modules: readonly string[]): readonly string[] {
  const script = `${modules.map((module) => `await import(${JSON.stringify(module)});`).join('')}
    process.stdout.write(JSON.stringify(process.moduleLoadList));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
  return JSON.parse(output) as string[];
}

/** The packages of which a file is run when these are imported. */
function packagesOf(...modules: readonly string[]): readonly string[] {
  const script = `import { registerHooks } from 'node:module';
    const urls = [];
    registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) });
    ${modules.map((module) => `await import(${JSON.stringify(module)});`).join('')}
    process.stdout.write(JSON.stringify(urls));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
  const names = (JSON.parse(output) as string[]).map((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

const isUndici = (name: string): boolean => name.endsWith('/undici');
/** What gRPC begins with. */
const isHttp2 = (name: string): boolean => name === 'NativeModule http2';

describe('a light start', () => {
  it('undici is not run: it takes 16 MB and 40 ms of each thread', () => {
    // `waypoint/worker.ts` itself only runs inside a worker thread.
    const parts = ['waypoint/cli/run.ts', 'waypoint/listeners.ts', 'waypoint/ops/metrics.ts'];
    assert.deepEqual(loadedBy(...parts.map((part) => join(ROOT, part))).filter(isUndici), []);
  });

  it('gRPC is not run where nothing is asked over it: it takes 15 MB and 150 ms', () => {
    const parts = ['waypoint/cli/run.ts', 'waypoint/listeners.ts', 'waypoint/credentials/workload-api.ts'];
    assert.deepEqual(loadedBy(...parts.map((part) => join(ROOT, part))).filter(isHttp2), []);
    assert.equal(loadedBy('@grpc/grpc-js').filter(isHttp2).length, 1);
  });

  it('a worker runs no package before a policy asks for one', () => {
    assert.deepEqual(packagesOf(join(ROOT, 'waypoint/listeners.ts')), []);
    const asking = packagesOf(join(ROOT, 'waypoint/external/auth-grpc.ts'), 'opossum');
    assert.deepEqual(asking, ['@bufbuild/protobuf', 'opossum']);
  });

  it('the DNS server is not run where nobody asked for one', () => {
    const isDatagrams = (name: string): boolean => name.endsWith('NativeModule dgram');
    assert.deepEqual(loadedBy(join(ROOT, 'waypoint/cli/run.ts')).filter(isDatagrams), []);
    assert.equal(loadedBy(join(ROOT, 'waypoint/redirect/dns/name-server.ts')).filter(isDatagrams).length, 1);
  });

  it('an import of node:http would be seen', () => {
    assert.equal(loadedBy('node:http').filter(isUndici).length, 1);
  });
});
