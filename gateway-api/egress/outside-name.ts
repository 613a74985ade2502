// Names outside the cluster as backends: which may be one, and what is said to them.

import { isIP } from 'node:net';

const NAME = /^[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?(\.[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?)*$/;

/** Lower-case, without the dot of the root. */
export function outsideName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

/** Why a name may be no backend, for people; null: it may. */
export function outsideProblem(name: string, clusterDomain: string): string | null {
  if (isIP(name) !== 0) return `${name} is an IP address: use a Service with an EndpointSlice`;
  if (!NAME.test(name) || name.length > 253) return `${JSON.stringify(name)} is no DNS name`;
  // All digits in the last label: some resolvers would read an address (WHATWG URL, "ends in a number").
  if (/(^|\.)(\d+|0x[0-9a-f]*)$/.test(name)) return `${name} ends in a number, as an IP address does`;
  for (const domain of [clusterDomain, 'cluster.local']) {
    if (name === domain || name.endsWith(`.${domain}`)) {
      return `${name} is inside the cluster, where a ReferenceGrant decides who may: name the Service instead`;
    }
  }
  return null;
}

/** `Host` for such a server: RFC 9110 section 4.2 leaves the port out where it is the scheme's own. */
export function outsideAuthority(name: string, port: number, scheme: 'http' | 'https'): string {
  return port === (scheme === 'https' ? 443 : 80) ? name : `${name}:${port}`;
}
