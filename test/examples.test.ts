// Every example is right as it stands, alone and beside the others, with the certificates that it says how to make.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CredentialsDirectory } from '../gateway-api/credentials/directory.ts';
import { DEFAULT_ENVIRONMENT, type Environment } from '../gateway-api/environment.ts';
import { analyse } from '../gateway-api/findings.ts';
import { trafficPolicy } from '../gateway-api/schemas/traffic-policy.ts';
import { Store } from '../gateway-api/store.ts';
import { translate } from '../gateway-api/translate.ts';
import { FILTER_KINDS } from '../policies/index.ts';

const FOLDER = new URL('../manifests/examples/', import.meta.url);

const texts = new Map(readdirSync(FOLDER).map((file) => [file, readFileSync(new URL(file, FOLDER), 'utf8')]));

/** What an example says how its certificates are made. */
const MAKING = /^# {3}((?:mkdir|new|sign)\b.*)$/gm;

const POLICIES: readonly string[] = ['TrafficPolicy', 'XBackendTrafficPolicy', 'BackendTLSPolicy', 'XBackend'];

describe('examples', () => {
  let environment: Environment;
  let folder = '';

  before(function () {
    if (spawnSync('openssl', ['version']).status !== 0) {
      process.stderr.write('    openssl is not installed: the examples are not tried (apt-get install openssl)\n');
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'waypoint-examples-'));
    for (const [file, text] of texts) {
      const lines = [...text.matchAll(MAKING)].map(([, line]) => line);
      const made = spawnSync('sh', ['-ec', lines.join('\n')], { cwd: folder, encoding: 'utf8' });
      assert.equal(made.status, 0, `${file}: ${made.stderr}`);
    }
    const warn = assert.fail;
    const directory = new CredentialsDirectory(join(folder, 'certs'), { onChange() {}, log: { warn, info: warn } });
    directory.load();
    directory.close();
    environment = { ...DEFAULT_ENVIRONMENT, credentials: directory.credentials, now: Date.now() };
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [file, text] of texts) {
    it(`${file} is valid and complete on its own`, () => {
      const store = new Store();
      store.apply(file, text);
      const translation = translate(store.resources, environment, null);
      assert.deepEqual([...store.findings, ...analyse(store.resources, translation)], []);
      const addresses = [...translation.snapshot.binds.values()].map(({ address }) => address);
      assert.ok(addresses.length > 1 && addresses.every((address) => address.startsWith('127.')), addresses.join(' '));
      assert.ok(translation.snapshot.tables.size > 0);
    });

    it(`${file} says how to run it`, () => {
      assert.ok(text.startsWith('# '));
      assert.match(
        text,
        new RegExp(`#   npx waypoint run( --zone west| --credentials certs)? --config manifests/examples/${file}\n`),
      );
    });
  }

  it('can be served together', () => {
    const store = new Store();
    for (const [file, text] of texts) store.apply(file, text);
    const translation = translate(store.resources, environment, null);
    assert.deepEqual([...store.findings, ...analyse(store.resources, translation)], []);
    assert.equal(translation.snapshot.binds.size, 2 * texts.size);
  });

  for (const section of Object.keys(trafficPolicy.properties!['spec']!.properties!)) {
    it(`one shows ${section} of a TrafficPolicy`, () => {
      assert.ok([...texts.values()].some((text) => text.includes(`\n  ${section}:`)));
    });
  }

  it('every policy is in force, in the mode that it asks for', () => {
    for (const [file, text] of texts) {
      const store = new Store();
      store.apply(file, text);
      const { statuses } = translate(store.resources, environment, null);
      for (const status of statuses.values()) {
        if (!POLICIES.includes(status.kind) || !('ancestors' in status)) continue;
        const conditions = status.ancestors.flatMap((ancestor) => ancestor.conditions);
        assert.ok(conditions.length > 0 && conditions.every((each) => each.status === 'True'), `${file} ${status.key}`);
        assert.ok(!conditions.some(({ type }) => type === 'Conflicted'), `${file} ${status.key}`);
      }
    }
  });

  for (const type of [...FILTER_KINDS.keys(), 'RequestMirror']) {
    it(`one shows ${type}`, () => {
      assert.ok([...texts.values()].some((text) => text.includes(`- type: ${type}\n`)));
    });
  }
});
