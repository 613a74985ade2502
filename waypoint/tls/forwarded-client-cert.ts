// `x-forwarded-client-cert` as Envoy writes it: who is at the other end, from the verified certificate alone.

import type { Identity } from '../../routing/request.ts';
import { readCertificate } from './certificate.ts';
import { distinguishedName } from './distinguished-name.ts';

/** A peer that packs its certificate with names does not fill the head that backends accept. */
const MAX_BYTES = 4096;

/**
 * Made once per connection. `own`: the certificate that was presented, null when none is at hand. `identity`: what the
 * peer's certificate was found to prove; only that id is told, not what else the certificate may say.
 */
export function forwardedClientCert(peer: Uint8Array, identity: Identity | null, own: Uint8Array | null): string {
  const certificate = readCertificate(peer);
  const by = own === null ? [] : (readCertificate(own)?.uris ?? []);
  const parts = [
    ...by.map((uri) => element('By', uri)),
    `Hash=${process.getBuiltinModule('node:crypto').hash('sha256', peer, 'hex')}`,
  ];
  if (certificate !== null) {
    const subject = distinguishedName(certificate.subject);
    if (subject !== null) parts.push(`Subject="${subject}"`);
    if (identity !== null) parts.push(element('URI', identity.uri));
    for (const name of certificate.dnsNames) parts.push(element('DNS', name));
  }
  let value = '';
  for (const part of parts) {
    if (part === '' || value.length + part.length >= MAX_BYTES) continue;
    value += value === '' ? part : `;${part}`;
  }
  return value;
}

/**
 * A value with a separator in it is quoted, and quotes in it stand behind a backslash. Readers disagree about what else
 * a backslash does, so nothing with one in it is passed on.
 */
function element(key: string, value: string): string {
  if (value.includes('\\')) return '';
  return /[",;= ]/.test(value) ? `${key}="${value.replaceAll('"', '\\"')}"` : `${key}=${value}`;
}
