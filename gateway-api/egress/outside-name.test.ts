import assert from 'node:assert/strict';
import { outsideAuthority, outsideName, outsideProblem } from './outside-name.ts';

describe('names outside', () => {
  /** [name, what is wrong with it]. */
  const cases: readonly (readonly [string, RegExp | null])[] = [
    ['api.example', null],
    ['localhost', null],
    ['a-b.c1.example', null],
    ['_dmarc.example', null],
    ['1password.com', null],
    ['4.example', null],
    [`${'a'.repeat(240)}.example`, null],
    ['', /is no DNS name/],
    ['.', /is no DNS name/],
    ['a..example', /is no DNS name/],
    ['-a.example', /is no DNS name/],
    ['a.example:80', /is no DNS name/],
    ['a.example/b', /is no DNS name/],
    ['user@a.example', /is no DNS name/],
    ['*.example', /is no DNS name/],
    ['bücher.example', /is no DNS name/],
    ['a.example\r\nx: y', /^"a\.example\\r\\nx: y" is no DNS name$/],
    ['a\u0000.example', /is no DNS name/],
    [`${'a'.repeat(250)}.example`, /is no DNS name/],
    ['127.0.0.1', /is an IP address/],
    ['::1', /is an IP address/],
    ['127.1', /ends in a number/],
    ['2130706433', /ends in a number/],
    ['0x7f000001', /ends in a number/],
    ['a.0x1', /ends in a number/],
    ['0x', /ends in a number/],
    ['a.example.1', /ends in a number/],
    ['cluster.local', /is inside the cluster/],
    ['orders.shop.svc.cluster.local', /is inside the cluster/],
    ['orders.shop.svc.own.domain', /is inside the cluster/],
    ['notcluster.local', null],
    ['own.domain.example', null],
  ];
  for (const [name, expected] of cases) {
    it(JSON.stringify(name.slice(0, 40)), () => {
      const problem = outsideProblem(name, 'own.domain');
      if (expected === null) assert.equal(problem, null);
      else assert.match(problem ?? '', expected);
    });
  }

  it('are compared in lower case and without the dot of the root', () => {
    assert.equal(outsideName('API.Example.'), 'api.example');
    assert.equal(outsideName('api.example'), 'api.example');
  });

  /** [port, scheme, Host]. */
  const authorities: readonly (readonly [number, 'http' | 'https', string])[] = [
    [80, 'http', 'a.example'],
    [443, 'https', 'a.example'],
    [443, 'http', 'a.example:443'],
    [80, 'https', 'a.example:80'],
    [8443, 'https', 'a.example:8443'],
  ];
  for (const [port, scheme, expected] of authorities) {
    it(`${scheme} on port ${port} is told ${expected}`, () => {
      assert.equal(outsideAuthority('a.example', port, scheme), expected);
    });
  }
});
