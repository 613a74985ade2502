// Whether a certificate is that of the server that was meant (RFC 9525 section 6, Gateway API BackendTLSPolicy).

import type { BackendTlsPlan } from '../../policies/plan.ts';
import { type Certificate, readCertificate } from './certificate.ts';

/** The name, lower-case, is a DNS SAN of the certificate or covered by one. What the subject's CN says is no name. */
export function certifiesName(der: Uint8Array, name: string): boolean {
  return readCertificate(der)?.dnsNames.some((certified) => covers(certified, name)) ?? false;
}

/** One of `names` is a SAN of the certificate; without `names`, the server name is. */
export function namesServer(
  { dnsNames, uris }: Pick<Certificate, 'dnsNames' | 'uris'>,
  { serverName, names }: Pick<BackendTlsPlan, 'serverName' | 'names'>,
): boolean {
  if (names.length === 0) return serverName !== null && dnsNames.some((name) => covers(name, serverName));
  return names.some(({ type, value }) =>
    type === 'URI' ? uris.includes(value) : dnsNames.some((name) => covers(name, value)),
  );
}

/**
 * A wildcard stands for the whole left-most label, for one label, and above at least two; so a certificate for a whole
 * top-level domain is for nobody. An address is no name: a dNSName that reads like one does not cover it.
 */
function covers(certified: string, wanted: string): boolean {
  const pattern = certified.toLowerCase();
  const host = wanted.toLowerCase().replace(/\.$/, '');
  if (host === '' || isAddress(host)) return false;
  if (pattern === host) return true;
  if (!pattern.startsWith('*.') || pattern.includes('*', 1)) return false;
  const dot = host.indexOf('.');
  const above = pattern.slice(2);
  return dot > 0 && host[0] !== '*' && above.includes('.') && above === host.slice(dot + 1);
}

function isAddress(host: string): boolean {
  return host.includes(':') || /^[\d.]+$/.test(host);
}
