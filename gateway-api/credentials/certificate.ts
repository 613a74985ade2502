// What we must know of a certificate: when it is valid, whose name it bears, how strong it is.

import { X509Certificate } from 'node:crypto';

export interface Certificate {
  /** `CN=shop`, on one line. */
  readonly subject: string;
  /** DNS names of the subject alternative names; other forms name no host. */
  readonly hostnames: readonly string[];
  /** ms since the epoch, both inclusive. */
  readonly validFrom: number;
  readonly validTo: number;
  /** It may sign other certificates. */
  readonly isAuthority: boolean;
  /** Of an RSA key; null: another kind of key. */
  readonly rsaBits: number | null;
  /** `ecdsa-with-SHA256`. */
  readonly signature: string;
}

/** @throws when the text is no certificate. */
export function parseCertificate(pem: string): X509Certificate {
  return new X509Certificate(pem);
}

export function describeCertificate(parsed: X509Certificate): Certificate {
  const { publicKey } = parsed;
  return {
    subject: parsed.subject?.replaceAll('\n', ', ') ?? '',
    hostnames: hostnamesOf(parsed.subjectAltName ?? ''),
    validFrom: parsed.validFromDate.getTime(),
    validTo: parsed.validToDate.getTime(),
    isAuthority: parsed.ca,
    rsaBits: publicKey.asymmetricKeyType?.startsWith('rsa')
      ? (publicKey.asymmetricKeyDetails?.modulusLength ?? 0)
      : null,
    signature: parsed.signatureAlgorithm ?? '',
  };
}

/** Why it is not valid at this moment; null: it is. */
export function outOfTime({ validFrom, validTo }: Certificate, now: number): string | null {
  if (now < validFrom) return `is not valid before ${dateOf(validFrom)}: check the clock, or wait`;
  return now > validTo ? `expired at ${dateOf(validTo)}: renew it` : null;
}

/** From when, inclusive, and until when, exclusive, `outOfTime` says the same as it does now. */
export function phaseOf({ validFrom, validTo }: Certificate, now: number): { from: number; until: number } {
  if (now < validFrom) return { from: Number.NEGATIVE_INFINITY, until: validFrom };
  return now > validTo
    ? { from: validTo + 1, until: Number.POSITIVE_INFINITY }
    : { from: validFrom, until: validTo + 1 };
}

export function dateOf(at: number): string {
  return new Date(at).toISOString().replace('.000Z', 'Z');
}

/** Quoted entries hold characters that no hostname has (Node quotes them as JSON). */
function hostnamesOf(names: string): readonly string[] {
  return names
    .split(', ')
    .filter((name) => name.startsWith('DNS:') && !name.includes('"'))
    .map((name) => name.slice('DNS:'.length).toLowerCase());
}
