// What a Gateway's owner is told: per listener and for the whole, with the addresses that really listen.

import { isIP } from 'node:net';
import { bindId, type Holders } from './claims.ts';
import { insecureMode } from './client-validation.ts';
import {
  type Condition,
  condition,
  type GatewayStatus,
  type ListenerStatus,
  no,
  type Verdict,
  yes,
} from './conditions.ts';
import { type GatewayState, isAccepted } from './gateways.ts';
import { isServed, isUsable, type ListenerState } from './listeners.ts';

export interface BindScope {
  readonly holders: Holders;
  readonly bindErrors: ReadonlyMap<string, string>;
}

export interface GatewayStatusScope extends BindScope {
  readonly attached: ReadonlyMap<string, number>;
}

export function gatewayStatus(state: GatewayState, scope: GatewayStatusScope): GatewayStatus {
  const { generation } = state.gateway.metadata;
  const programmed = state.listeners.map((listener) => listenerVerdict(state, listener, scope));
  const unusable = state.addresses.filter((address) => isUnusable(state, address, scope));
  const conditions = [
    condition('Accepted', state.accepted, generation),
    condition('Programmed', gatewayVerdict(state, programmed, unusable), generation),
    ...tlsConditions(state, generation),
  ];
  const listeners = state.listeners.map((listener, index) =>
    listenerStatus(listener, programmed[index]!, scope.attached.get(listener.plan.id) ?? 0, generation),
  );
  const addresses = isAccepted(state) ? state.addresses.filter((address) => !unusable.includes(address)) : [];
  return {
    kind: 'Gateway',
    key: state.key,
    conditions,
    addresses: addresses.map((value) => ({ type: isIP(value) === 0 ? 'Hostname' : 'IPAddress', value })),
    listeners,
  };
}

const RESOLVED = yes('ResolvedRefs', 'The certificate for backends is found');

/** Only where something of the kind is configured. */
function tlsConditions({ gateway, clientCertificate }: GatewayState, generation: number): readonly Condition[] {
  const conditions: Condition[] = [];
  if (clientCertificate !== null) {
    const failure = 'failure' in clientCertificate ? clientCertificate.failure : null;
    const verdict = failure === null ? RESOLVED : no(failure.reason, failure.message);
    conditions.push(condition('ResolvedRefs', verdict, generation));
  }
  const insecure = insecureMode(gateway);
  if (insecure !== null) conditions.push(condition('InsecureFrontendValidationMode', insecure, generation));
  return conditions;
}

function listenerStatus(
  listener: ListenerState,
  programmed: Verdict,
  attachedRoutes: number,
  generation: number,
): ListenerStatus {
  const conditions: Condition[] = [
    condition('Accepted', listener.accepted, generation),
    condition('Conflicted', listener.conflicted, generation),
    condition('ResolvedRefs', listener.resolved, generation),
    condition('Programmed', programmed, generation),
  ];
  return { name: listener.spec.name, supportedKinds: listener.supportedKinds, attachedRoutes, conditions };
}

function gatewayVerdict(state: GatewayState, listeners: readonly Verdict[], unusable: readonly string[]): Verdict {
  if (!isAccepted(state)) return no('Invalid', state.accepted.message);
  if (unusable.length > 0) {
    return no(
      'AddressNotUsable',
      `${unusable.join(', ')}: no interface of this host has the address; change spec.addresses`,
    );
  }
  if (listeners.some(({ status }) => status === 'True')) return yes('Programmed', 'Gateway is serving');
  return no('Invalid', `No listener is programmed: ${listeners[0]?.message ?? 'there is none'}`);
}

/** A listener works where one of its addresses does; what is wrong with the others is said all the same. */
function listenerVerdict(state: GatewayState, listener: ListenerState, scope: BindScope): Verdict {
  if (!isAccepted(state)) return no('Invalid', state.accepted.message);
  if (!isUsable(listener)) return no('Invalid', listener.accepted.message);
  if (!isServed(listener)) return no('Invalid', listener.resolved.message);
  const ids = state.addresses.map((address) => bindId(address, listener.spec.port));
  const problems = ids
    .map((id) => bindProblem(id, `Gateway ${state.key}`, scope))
    .filter((problem) => problem !== null);
  const messages = problems.map(({ message }) => message);
  if (problems.length === ids.length) return no(problems[0]!.reason, messages.join('; '));
  const working = ids.filter((id) => bindProblem(id, `Gateway ${state.key}`, scope) === null);
  return yes('Programmed', [`Listening on ${working.join(', ')}`, ...messages].join('; '));
}

/** Why a Gateway does not listen on an address that it wants; null: it does. */
function bindProblem(id: string, owner: string, scope: BindScope): Verdict | null {
  const holder = scope.holders.get(id);
  if (holder !== undefined && holder.owner !== owner) {
    const remedy = 'set spec.addresses of this Gateway to another address, or change the port';
    return no('PortUnavailable', `${id} is held by ${holder.owner}, which is older: ${remedy}`);
  }
  return listenProblem(id, scope);
}

/** What the system says against listening on an address; null: nothing. */
export function listenProblem(id: string, { bindErrors }: Pick<BindScope, 'bindErrors'>): Verdict | null {
  const error = bindErrors.get(id);
  if (error === undefined) return null;
  if (error.includes('EADDRNOTAVAIL')) {
    return no('AddressNotUsable', `listen ${id}: ${error} (no interface of this host has the address: name another)`);
  }
  return no('PortUnavailable', `listen ${id}: ${error} (${hint(error)}; it is tried again)`);
}

function hint(error: string): string {
  if (error.includes('EADDRINUSE')) return 'another process has it: stop that one or choose another port';
  if (error.includes('EACCES')) return 'the system reserves it: choose a port above 1023 or grant CAP_NET_BIND_SERVICE';
  return 'choose another address or port';
}

function isUnusable(state: GatewayState, address: string, scope: BindScope): boolean {
  return state.listeners.some(({ spec }) => {
    const problem = bindProblem(bindId(address, spec.port), `Gateway ${state.key}`, scope);
    return problem?.reason === 'AddressNotUsable';
  });
}
