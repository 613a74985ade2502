// What the owner of an XBackend is told, at each Gateway through which it is reached.

import { gatewaysTo, type Reach } from '../backend-tls/reach.ts';
import { ancestorOf } from '../backend-tls/status.ts';
import { condition, no, type PolicyStatus, yes } from '../conditions.ts';
import type { Environment } from '../environment.ts';
import type { XBackendState } from './x-backends.ts';

/** BackendStatus holds no more. */
const MOST = 32;
const ACCEPTED = yes('Accepted', 'Backend is accepted');
const KNOWN = yes('Resolved', 'DNS gave addresses for the name');
const REFUSED = no('Invalid', 'Nothing is looked up');

/** null: no Gateway of ours leads there. */
export function xBackendStatus(state: XBackendState, environment: Environment, reach: Reach): PolicyStatus | null {
  const { namespace, name, generation } = state.xBackend.metadata;
  const gateways = gatewaysTo(state.id, reach);
  if (gateways.length === 0) return null;
  const { failure, resolved, hostname } = state;
  const accepted = failure === null ? ACCEPTED : no(failure.reason, failure.message);
  const known = failure === null ? addressVerdict(hostname, environment) : REFUSED;
  const conditions = [
    condition('Accepted', accepted, generation),
    condition('ResolvedRefs', resolved, generation),
    condition('waypoint.dev/AddressResolved', known, generation),
  ];
  const ancestors = [...gateways]
    .sort()
    .slice(0, MOST)
    .map((gateway) => ({ ...ancestorOf(gateway), conditions }));
  return { kind: 'XBackend', key: `${namespace}/${name}`, ancestors };
}

function addressVerdict(hostname: string, { addresses }: Environment): typeof KNOWN {
  if ((addresses.get(hostname)?.length ?? 0) > 0) return KNOWN;
  return no(
    'NameNotResolved',
    `DNS gave no address for ${hostname} yet, so that requests are answered 503: see the log`,
  );
}
