// What a connection to an endpoint says first of the client on whose behalf it is made (`connections.proxyProtocol`).

import type { ProxyProtocol } from '../../policies/traffic.ts';
import type { Peer } from '../../routing/request.ts';
import { proxyHeader } from '../redirect/proxy-header.ts';

/** The SPIFFE id of the client, as Istio's ztunnel says it. */
const IDENTITY = 0xd0;

/** A connection that announced one client serves no other. '' where nothing is announced. */
export function announced(version: ProxyProtocol | null, client: Peer | null): string {
  if (version === null) return '';
  return client === null
    ? version
    : `${version} ${client.address} ${client.port} ${client.localAddress} ${client.localPort} ${client.identity?.uri ?? ''}`;
}

/** Without a client the connection is our own. */
export function announcement(version: ProxyProtocol, client: Peer | null): Buffer {
  const nobody = { address: '0.0.0.0', port: 0 };
  if (client === null) return proxyHeader(version === 'V1' ? 1 : 2, null, nobody, []);
  const destination = { address: client.localAddress, port: client.localPort };
  const tlvs = client.identity === null ? [] : [{ type: IDENTITY, value: Buffer.from(client.identity.uri) }];
  return proxyHeader(version === 'V1' ? 1 : 2, client, destination, tlvs);
}
