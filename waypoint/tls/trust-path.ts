// Whether a chain leads to one of certain CAs, signature by signature: OpenSSL tells that it leads to one, not to which.

import type { X509Certificate } from 'node:crypto';

/** Signatures checked for one chain: what a peer sends is of its choosing. */
const MAX_CHECKS = 32;

/** `chain`: leaf first, then whatever the peer sent with it. `authorities`: PEM. */
export function leadsTo(chain: readonly Uint8Array[], authorities: readonly string[], now: number): boolean {
  const anchors = authorities.flatMap(anchorsOf);
  const [leaf, ...rest] = chain.map(certificateOf);
  if (leaf === undefined || leaf === null || anchors.length === 0) return false;
  const between = rest.filter((certificate) => certificate !== null);
  let checks = 0;
  const issued = (certificate: X509Certificate, issuer: X509Certificate): boolean =>
    issuer.ca &&
    isValid(issuer, now) &&
    certificate.checkIssued(issuer) &&
    ++checks <= MAX_CHECKS &&
    certificate.verify(issuer.publicKey);
  const seen = new Set<X509Certificate>([leaf]);
  const waiting = [leaf];
  for (let certificate = waiting.pop(); certificate !== undefined; certificate = waiting.pop()) {
    const current = certificate;
    if (anchors.some((anchor) => issued(current, anchor))) return true;
    for (const issuer of between) {
      if (seen.has(issuer) || !issued(current, issuer)) continue;
      seen.add(issuer);
      waiting.push(issuer);
    }
  }
  return false;
}

/** Few sets of CAs serve many connections. */
const parsed = new Map<string, readonly X509Certificate[]>();
const MAX_PARSED = 64;

function anchorsOf(pem: string): readonly X509Certificate[] {
  const known = parsed.get(pem);
  if (known !== undefined) return known;
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  const anchors = blocks.map((block) => certificateOf(block)).filter((certificate) => certificate !== null);
  if (parsed.size >= MAX_PARSED) parsed.clear();
  parsed.set(pem, anchors);
  return anchors;
}

function certificateOf(text: string | Uint8Array): X509Certificate | null {
  // Fetched when it is needed: most threads have no chain to follow.
  const { X509Certificate } = process.getBuiltinModule('node:crypto');
  try {
    return new X509Certificate(text);
  } catch {
    return null;
  }
}

function isValid(certificate: X509Certificate, now: number): boolean {
  return now >= certificate.validFromDate.getTime() && now < certificate.validToDate.getTime() + 1000;
}
