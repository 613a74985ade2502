import assert from 'node:assert/strict';
import { authority } from '../../test/harness/certificates.ts';
import type { ConfigMap, Secret } from '../resources.ts';
import { contentOf } from './content.ts';

const root = authority({ subject: 'Root' });
const between = root.intermediate({ subject: 'Between' });
const leaf = between.issue({
  subject: 'Leaf',
  names: ['DNS:A.example', 'DNS:*.b.example', 'URI:spiffe://a/b', 'IP:10.0.0.1'],
});
const other = root.issue();
const rsa = root.issue({ key: 'RSA' });
const BROKEN = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

function secret(data: Readonly<Record<string, string>>): Secret {
  return {
    kind: 'Secret',
    metadata: { namespace: 'shop', name: 's' },
    spec: { type: 'Opaque', data },
  } as unknown as Secret;
}

function configMap(data: Readonly<Record<string, string>>): ConfigMap {
  return { kind: 'ConfigMap', metadata: { namespace: 'shop', name: 'c' }, spec: { data } } as unknown as ConfigMap;
}

describe('certificates to present', () => {
  const pair = { 'tls.crt': leaf.chain, 'tls.key': leaf.key };
  const cases: [name: string, data: Readonly<Record<string, string>>, problem: RegExp | null][] = [
    ['a chain and its key', pair, null],
    ['RSA', { 'tls.crt': rsa.chain, 'tls.key': rsa.key }, null],
    ['with words around', { 'tls.crt': `subject: x\n${leaf.chain}\n`, 'tls.key': `key:\n${leaf.key}` }, null],
    [
      'with CRLF',
      { 'tls.crt': leaf.chain.replaceAll('\n', '\r\n'), 'tls.key': leaf.key.replaceAll('\n', '\r\n') },
      null,
    ],
    [
      'parameters before the key',
      {
        ...pair,
        'tls.key': `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${leaf.key}`,
      },
      null,
    ],
    ['nothing', {}, /^has no tls\.crt: add it$/],
    ['no certificate', { ...pair, 'tls.crt': 'hello' }, /no PEM certificate in tls\.crt/],
    ['an empty certificate', { ...pair, 'tls.crt': '' }, /no PEM certificate in tls\.crt/],
    ['a broken one', { ...pair, 'tls.crt': BROKEN }, /a certificate in tls\.crt that cannot be read/],
    ['a broken issuer', { ...pair, 'tls.crt': leaf.certificate + BROKEN }, /certificate 2 of 2 in tls\.crt/],
    ['one cut off', { ...pair, 'tls.crt': leaf.certificate.slice(0, -10) }, /no PEM certificate/],
    ['no key', { 'tls.crt': leaf.chain }, /^has no tls\.key: add it$/],
    ['a key that is none', { ...pair, 'tls.key': 'hello' }, /no PEM private key in tls\.key/],
    ['a certificate for a key', { ...pair, 'tls.key': leaf.certificate }, /no PEM private key in tls\.key/],
    [
      'a broken key',
      { ...pair, 'tls.key': BROKEN.replaceAll('CERTIFICATE', 'PRIVATE KEY') },
      /tls\.key that cannot be read/,
    ],
    [
      'an encrypted key',
      { ...pair, 'tls.key': BROKEN.replaceAll('CERTIFICATE', 'ENCRYPTED PRIVATE KEY') },
      /encrypted tls\.key/,
    ],
    ['the key of another', { ...pair, 'tls.key': other.key }, /not the key of the certificate/],
    ['the leaf last', { ...pair, 'tls.crt': between.certificate + leaf.certificate }, /put the leaf first/],
  ];
  for (const [name, data, problem] of cases) {
    it(name, () => {
      const { pair: part, plan } = contentOf(secret(data));
      if (problem === null) {
        assert.equal(part.problem, null);
        assert.ok(plan.certificate?.startsWith('-----BEGIN CERTIFICATE-----') && plan.key?.includes('PRIVATE KEY'));
      } else {
        assert.match(part.problem ?? '', problem);
        assert.deepEqual([plan.certificate, plan.key, part.certificates], [null, null, []]);
      }
    });
  }

  it('are told by the hostnames of the leaf, and nothing else is taken for one', () => {
    const [first, second] = contentOf(secret(pair)).pair.certificates;
    assert.deepEqual(first?.hostnames, ['a.example', '*.b.example']);
    assert.equal(first?.subject, 'CN=Leaf');
    assert.equal(second?.subject, 'CN=Between');
  });

  it('are read once for as long as the object is the same', () => {
    const object = secret(pair);
    assert.equal(contentOf(object), contentOf(object));
  });

  it('never stand in what is said of them', () => {
    for (const [, data] of cases) assert.doesNotMatch(contentOf(secret(data)).pair.problem ?? '', /AAAA|MI[A-Z]/);
  });

  it('are not taken from a ConfigMap', () => {
    const { pair: part, plan } = contentOf(configMap(pair));
    assert.equal(part.problem, 'has no tls.crt: add it');
    assert.equal(plan.key, null);
  });
});

describe('authorities', () => {
  const list = root.revoke([leaf]);
  const cases: [name: string, data: Readonly<Record<string, string>>, expected: RegExp | number][] = [
    ['one', { 'ca.crt': root.certificate }, 1],
    ['two roots at once', { 'ca.crt': root.certificate + authority().certificate }, 2],
    ['with a revocation list', { 'ca.crt': root.certificate, 'ca.crl': list }, 1],
    ['with two', { 'ca.crt': root.certificate, 'ca.crl': list + between.revoke([]) }, 1],
    ['none', {}, /^has no ca\.crt: add it$/],
    ['an empty text', { 'ca.crt': '' }, /no PEM certificate in ca\.crt/],
    ['a key instead', { 'ca.crt': leaf.key }, /no PEM certificate in ca\.crt/],
    ['one that is broken', { 'ca.crt': root.certificate + BROKEN }, /certificate 2 of 2 in ca\.crt/],
    ['an empty revocation list', { 'ca.crt': root.certificate, 'ca.crl': '' }, /no PEM revocation list/],
    [
      'a broken revocation list behind a good one',
      { 'ca.crt': root.certificate, 'ca.crl': list + BROKEN.replaceAll('CERTIFICATE', 'X509 CRL') },
      /revocation list in ca\.crl that cannot be read/,
    ],
  ];
  for (const [name, data, expected] of cases) {
    it(name, () => {
      for (const object of [configMap(data), secret(data)]) {
        const { authorities, plan } = contentOf(object);
        if (typeof expected === 'number') {
          assert.equal(authorities.problem, null);
          assert.equal(authorities.certificates.length, expected);
          assert.equal(plan.revocations, data['ca.crl'] ?? null);
        } else {
          assert.match(authorities.problem ?? '', expected);
          assert.deepEqual([plan.authorities, plan.revocations], [null, null]);
        }
      }
    });
  }
});
