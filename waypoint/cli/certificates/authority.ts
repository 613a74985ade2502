// Certificate authorities for the demo and for tests: certificates and revocation lists, right and wrong, made in memory.

import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { bits, commonName, der, integer, objectId, pem, sequence, time } from './der.ts';

export interface CertificateOptions {
  /** Common name. */
  readonly subject?: string;
  /**
   * `DNS:a.example`, `URI:spiffe://a/ns/b/sa/c`, `IP:127.0.0.1`, `email:a@b`: written as they are, byte for byte, NUL
   * and '%' too, in this order. None by default, and then the extension is absent.
   */
  readonly names?: readonly string[];
  /** Extended key usages; both by default. Empty: the extension is absent. */
  readonly usages?: readonly ('serverAuth' | 'clientAuth')[];
  /** ms since the epoch. By default it began an hour ago and ends in a day. */
  readonly notBefore?: number;
  readonly notAfter?: number;
  /** EC (P-256) by default; those of RSA are made once and used again. */
  readonly key?: 'EC' | 'RSA' | 'RSA-1024';
  /** sha256 by default. */
  readonly digest?: 'sha1' | 'sha256';
}

export interface Issued {
  /** PEM of this certificate alone. */
  readonly certificate: string;
  /** PEM: this certificate, then those of the authorities between it and the root. */
  readonly chain: string;
  /** PEM, PKCS#8. */
  readonly key: string;
}

export interface Authority extends Issued {
  /** A certificate that cannot sign others. */
  issue(options?: CertificateOptions): Issued;
  /** An authority under this one. */
  intermediate(options?: CertificateOptions): Authority;
  /** PEM: a revocation list of these certificates, at this time (ms since the epoch; now by default). */
  revoke(revoked: readonly Issued[], at?: number): string;
}

/** A root; each has a name and a key of its own unless `subject` says otherwise. */
export function authority(options: CertificateOptions = {}): Authority {
  const subject = options.subject ?? `Root ${serial + 1}`;
  const key = privateKey(options.key);
  const self: Signer = { subject, key, between: [] };
  return asAuthority(self, certificate(self, key, { usages: [], ...options, subject }, 'authority'));
}

interface Signer {
  readonly subject: string;
  readonly key: KeyObject;
  /** Certificates from the signer up to the root, without the root. */
  readonly between: readonly string[];
}

let serial = 0;
const rsa = new Map<string, KeyObject>();
const HOUR_MS = 3_600_000;

function asAuthority(self: Signer, own: Issued): Authority {
  return {
    ...own,
    issue: (options = {}) => {
      const subject = options.subject ?? `Leaf ${serial + 1}`;
      return certificate(self, privateKey(options.key), { ...options, subject }, 'leaf');
    },
    intermediate: (options = {}) => {
      const subject = options.subject ?? `Intermediate ${serial + 1}`;
      const key = privateKey(options.key);
      const issued = certificate(self, key, { usages: [], ...options, subject }, 'authority');
      return asAuthority({ subject, key, between: [issued.certificate, ...self.between] }, issued);
    },
    revoke: (revoked, at = Date.now()) => revocationList(self, revoked, at),
  };
}

function certificate(
  signer: Signer,
  key: KeyObject,
  options: CertificateOptions & { readonly subject: string },
  role: 'authority' | 'leaf',
): Issued {
  const now = Date.now();
  const algorithm = signatureAlgorithm(signer.key, options.digest);
  const tbs = sequence(
    der(0xa0, integer(2)),
    integer(++serial),
    algorithm,
    commonName(signer.subject),
    sequence(time(options.notBefore ?? now - HOUR_MS), time(options.notAfter ?? now + 24 * HOUR_MS)),
    commonName(options.subject),
    publicKey(key),
    der(0xa3, sequence(...extensions(signer, key, options, role))),
  );
  const text = pem('CERTIFICATE', signed(tbs, signer.key, options.digest));
  return {
    certificate: text,
    chain: [text, ...signer.between].join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function extensions(signer: Signer, key: KeyObject, options: CertificateOptions, role: 'authority' | 'leaf'): Buffer[] {
  const { names = [], usages = ['serverAuth', 'clientAuth'] } = options;
  const all = [
    role === 'authority'
      ? extension('2.5.29.19', 'critical', sequence(der(0x01, Buffer.from([0xff]))))
      : extension('2.5.29.19', 'critical', sequence()),
    // keyCertSign and cRLSign; or digitalSignature alone.
    extension('2.5.29.15', 'critical', der(0x03, Buffer.from(role === 'authority' ? [1, 0x06] : [7, 0x80]))),
    extension('2.5.29.14', 'plain', der(0x04, keyId(key))),
    extension('2.5.29.35', 'plain', sequence(der(0x80, keyId(signer.key)))),
  ];
  if (usages.length > 0) {
    const ids = usages.map((usage) => objectId(usage === 'serverAuth' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2'));
    all.push(extension('2.5.29.37', 'plain', sequence(...ids)));
  }
  if (names.length > 0) all.push(extension('2.5.29.17', 'plain', sequence(...names.map(generalName))));
  return all;
}

function extension(id: string, weight: 'critical' | 'plain', value: Uint8Array): Buffer {
  const critical = weight === 'critical' ? [der(0x01, Buffer.from([0xff]))] : [];
  return sequence(objectId(id), ...critical, der(0x04, value));
}

/** GeneralName of RFC 5280 section 4.2.1.6; bytes as they stand, so that a test can write what no tool would. */
function generalName(name: string): Buffer {
  const colon = name.indexOf(':');
  const value = name.slice(colon + 1);
  if (name.startsWith('IP:')) return der(0x87, addressBytes(value));
  const tag = { email: 0x81, DNS: 0x82, URI: 0x86 }[name.slice(0, colon)];
  if (tag === undefined) throw new Error(`a name starts with DNS:, URI:, IP: or email:, not as ${name}`);
  return der(tag, Buffer.from(value, 'latin1'));
}

function addressBytes(address: string): Buffer {
  if (address.includes('.')) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return Buffer.from([...left, ...zeros, ...right].map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** CertificateList of RFC 5280 section 5.1, good for a day. */
function revocationList(signer: Signer, revoked: readonly Issued[], at: number): string {
  const entries = revoked.map(({ certificate }) => {
    const number = Number.parseInt(new X509Certificate(certificate).serialNumber, 16);
    return sequence(integer(number), time(at));
  });
  const tbs = sequence(
    integer(1),
    signatureAlgorithm(signer.key),
    commonName(signer.subject),
    time(at),
    time(at + 24 * HOUR_MS),
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    der(
      0xa0,
      sequence(
        extension('2.5.29.35', 'plain', sequence(der(0x80, keyId(signer.key)))),
        extension('2.5.29.20', 'plain', integer(++serial)),
      ),
    ),
  );
  return pem('X509 CRL', signed(tbs, signer.key));
}

function signed(tbs: Uint8Array, key: KeyObject, digest: 'sha1' | 'sha256' = 'sha256'): Buffer {
  return sequence(tbs, signatureAlgorithm(key, digest), bits(sign(digest, tbs, key)));
}

function signatureAlgorithm(key: KeyObject, digest: 'sha1' | 'sha256' = 'sha256'): Buffer {
  if (key.asymmetricKeyType === 'ec') {
    return sequence(objectId(digest === 'sha1' ? '1.2.840.10045.4.1' : '1.2.840.10045.4.3.2'));
  }
  return sequence(objectId(digest === 'sha1' ? '1.2.840.113549.1.1.5' : '1.2.840.113549.1.1.11'), der(0x05));
}

function privateKey(kind: CertificateOptions['key'] = 'EC'): KeyObject {
  if (kind === 'EC') return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const known = rsa.get(kind);
  if (known !== undefined) return known;
  const made = generateKeyPairSync('rsa', { modulusLength: kind === 'RSA' ? 2048 : 1024 }).privateKey;
  rsa.set(kind, made);
  return made;
}

function publicKey(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

function keyId(key: KeyObject): Buffer {
  return createHash('sha1').update(publicKey(key)).digest();
}
