import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { authority, type CertificateOptions } from '../../test/harness/certificates.ts';
import { type Certificate, readCertificate } from './certificate.ts';
import { elementAt } from './der.ts';

const root = authority();

function derOf(pem: string): Buffer {
  return new X509Certificate(pem).raw;
}

function read(options: CertificateOptions): Certificate | null {
  return readCertificate(derOf(root.issue(options).certificate));
}

describe('readCertificate', () => {
  it('reads the names in order, each kind on its own', () => {
    const names = ['DNS:a.example', 'URI:spiffe://a/b', 'IP:10.0.0.1', 'email:a@b', 'DNS:*.B.example', 'IP:fd00::1'];
    const certificate = read({ names });
    assert.deepEqual(certificate?.dnsNames, ['a.example', '*.B.example']);
    assert.deepEqual(certificate.uris, ['spiffe://a/b']);
    assert.deepEqual(certificate.addresses, ['10.0.0.1', 'fd00:0:0:0:0:0:0:1']);
  });

  it('reads one without names', () => {
    const certificate = read({ subject: 'shop.example' });
    assert.deepEqual(
      [certificate?.dnsNames, certificate?.uris, certificate?.addresses, certificate?.certifies],
      [[], [], [], false],
    );
  });

  it('reads from when until when it is valid', () => {
    // UTCTime until 2049, GeneralizedTime from 2050 on.
    for (const [notBefore, notAfter] of [
      [Date.UTC(1999, 11, 31, 23, 59, 59), Date.UTC(2049, 11, 31, 23, 59, 59)],
      [Date.UTC(2024, 1, 29), Date.UTC(2050, 0, 1)],
    ] as const) {
      const certificate = read({ notBefore, notAfter });
      assert.deepEqual([certificate?.notBefore, certificate?.notAfter], [notBefore, notAfter]);
    }
  });

  it('reads what it may be used for', () => {
    assert.deepEqual(read({ usages: ['clientAuth'] })?.purposes, ['2b06010505070302']);
    assert.deepEqual(read({ usages: ['serverAuth', 'clientAuth'] })?.purposes?.length, 2);
    assert.equal(read({ usages: [] })?.purposes, null);
    assert.equal(readCertificate(derOf(root.certificate))?.certifies, true);
  });

  it('reads an RSA key as well as an elliptic one', () => {
    assert.deepEqual(read({ names: ['DNS:a'], key: 'RSA' })?.dnsNames, ['a']);
  });

  for (const [name, odd] of [
    ['a NUL in a DNS name', 'DNS:a.example\0.evil.example'],
    ['a NUL in a URI', 'URI:spiffe://a/b\0c'],
    ['a line break', 'DNS:a\nDNS:b'],
    ['a letter beyond ASCII', 'DNS:\xe4.example'],
    ['a DEL', 'URI:spiffe://a/b\x7f'],
    ['an empty DNS name', 'DNS:'],
    ['an empty URI', 'URI:'],
  ] as const) {
    it(`M1 refuses ${name}, as the only name or one of several`, () => {
      assert.equal(read({ names: [odd] }), null);
      assert.equal(read({ names: ['DNS:good.example', odd] }), null);
      assert.equal(read({ names: [odd, 'DNS:good.example'] }), null);
    });
  }

  it('M1 takes a name that looks like several for one', () => {
    // CVE-2021-44532: in a text made of it this one is two.
    const certificate = read({ names: ['DNS:a.example", DNS:victim.example', 'URI:x, URI:spiffe://a/b'] });
    assert.deepEqual(certificate?.dnsNames, ['a.example", DNS:victim.example']);
    assert.deepEqual(certificate.uris, ['x, URI:spiffe://a/b']);
  });

  it('refuses what is cut short or goes on behind the end', () => {
    const der = derOf(root.issue({ names: ['DNS:a'] }).certificate);
    for (let length = 0; length < der.length; length++) assert.equal(readCertificate(der.subarray(0, length)), null);
    assert.equal(readCertificate(Buffer.concat([der, Buffer.from([0])])), null);
    assert.equal(readCertificate(Buffer.concat([der, der])), null);
    assert.notEqual(readCertificate(der), null);
  });

  it('M1 refuses a name in a form that readers could take for another', () => {
    const der = derOf(root.issue({ names: ['URI:spiffe://a/b', 'URI:spiffe://a/c'] }).certificate);
    for (const tag of [0xa6, 0x06, 0xc6, 0x89, 0x30]) {
      const changed = Buffer.from(der);
      changed[changed.lastIndexOf('spiffe://a/c') - 2] = tag;
      assert.equal(readCertificate(changed), null, tag.toString(16));
    }
    assert.equal(read({ names: ['email:a@b', 'URI:spiffe://a/b'] })?.uris.length, 1);
  });

  it('refuses an extension that is there twice', () => {
    const der = derOf(root.issue({ names: ['DNS:aaaa', 'DNS:bbbb'], usages: [] }).certificate);
    // The authority key identifier becomes a second list of names.
    const at = der.indexOf(Buffer.from('0603551d23', 'hex'));
    const changed = Buffer.from(der);
    changed[at + 4] = 0x11;
    assert.equal(readCertificate(changed), null);
  });

  it('gives a certificate or nothing, whatever the bytes are', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => readCertificate(bytes) === null));
  });

  it('survives any change of a certificate', () => {
    const der = derOf(root.issue({ names: ['DNS:a.example', 'URI:spiffe://a/b', 'IP:10.0.0.1'] }).certificate);
    const edits = fc.array(fc.tuple(fc.nat(der.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(edits, (changes) => {
        const changed = Buffer.from(der);
        for (const [at, value] of changes) changed[at] = value;
        const certificate = readCertificate(changed);
        for (const name of [...(certificate?.dnsNames ?? []), ...(certificate?.uris ?? [])]) {
          assert.match(name, /^[ -~]+$/);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('reads elements nested as deep as bytes allow', () => {
    let nested = Buffer.alloc(0);
    for (let depth = 0; depth < 2000; depth++) {
      const length = nested.length;
      const header = length < 0x80 ? [0x30, length] : [0x30, 0x82, length >> 8, length & 0xff];
      nested = Buffer.concat([Buffer.from(length > 0x7f && length < 0x100 ? [0x30, 0x81, length] : header), nested]);
    }
    assert.notEqual(elementAt(nested, 0, nested.length), null);
    assert.equal(readCertificate(nested), null);
  });
});
