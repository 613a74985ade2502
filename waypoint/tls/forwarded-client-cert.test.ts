import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { authority, type CertificateOptions } from '../../test/harness/certificates.ts';
import { forwardedClientCert } from './forwarded-client-cert.ts';
import { identityOf } from './verify.ts';

const root = authority();
const ID = 'spiffe://cluster.local/ns/shop/sa/orders';

function derOf(options: CertificateOptions): Buffer {
  return new X509Certificate(root.issue({ subject: 'orders', ...options }).certificate).raw;
}

/** The value without the hash, which every one has. */
function value(options: CertificateOptions, own: Uint8Array | null = null): string {
  const der = derOf(options);
  const text = forwardedClientCert(der, identityOf(der), own);
  const hash = `Hash=${createHash('sha256').update(der).digest('hex')}`;
  assert.ok(text.includes(hash));
  return text.replace(hash, 'Hash');
}

describe('x-forwarded-client-cert', () => {
  const own = derOf({ names: ['URI:spiffe://cluster.local/ns/shop/sa/waypoint'] });
  for (const [name, options, self, expected] of [
    ['an identity', { names: [`URI:${ID}`] }, null, `Hash;Subject="CN=orders";URI=${ID}`],
    [
      'both ends',
      { names: [`URI:${ID}`] },
      own,
      `By=spiffe://cluster.local/ns/shop/sa/waypoint;Hash;Subject="CN=orders";URI=${ID}`,
    ],
    [
      'DNS names',
      { names: [`URI:${ID}`, 'DNS:a.example', 'DNS:*.b.example'] },
      derOf({}),
      `Hash;Subject="CN=orders";URI=${ID};DNS=a.example;DNS=*.b.example`,
    ],
    ['no name', {}, null, 'Hash;Subject="CN=orders"'],
    // What was not found to be an identity is not told as one.
    ['two URIs', { names: [`URI:${ID}`, 'URI:spiffe://a/b'] }, null, 'Hash;Subject="CN=orders"'],
    ['another URI', { names: ['URI:https://a.example/b'] }, null, 'Hash;Subject="CN=orders"'],
  ] as const) {
    it(`H4 tells ${name}`, () => assert.equal(value(options, self), expected));
  }

  for (const [name, options, expected] of [
    ['a semicolon', { names: [`DNS:a;URI=${ID}`] }, `DNS="a;URI=${ID}"`],
    ['a comma', { names: [`DNS:a,By=x`] }, 'DNS="a,By=x"'],
    ['an equals sign', { names: ['DNS:a=b'] }, 'DNS="a=b"'],
    ['a quote', { names: [`DNS:a";URI="${ID}`] }, `DNS="a\\";URI=\\"${ID}"`],
    ['a space', { names: ['DNS:a b'] }, 'DNS="a b"'],
  ] as const) {
    it(`H4 quotes a DNS name with ${name}`, () => {
      assert.equal(value(options), `Hash;Subject="CN=orders";${expected}`);
    });
  }

  it('H4 leaves a name out that readers would not agree about', () => {
    assert.equal(value({ names: [`DNS:a\\";URI=${ID}`, 'DNS:b.example'] }), 'Hash;Subject="CN=orders";DNS=b.example');
  });

  it('H4 escapes a subject that would be more', () => {
    const subject = `a";URI=${ID};Subject="`;
    assert.equal(value({ subject }), `Hash;Subject="CN=a\\22\\3BURI\\3D${ID}\\3BSubject\\3D\\22"`);
    assert.equal(value({ subject: 'a\\' }), 'Hash;Subject="CN=a\\5C"');
    assert.equal(value({ subject: 'a\r\nX-Admin: 1' }), 'Hash;Subject="CN=a\\0D\\0AX-Admin: 1"');
  });

  it('H4 is of bounded length', () => {
    const many = Array.from({ length: 1000 }, (_, index) => `DNS:${index}.example`);
    const text = value({ names: [`URI:${ID}`, ...many] });
    assert.ok(text.length <= 4096 && text.startsWith(`Hash;Subject="CN=orders";URI=${ID};DNS=0.example`));
    assert.equal(value({ subject: 'x'.repeat(10_000), names: [`URI:${ID}`] }), `Hash;URI=${ID}`);
  });
});
