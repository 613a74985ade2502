// resolv.conf as people and programs write it, and rewrite it.

import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseResolvConf, ResolvConf } from './resolv-conf.ts';

const hosts = (text: string): string[] => parseResolvConf(text).map(({ host, port }) => `${host} ${port}`);

describe('resolv.conf', () => {
  const cases: readonly (readonly [text: string, expected: readonly string[]])[] = [
    ['', []],
    ['nameserver 10.96.0.10\n', ['10.96.0.10 53']],
    ['search a b\nnameserver 1.1.1.1\nnameserver ::1\noptions ndots:5', ['1.1.1.1 53', '::1 53']],
    ['  nameserver\t9.9.9.9 # quad\n', ['9.9.9.9 53']],
    ['nameserver 9.9.9.9;x', ['9.9.9.9 53']],
    ['nameserver fe80::1%eth0', ['fe80::1%eth0 53']],
    ['#nameserver 1.1.1.1\n; nameserver 1.1.1.1\nnameservers 1.1.1.1\nnameserver dns.example.com\nnameserver', []],
  ];
  for (const [text, expected] of cases) it(JSON.stringify(text), () => assert.deepEqual(hosts(text), expected));

  it('is followed as it is edited, replaced and gone, and looked at once a second at most', () => {
    const folder = mkdtempSync(join(tmpdir(), 'waypoint-resolv-'));
    const path = join(folder, 'resolv.conf');
    const conf = new ResolvConf(path);
    const first = (now: number): string =>
      conf
        .resolvers(now)
        .map(({ host }) => host)
        .join();
    try {
      assert.equal(first(0), '');
      writeFileSync(path, 'nameserver 192.0.2.1\n');
      assert.equal(first(999), '');
      assert.equal(first(1000), '192.0.2.1');
      writeFileSync(`${path}.new`, 'nameserver 192.0.2.2\n');
      renameSync(`${path}.new`, path);
      assert.equal(first(1999), '192.0.2.1');
      assert.equal(first(2000), '192.0.2.2');
      rmSync(path);
      assert.equal(first(3000), '192.0.2.2', 'what was said last holds');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
