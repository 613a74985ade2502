// A client for unit tests: somebody on this machine who proves nothing.

import type { Peer } from '../../routing/request.ts';

export function peerOf(parts: Partial<Peer> = {}): Peer {
  return {
    address: '127.0.0.1',
    port: 40_000,
    namespace: null,
    identity: null,
    serverName: null,
    localAddress: '127.0.0.1',
    localPort: 80,
    ...parts,
  };
}
