// What the owner of an XBackend is told, at each Gateway through which it is reached.

import { gatewaysTo, type Reach } from '../backend-tls/reach.ts';
import { ancestorOf } from '../backend-tls/status.ts';
import { condition, no, type PolicyStatus, type Verdict, yes } from '../conditions.ts';
import type { Environment } from '../environment.ts';
import type { XBackendState } from './x-backends.ts';

/** BackendStatus holds no more. */
const MOST = 32;
const ACCEPTED = yes('Accepted', 'Backend is accepted');
const RESOLVED = yes('Resolved', 'DNS gave addresses for the name');

/** null: no Gateway of ours leads there. */
export function xBackendStatus(state: XBackendState, environment: Environment, reach: Reach): PolicyStatus | null {
  const { namespace, name, generation } = state.xBackend.metadata;
  const gateways = gatewaysTo(state.id, reach);
  if (gateways.length === 0) return null;
  const { failure, refused, resolved, hostname } = state;
  const accepted = failure === null ? (refused ?? ACCEPTED) : no(failure.reason, failure.message);
  const conditions = [condition('Accepted', accepted, generation), condition('ResolvedRefs', resolved, generation)];
  const addresses = environment.addresses.get(hostname);
  if (failure === null && addresses !== undefined) {
    const verdict = addresses.length > 0 ? RESOLVED : unresolved(hostname);
    conditions.push(condition('waypoint.dev/AddressResolved', verdict, generation));
  }
  const ancestors = [...gateways]
    .sort()
    .slice(0, MOST)
    .map((gateway) => ({ ...ancestorOf(gateway), conditions }));
  return { kind: 'XBackend', key: `${namespace}/${name}`, ancestors };
}

function unresolved(hostname: string): Verdict {
  const message = `DNS gives no address for ${hostname}, so that requests are answered 503: correct the name`;
  return no('NameNotResolved', message);
}
