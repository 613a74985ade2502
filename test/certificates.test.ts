// The certificates of the tests are real ones: OpenSSL reads them as they were ordered.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { authority } from './harness/certificates.ts';

describe('certificates of the tests', () => {
  const root = authority({ subject: 'Test root' });

  it('verify through an intermediate', () => {
    const between = root.intermediate();
    const leaf = between.issue({ names: ['DNS:a.example', 'IP:127.0.0.1', 'IP:fd00::1', 'URI:spiffe://a/b'] });
    const parsed = new X509Certificate(leaf.certificate);
    assert.equal(parsed.verify(new X509Certificate(between.certificate).publicKey), true);
    assert.equal(
      new X509Certificate(between.certificate).verify(new X509Certificate(root.certificate).publicKey),
      true,
    );
    assert.equal(parsed.ca, false);
    assert.equal(new X509Certificate(between.certificate).ca, true);
    assert.equal(leaf.chain, leaf.certificate + between.certificate);
    assert.equal(
      parsed.subjectAltName,
      'DNS:a.example, IP Address:127.0.0.1, IP Address:FD00:0:0:0:0:0:0:1, URI:spiffe://a/b',
    );
  });

  it('have the usages, the key and the validity they were ordered with', () => {
    const leaf = root.issue({
      usages: ['clientAuth'],
      key: 'RSA',
      notBefore: 1_000_000_000_000,
      notAfter: 2_900_000_000_000,
    });
    const parsed = new X509Certificate(leaf.certificate);
    assert.deepEqual(parsed.keyUsage, ['1.3.6.1.5.5.7.3.2']);
    assert.equal(parsed.publicKey.asymmetricKeyType, 'rsa');
    assert.equal(parsed.validFromDate.getTime(), 1_000_000_000_000);
    assert.equal(parsed.validToDate.getTime(), 2_900_000_000_000);
    assert.equal(parsed.subjectAltName, undefined);
  });

  it('carry odd names byte for byte', () => {
    const leaf = root.issue({ names: ['URI:spiffe://a/b\0c', 'URI:spiffe://a/%2e'] });
    assert.ok(new X509Certificate(leaf.certificate).raw.includes(Buffer.from('spiffe://a/b\0c')));
  });

  it('make revocation lists that OpenSSL reads', () => {
    const ca = root.certificate;
    createSecureContext({ ca, crl: root.revoke([root.issue()]) });
    createSecureContext({ ca, crl: root.revoke([]) });
    assert.throws(() => createSecureContext({ ca, crl: 'nothing' }));
  });

  it('are named in them by their serial number, whatever its first bit', () => {
    const leaves = Array.from({ length: 300 }, () => root.issue());
    const text = root.revoke(leaves).replace(/-----[^-]+-----|\s/g, '');
    const list = Buffer.from(text, 'base64').toString('hex');
    for (const { certificate } of leaves) {
      const number = new X509Certificate(certificate).serialNumber.toLowerCase();
      const positive = Number.parseInt(number.slice(0, 2), 16) < 0x80 ? number : `00${number}`;
      assert.ok(list.includes(`02${(positive.length / 2).toString(16).padStart(2, '0')}${positive}`), number);
    }
  });
});
