// The snapshot as it may be shown: of certificates what everybody may know, of keys nothing.

import type { CredentialPlan, Snapshot } from '../../policies/plan.ts';

interface PublicCertificate {
  readonly subject: string;
  /** `DNS:shop.example, URI:spiffe://...`; '' without any. */
  readonly names: string;
  readonly validFrom: string;
  readonly validTo: string;
}

interface PublicCredential {
  readonly id: string;
  /** What it presents, leaf first. */
  readonly presents: readonly PublicCertificate[];
  /** The CAs that it vouches for. */
  readonly authorities: readonly PublicCertificate[];
  readonly revocations: 'checked' | 'none';
  readonly trustDomain: string | null;
}

type PublicSnapshot = Omit<Snapshot, 'credentials'> & { readonly credentials: ReadonlyMap<string, PublicCredential> };

export function publicSnapshot({ credentials, ...rest }: Snapshot): PublicSnapshot {
  const shown = [...credentials].map(([id, credential]) => [id, publicCredential(credential)] as const);
  return { ...rest, credentials: new Map(shown) };
}

function publicCredential(credential: CredentialPlan): PublicCredential {
  const { id, certificate, authorities, revocations, trustDomain } = credential;
  return {
    id,
    presents: certificatesOf(certificate),
    authorities: certificatesOf(authorities),
    revocations: revocations === null ? 'none' : 'checked',
    trustDomain,
  };
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function certificatesOf(pem: string | null): readonly PublicCertificate[] {
  // At first use: it costs memory, and most configurations have no certificates.
  const { X509Certificate } = process.getBuiltinModule('node:crypto');
  return (pem?.match(CERTIFICATE) ?? []).map((text) => {
    const parsed = new X509Certificate(text);
    return {
      subject: parsed.subject?.replaceAll('\n', ', ') ?? '',
      names: parsed.subjectAltName ?? '',
      validFrom: parsed.validFromDate.toISOString(),
      validTo: parsed.validToDate.toISOString(),
    };
  });
}
