// SPIFFE ids: what a certificate or a trusted hop may say that a peer is, read by the letter of the SPIFFE-ID standard.

import type { Identity } from '../routing/request.ts';

/** SPIFFE-ID section 2.3: implementations must support ids up to 2048 bytes and should not make longer ones. */
const MAX_BYTES = 2048;
/** SPIFFE-ID section 2.1. */
const MAX_TRUST_DOMAIN_BYTES = 255;
const SCHEME = 'spiffe://';
const TRUST_DOMAIN = /^[a-z0-9._-]+$/;
const SEGMENT = /^[A-Za-z0-9._-]+$/;

/**
 * The identity that a workload's id names; null for everything that the standard does not allow, and for the id of a
 * trust domain as such (no path), which no workload has. No port, user, query, fragment or percent-encoding can be in one.
 */
export function parseSpiffeId(uri: string): Identity | null {
  if (uri.length > MAX_BYTES || !uri.startsWith(SCHEME)) return null;
  const [trustDomain, ...segments] = uri.slice(SCHEME.length).split('/') as [string, ...string[]];
  if (!isTrustDomain(trustDomain) || segments.length === 0) return null;
  for (const segment of segments) if (!SEGMENT.test(segment) || segment === '.' || segment === '..') return null;
  const [ns, namespace, sa, serviceAccount] = segments;
  const usual = segments.length === 4 && ns === 'ns' && sa === 'sa';
  return {
    uri,
    trustDomain,
    namespace: usual ? (namespace as string) : null,
    serviceAccount: usual ? (serviceAccount as string) : null,
  };
}

/** Of this name, or of the id of a trust domain (`spiffe://<name>`); null when it is neither. */
export function parseTrustDomain(text: string): string | null {
  const name = text.startsWith(SCHEME) ? text.slice(SCHEME.length) : text;
  return isTrustDomain(name) ? name : null;
}

/** The id belongs to one of these trust domains: ours, or those that mean the same. */
export function isTrusted(identity: Identity, trustDomains: readonly string[]): boolean {
  return trustDomains.includes(identity.trustDomain);
}

function isTrustDomain(name: string): boolean {
  return name.length <= MAX_TRUST_DOMAIN_BYTES && TRUST_DOMAIN.test(name);
}
