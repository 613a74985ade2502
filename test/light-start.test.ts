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

  it('an import of node:http would be seen', () => {
    assert.equal(loadedBy('node:http').filter(isUndici).length, 1);
  });
});
