import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { authority } from '../../test/harness/certificates.ts';
import { certifiesName, namesServer } from './subject-names.ts';

type Names = readonly { readonly type: 'Hostname' | 'URI'; readonly value: string }[];

/** Whether a certificate with these DNS names is for the host. */
function names(dnsNames: readonly string[], serverName: string | null, others: Names = []): boolean {
  return namesServer({ dnsNames, uris: [] }, { serverName, names: others });
}

describe('server names', () => {
  for (const [certified, host, expected] of [
    ['a.example', 'a.example', true],
    ['A.Example', 'a.eXAMPLE', true],
    ['a.example', 'a.example.', true],
    ['a.example', 'b.example', false],
    ['a.example', 'x.a.example', false],
    ['*.a.example', 'b.a.example', true],
    ['*.A.example', 'B.a.EXAMPLE', true],
    // CVE-2020-15104: a wildcard is one label.
    ['*.a.example', 'c.b.a.example', false],
    ['*.a.example', 'a.example', false],
    ['*.a.example', '.a.example', false],
    ['*.example', 'a.example', false],
    ['*', 'example', false],
    ['*.', 'a.', false],
    ['b*.a.example', 'bc.a.example', false],
    ['*b.a.example', 'cb.a.example', false],
    ['*.*.a.example', 'c.b.a.example', false],
    ['a.*.example', 'a.b.example', false],
    ['*.a.example', '*.a.example', true],
    ['**.a.example', 'b.a.example', false],
    ['10.0.0.1', '10.0.0.1', false],
    ['*.0.0.1', '10.0.0.1', false],
    ['::1', '::1', false],
    ['', 'a.example', false],
    ['a.example', '', false],
    ['a.example', '.', false],
  ] as const) {
    it(`${certified || 'nothing'} is ${expected ? '' : 'not '}for ${host || 'nothing'}`, () => {
      assert.equal(names([certified], host), expected);
    });
  }

  it('one of several is enough', () => {
    assert.equal(names(['b.example', '*.c.example', 'a.example'], 'a.example'), true);
    assert.equal(names([], 'a.example'), false);
    assert.equal(names(['a.example'], null), false);
  });

  it('where names are listed the server name does not count', () => {
    const listed: Names = [
      { type: 'Hostname', value: 'b.example' },
      { type: 'URI', value: 'spiffe://a/b' },
    ];
    const plan = { serverName: 'a.example', names: listed };
    for (const [dnsNames, uris, expected] of [
      [['a.example'], [], false],
      [['b.example'], [], true],
      [['*.example'], [], false],
      [[], ['spiffe://a/b'], true],
      // URIs are compared letter by letter.
      [[], ['spiffe://a/B'], false],
      [[], ['SPIFFE://a/b'], false],
      [[], ['spiffe://a/b/'], false],
      [['spiffe://a/b'], ['b.example'], false],
    ] as const) {
      assert.equal(namesServer({ dnsNames, uris }, plan), expected, `${dnsNames} ${uris}`);
    }
  });

  it('the common name is no name', () => {
    const root = authority();
    const der = (names: readonly string[]): Buffer =>
      new X509Certificate(root.issue({ subject: 'shop.example', names }).certificate).raw;
    assert.equal(certifiesName(der([]), 'shop.example'), false);
    assert.equal(certifiesName(der(['DNS:other.example']), 'shop.example'), false);
    assert.equal(certifiesName(der(['DNS:shop.example']), 'shop.example'), true);
    assert.equal(certifiesName(Buffer.from('no certificate'), 'shop.example'), false);
  });
});
