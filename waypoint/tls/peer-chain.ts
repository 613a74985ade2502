// The certificates that the other end presented, leaf first, as OpenSSL linked them.

import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

/** No chain that is believed is longer. */
const MAX_LENGTH = 10;

/** Empty when none was presented. */
export function peerChain(socket: TLSSocket): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  let current: X509Certificate | undefined = socket.getPeerX509Certificate();
  while (current !== undefined && chain.length < MAX_LENGTH) {
    chain.push(current.raw);
    current = current.issuerCertificate;
  }
  return chain;
}
