// The rooms import in one direction only, and they run on the Node they were written for.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { violations } from './harness/directions.ts';

const ROOT = join(import.meta.dirname, '..');

describe('import directions', () => {
  it('hold in every file', () => {
    assert.deepEqual(violations(ROOT), []);
  });

  const seeds: readonly (readonly [name: string, file: string, text: string, allowed: boolean])[] = [
    ['routing imports Node', 'routing/seed.ts', "import { isIP } from 'node:net';", false],
    ['routing imports a package', 'routing/seed.ts', "import { RE2JS } from 're2js';", false],
    ['patterns import re2js', 'routing/pattern.ts', "import { RE2JS } from 're2js';", true],
    ['routing imports a type of policies', 'routing/seed.ts', "import type { P } from '../policies/plan.ts';", false],
    ['policies imports gateway-api', 'policies/seed.ts', "export { r } from '../gateway-api/resources.ts';", false],
    [
      'policies imports over several lines',
      'policies/seed.ts',
      "import {\n  a,\n} from '../waypoint/serve.ts';",
      false,
    ],
    ['gateway-api imports waypoint', 'gateway-api/seed.ts', "import '../waypoint/serve.ts';", false],
    ['gateway-api imports policies', 'gateway-api/deep/seed.ts', "import { a } from '../../policies/index.ts';", true],
    ['waypoint imports gateway-api', 'waypoint/serve.ts', "import { a } from '../gateway-api/store.ts';", false],
    ['waypoint imports it later', 'waypoint/serve.ts', "const a = await import('../gateway-api/store.ts');", false],
    [
      'the command line imports gateway-api',
      'waypoint/cli/a.ts',
      "import { a } from '../../gateway-api/store.ts';",
      true,
    ],
    ['waypoint imports a package', 'waypoint/serve.ts', "import { Pool } from 'undici';", false],
    ['health checks import an HTTP client', 'waypoint/health-probe.ts', "await import('undici');", true],
    [
      'generated messages import protobuf',
      'waypoint/protos/gen/rate-limit_pb.ts',
      "import { fileDesc } from '@bufbuild/protobuf/codegenv2';",
      true,
    ],
    ['breakers import opossum', 'waypoint/external/breakers.ts', "await import('opossum');", true],
    [
      'a check imports protobuf',
      'waypoint/external/auth-grpc.ts',
      "import { create } from '@bufbuild/protobuf';",
      true,
    ],
    ['waypoint imports protobuf', 'waypoint/serve.ts', "import { create } from '@bufbuild/protobuf';", false],
    [
      'the Workload API is asked by gRPC',
      'waypoint/credentials/workload-api.ts',
      "await import('@grpc/grpc-js');",
      true,
    ],
    ['its answers are read without', 'waypoint/credentials/svid.ts', "import { Client } from '@grpc/grpc-js';", false],
    ['the DNS codec imports its package', 'waypoint/redirect/dns/codec.ts', "import dns from 'dns-packet';", true],
    ['signatures of tokens import JOSE', 'waypoint/jwt/signature.ts', "await import('jose');", true],
    ['the data path imports JOSE', 'waypoint/exchange.ts', "await import('jose');", false],
    ['the fetcher of keys imports a breaker', 'waypoint/jwt/jwks-fetcher.ts', "await import('opossum');", true],
    ['waypoint imports tests', 'waypoint/serve.ts', "import { a } from '../test/harness/wire.ts';", false],
    ['a test imports the harness', 'waypoint/a.test.ts', "import { a } from '../test/harness/wire.ts';", true],
    ['a test of routing imports waypoint', 'routing/a.test.ts', "import { a } from '../waypoint/serve.ts';", false],
  ];
  for (const [name, file, text, allowed] of seeds) {
    it(`${allowed ? 'allow' : 'reject'}: ${name}`, () => {
      assert.equal(violationsOf(file, text).length, allowed ? 0 : 1);
    });
  }
});

describe('the runtime', () => {
  it('is at least the Node that package.json asks for', () => {
    const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { engines: { node: string } };
    const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
    assert.equal(engines.node, '>=26.10.0');
    assert.ok(major > 26 || (major === 26 && minor >= 10), `this is Node ${process.versions.node}`);
  });
});

/** Violations in a tree that holds this one file. */
function violationsOf(file: string, text: string): string[] {
  const root = mkdtempSync(join(tmpdir(), 'waypoint-direction-'));
  try {
    for (const room of ['routing', 'policies', 'gateway-api', 'waypoint']) mkdirSync(join(root, room));
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), `${text}\n`);
    return violations(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
