// Flags about who is who, and who may speak for others.

import { addressList, duration, onOff } from './flag-values.ts';
import type { Flag } from './flags.ts';

export type IdentityFlags = {
  readonly trustDomain: Flag<string>;
  readonly trustDomainAliases: Flag<readonly string[]>;
  readonly credentials: Flag<string | null>;
  readonly spiffeEndpointSocket: Flag<string | null>;
  readonly trustedProxies: Flag<readonly string[]>;
  readonly proxyProtocolFrom: Flag<readonly string[]>;
  readonly allowExternalName: Flag<boolean>;
  readonly egressAllow: Flag<readonly string[]>;
  readonly jwksRefresh: Flag<number>;
  readonly jwksStale: Flag<number>;
};

const DOMAIN = /^[a-z0-9]([-.a-z0-9_]*[a-z0-9])?$/;

export const IDENTITY_FLAGS: IdentityFlags = {
  trustDomain: {
    arg: 'domain',
    help: 'SPIFFE trust domain of this waypoint and its clients',
    expects: 'a lower-case trust domain',
    initial: 'cluster.local',
    shown: 'cluster.local',
    parse: (text) => (DOMAIN.test(text) ? text : undefined),
  },
  trustDomainAliases: {
    arg: 'domain[,domain]',
    help: 'trust domains that mean the same; repeatable',
    expects: 'lower-case trust domains separated by commas',
    initial: [],
    shown: 'none',
    parse: (text) => {
      const domains = text.split(',').map((part) => part.trim());
      return domains.every((domain) => DOMAIN.test(domain)) ? domains : undefined;
    },
    join: (first, next) => [...first, ...next],
  },
  credentials: {
    arg: 'dir',
    help: 'NAME/tls.crt, tls.key, ca.crt: certificates that resources name as Credential NAME',
    expects: 'a directory',
    initial: null,
    shown: 'none',
    parse: (text) => (text === '' ? undefined : text),
  },
  spiffeEndpointSocket: {
    arg: 'path',
    help: 'socket of the SPIFFE Workload API, for Credential spiffe',
    expects: 'a path, or unix:///path',
    initial: null,
    shown: 'SPIFFE_ENDPOINT_SOCKET',
    parse: parseSocketPath,
  },
  trustedProxies: addressList({ help: 'peers whose x-forwarded-* is kept; repeatable' }),
  proxyProtocolFrom: addressList({ help: 'peers that listeners of protocol waypoint.dev/PROXY believe; repeatable' }),
  allowExternalName: onOff({ help: 'Services of type ExternalName may be backends' }),
  egressAllow: addressList({ help: 'loopback and link-local addresses that names outside may lead to; repeatable' }),
  jwksRefresh: duration(100, { help: 'keys at a jwksUri are fetched again', initial: 300_000 }),
  jwksStale: duration(0, { help: 'and used for so much longer when that fails', initial: 7_200_000 }),
};

/** SPIFFE Workload Endpoint section 4 asks for `unix:///path`; a path alone can mean nothing else. */
function parseSocketPath(text: string): string | undefined {
  const path = text.replace(/^unix:(\/\/(?=\/))?/, '');
  return path === '' || path.startsWith('//') || path.includes('://') ? undefined : path;
}
