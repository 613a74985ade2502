import assert from 'node:assert/strict';
import { decodeOrigins, describeOrigins, originAllowed } from './cors-origins.ts';

const ALLOWED: readonly (readonly [configured: readonly string[], origin: string, allowed: boolean])[] = [
  [['https://www.foo.com'], 'https://www.foo.com', true],
  [['https://www.foo.com'], 'HTTPS://WWW.FOO.COM', true],
  [['https://WWW.foo.com'], 'https://www.foo.com', true],
  [['https://www.foo.com'], 'http://www.foo.com', false],
  [['https://www.foo.com'], 'https://www.foo.com.evil.test', false],
  [['https://www.foo.com'], 'https://foo.com', false],
  [['https://www.foo.com'], 'https://www.foo.com/', false],
  [['https://www.foo.com'], 'https://www.foo.com:443', true],
  [['https://www.foo.com:443'], 'https://www.foo.com', true],
  [['http://www.foo.com:80'], 'http://www.foo.com', true],
  [['https://www.foo.com'], 'https://www.foo.com:8443', false],
  [['https://www.foo.com:8443'], 'https://www.foo.com:8443', true],
  [['https://www.foo.com:8443'], 'https://www.foo.com', false],
  [['https://*.bar.com'], 'https://www.bar.com', true],
  [['https://*.bar.com'], 'https://xpto.www.bar.com', true],
  [['https://*.bar.com'], 'https://bar.com', false],
  [['https://*.bar.com'], 'https://.bar.com', false],
  [['https://*.bar.com'], 'https://foobar.com', false],
  [['https://*.bar.com'], 'https://www.bar.com.evil.test', false],
  [['https://*.bar.com'], 'https://evil.test/.bar.com', false],
  [['https://*.bar.com'], 'https://evil.test,https://www.bar.com', false],
  [['https://*.bar.com'], 'https://user@www.bar.com', false],
  [['https://*.bar.com'], 'https://www.bar.com:8443', false],
  [['https://*.bar.com:8443'], 'https://www.bar.com:8443', true],
  [['https://*.bar.com:8443'], 'https://www.bar.com', false],
  [['https://*'], 'https://anything.test', true],
  [['https://*'], 'https://anything.test:8443', false],
  [['https://*:8443'], 'https://anything.test:8443', true],
  [['https://*:8443'], 'https://anything.test', false],
  [['https://*'], 'http://anything.test', false],
  [['https://*'], 'https://[2001:db8::1]', true],
  [['http://127.0.0.1:3000'], 'http://127.0.0.1:3000', true],
  [['*'], 'https://anything.test:12345', true],
  [['*'], 'null', true],
  [['*'], 'app://local', true],
  [['*'], 'https://a.test,https://b.test', false],
  [['*'], '', false],
  [['https://a.test'], 'null', false],
  [[], 'https://a.test', false],
];

const REFUSED: readonly (readonly [configured: readonly string[], at: readonly string[]])[] = [
  [['*', 'https://a.test'], ['o']],
  [['a.test'], ['o[0]']],
  [['ftp://a.test'], ['o[0]']],
  [['https://a.test/'], ['o[0]']],
  [['https://a.*.test'], ['o[0]']],
  [['https://a.test:0'], ['o[0]']],
  [['https://a.test:65536'], ['o[0]']],
  [
    ['https://a.test', 'https://b.test:x', 'https://'],
    ['o[1]', 'o[2]'],
  ],
];

describe('cors origins', () => {
  for (const [configured, origin, allowed] of ALLOWED) {
    it(`[${configured.join(' ')}] ${allowed ? 'allows' : 'does not allow'} "${origin}"`, () => {
      assert.equal(originAllowed(decodeOrigins(configured, 'o', { unsupported: assert.fail })!, origin), allowed);
    });
  }

  for (const [configured, at] of REFUSED) {
    it(`refuses [${configured.join(' ')}]`, () => {
      const paths: string[] = [];
      assert.equal(decodeOrigins(configured, 'o', { unsupported: (path) => paths.push(path) }), null);
      assert.deepEqual(paths, at);
    });
  }

  it('describes itself', () => {
    const described = (configured: readonly string[]) =>
      describeOrigins(decodeOrigins(configured, 'o', { unsupported: assert.fail })!);
    assert.equal(described(['*']), '*');
    assert.equal(described([]), 'none');
    assert.equal(described(['https://A.test:443', 'http://*.b.test']), 'https://a.test http://*.b.test');
  });
});
