// What the owner of a BackendTLSPolicy is told, at each Gateway through which its Services are reached.

import { condition, type PolicyAncestorStatus, type PolicyStatus } from '../conditions.ts';
import { CONTROLLER_NAME, GATEWAY_GROUP } from '../environment.ts';
import type { BackendTLSPolicy } from '../resources.ts';
import type { State } from '../translation.ts';
import { type TlsClaim, tlsClaimKey, tlsTargetOf } from './policies.ts';
import { gatewaysTo, type Reach } from './reach.ts';

/** PolicyStatus holds no more. */
const MOST = 16;

/** null: none of its targets is reached through a Gateway of ours. */
export function backendTlsStatus(policy: BackendTLSPolicy, state: State, reach: Reach): PolicyStatus | null {
  const claims = new Map<string, TlsClaim>();
  for (const ref of policy.spec.targetRefs) {
    const service = tlsTargetOf(ref, policy);
    const { sectionName = '' } = ref;
    const claim =
      service === null
        ? undefined
        : state.destinations.backendTls.targets.get(service)?.claims.get(tlsClaimKey(policy, sectionName));
    if (service === null || claim === undefined) continue;
    const ports = (state.resources.Service.get(service)?.spec.ports ?? []).filter(
      ({ name }) => sectionName === '' || name === sectionName,
    );
    // A port that is not there is said to whoever reaches the rest of the Service.
    const reached = ports.length > 0 ? ports : (state.resources.Service.get(service)?.spec.ports ?? []);
    for (const { port } of reached) {
      for (const gateway of gatewaysTo(`${service}:${port}`, reach))
        claims.set(gateway, worse(claims.get(gateway), claim));
    }
  }
  if (claims.size === 0) return null;
  const { namespace, name, generation } = policy.metadata;
  const ancestors = [...claims]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, MOST)
    .map(([gateway, { accepted, resolved }]) => ({
      ...ancestorOf(gateway),
      conditions: [condition('Accepted', accepted, generation), condition('ResolvedRefs', resolved, generation)],
    }));
  return { kind: 'BackendTLSPolicy', key: `${namespace}/${name}`, ancestors };
}

export function ancestorOf(gateway: string): Pick<PolicyAncestorStatus, 'ancestorRef' | 'controllerName'> {
  const [namespace, name] = gateway.split('/') as [string, string];
  return { ancestorRef: { group: GATEWAY_GROUP, kind: 'Gateway', namespace, name }, controllerName: CONTROLLER_NAME };
}

/** Of several targets behind one Gateway what went wrong is said. */
function worse(one: TlsClaim | undefined, other: TlsClaim): TlsClaim {
  return one === undefined || one.accepted.status === 'True' ? other : one;
}
