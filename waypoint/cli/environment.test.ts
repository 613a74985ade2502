import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authority } from '../../test/harness/certificates.ts';
import { parseFlags } from '../flags.ts';
import { ENVIRONMENT_FLAGS, environmentOf } from './environment.ts';

describe('the environment of a command that serves nothing', () => {
  it('is what run would be told by the same flags', () => {
    const argv = ['--bind', '10.0.0.1', '--cluster-domain', 'corp', '--gateway', 'shop/edge', '--trust-domain', 'corp'];
    const { values, errors } = parseFlags(ENVIRONMENT_FLAGS, [...argv, '--trust-domain-aliases', 'old,older'], {});
    assert.deepEqual(errors, []);
    const { bindAddress, clusterDomain, gateway, trustDomains, now } = environmentOf(values);
    assert.deepEqual([bindAddress, clusterDomain, gateway], ['10.0.0.1', 'corp', 'shop/edge']);
    assert.deepEqual(trustDomains, ['corp', 'old', 'older']);
    assert.ok(Math.abs(now - Date.now()) < 60_000);
  });

  it('has the certificates of the directory, and nobody is waited for', () => {
    const directory = mkdtempSync(join(tmpdir(), 'waypoint-environment-'));
    try {
      const { chain, key } = authority().issue({ names: ['DNS:shop.example'] });
      mkdirSync(join(directory, 'shop'));
      writeFileSync(join(directory, 'shop', 'tls.crt'), chain);
      writeFileSync(join(directory, 'shop', 'tls.key'), key);
      const { values } = parseFlags(ENVIRONMENT_FLAGS, ['--credentials', directory], {});
      const { credentials } = environmentOf(values);
      assert.deepEqual([...credentials.keys()], ['Credential shop']);
      assert.equal(credentials.get('Credential shop')?.certificate, chain);
      assert.equal(environmentOf(parseFlags(ENVIRONMENT_FLAGS, [], {}).values).credentials.size, 0);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
