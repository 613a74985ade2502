// Credentials out of an answer of the SPIFFE Workload API: DER side by side there, PEM here.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { parseTrustDomain } from '../../policies/identity.ts';
import type { CredentialPlan } from '../../policies/plan.ts';
import { elementsBetween } from '../tls/der.ts';
import { identityOf } from '../tls/verify.ts';

/** The parts of X509SVIDResponse that are read. */
export interface SvidAnswer {
  readonly svids: readonly {
    readonly spiffeId: string;
    readonly x509Svid: Uint8Array;
    readonly x509SvidKey: Uint8Array;
    readonly bundle: Uint8Array;
  }[];
  readonly crl: readonly Uint8Array[];
  readonly federatedBundles: Readonly<Record<string, Uint8Array>>;
}

/**
 * `Credential spiffe`: the first SVID, which the standard makes the default, and the bundle of its trust domain.
 * `Credential spiffe.<trust domain>`: the bundle of each federated one. Or a word about what is wrong with the answer.
 */
export function credentialsOf(answer: SvidAnswer): ReadonlyMap<string, CredentialPlan> | string {
  const [svid] = answer.svids;
  if (svid === undefined) return 'it holds no SVID';
  const chain = certificatesIn(svid.x509Svid);
  const bundle = certificatesIn(svid.bundle);
  const identity = chain === null ? null : identityOf(chain[0] as Uint8Array);
  if (chain === null || identity === null) return `the SVID of ${svid.spiffeId} is no certificate with one SPIFFE id`;
  if (identity.uri !== svid.spiffeId) return `the SVID of ${svid.spiffeId} is for ${identity.uri}`;
  if (bundle === null) return `the bundle of ${identity.trustDomain} holds no certificates`;
  const key = keyFor(chain[0] as Uint8Array, svid.x509SvidKey);
  if (key === null) return `the key of ${identity.uri} does not belong to its certificate`;
  const own: CredentialPlan = {
    id: 'Credential spiffe',
    certificate: pemOf('CERTIFICATE', chain),
    key,
    authorities: pemOf('CERTIFICATE', bundle),
    revocations: answer.crl.length === 0 ? null : pemOf('X509 CRL', answer.crl),
    trustDomain: identity.trustDomain,
  };
  const credentials = new Map([[own.id, own]]);
  for (const [domain, der] of Object.entries(answer.federatedBundles)) {
    const trustDomain = parseTrustDomain(domain);
    const authorities = certificatesIn(der);
    if (trustDomain === null || authorities === null) return `the bundle of ${domain} holds no certificates`;
    const id = `Credential spiffe.${trustDomain}`;
    credentials.set(id, {
      ...{ id, certificate: null, key: null, authorities: pemOf('CERTIFICATE', authorities) },
      ...{ revocations: null, trustDomain },
    });
  }
  return credentials;
}

/** null: not one or more certificates side by side. */
function certificatesIn(der: Uint8Array): readonly Uint8Array[] | null {
  const elements = elementsBetween(der, 0, der.length);
  if (elements === null || elements.length === 0) return null;
  const certificates = elements.map(({ from, end }) => der.subarray(from, end));
  try {
    for (const certificate of certificates) new X509Certificate(certificate);
    return certificates;
  } catch {
    return null;
  }
}

/** The key in PEM, when it is the leaf's. */
function keyFor(leaf: Uint8Array, der: Uint8Array): string | null {
  try {
    const key = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
    return new X509Certificate(leaf).checkPrivateKey(key) ? pemOf('PRIVATE KEY', [der]) : null;
  } catch {
    return null;
  }
}

function pemOf(label: string, blocks: readonly Uint8Array[]): string {
  return blocks
    .map((der) => {
      const lines =
        Buffer.from(der)
          .toString('base64')
          .match(/.{1,64}/g) ?? [];
      return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
    })
    .join('');
}
