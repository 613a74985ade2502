// The Gateways that this process serves: their acceptance, their addresses, their listeners.

import { isIP } from 'node:net';
import type { ListenerPlan } from '../policies/plan.ts';
import { compareHostnames } from '../routing/host.ts';
import { no, type Verdict, yes } from './conditions.ts';
import type { Environment } from './environment.ts';
import { classVerdict } from './gateway-classes.ts';
import { isUsable, type ListenerState, listenersOf } from './listeners.ts';
import type { Gateway, Resources } from './resources.ts';

export interface GatewayState {
  readonly key: string;
  readonly gateway: Gateway;
  readonly accepted: Verdict;
  /** Where its listeners are bound. Never empty. */
  readonly addresses: readonly string[];
  readonly listeners: readonly ListenerState[];
  /** Plans of the listeners that serve, most specific hostname first; empty when the Gateway is not accepted. */
  readonly served: readonly ListenerPlan[];
}

const NONE: readonly never[] = [];
const ACCEPTED = yes('Accepted', 'Gateway is accepted');

/** By key. A Gateway of a foreign class, or not the one this process was started for, is absent. */
export function gatewaysOf(
  resources: Resources,
  environment: Environment,
  previous: ReadonlyMap<string, GatewayState>,
): ReadonlyMap<string, GatewayState> {
  const states = new Map<string, GatewayState>();
  for (const [key, gateway] of resources.Gateway) {
    if (environment.gateway !== null && environment.gateway !== key) continue;
    const ours = classVerdict(gateway, resources.GatewayClass);
    if (ours === null) continue;
    const before = previous.get(key);
    const isSame = before?.gateway === gateway && classRefusal(before) === (ours.status === 'False');
    states.set(key, isSame ? before : gatewayState(key, gateway, ours, environment));
  }
  return states;
}

export function isAccepted(state: GatewayState): boolean {
  return state.accepted.status === 'True';
}

const CLASS_REFUSED = 'GatewayClass is not accepted';

function classRefusal(state: GatewayState): boolean {
  return state.accepted.message.startsWith(CLASS_REFUSED);
}

function gatewayState(key: string, gateway: Gateway, ours: Verdict, environment: Environment): GatewayState {
  const listeners = listenersOf(gateway);
  const accepted = acceptance(gateway, listeners, ours);
  const addresses = (gateway.spec.addresses ?? NONE).map((address) => address.value || environment.bindAddress);
  const served = accepted.status === 'True' ? listeners.filter(isServed) : NONE;
  return {
    key,
    gateway,
    accepted,
    addresses: addresses.length === 0 ? [environment.bindAddress] : [...new Set(addresses)],
    listeners,
    served: served.map((listener) => listener.plan).sort(moreSpecificFirst),
  };
}

function isServed(listener: ListenerState): boolean {
  return isUsable(listener) && listener.supportedKinds.length > 0;
}

function acceptance(gateway: Gateway, listeners: readonly ListenerState[], ours: Verdict): Verdict {
  if (ours.status === 'False') return no('InvalidParameters', `${CLASS_REFUSED}: ${ours.message}`);
  if (gateway.spec.infrastructure?.parametersRef !== undefined) {
    return no('InvalidParameters', 'infrastructure.parametersRef is not supported: remove it');
  }
  const address = addressProblem(gateway);
  if (address !== null) return no('UnsupportedAddress', address);
  const broken = listeners.filter((listener) => !isUsable(listener) || listener.resolved.status === 'False');
  if (broken.length === 0) return ACCEPTED;
  const message = broken.map((listener) => `Listener "${listener.spec.name}": ${problemOf(listener)}`).join('; ');
  return listeners.some(isUsable) ? yes('ListenersNotValid', message) : no('ListenersNotValid', message);
}

function problemOf({ accepted, resolved }: ListenerState): string {
  return accepted.status === 'False' ? accepted.message : resolved.message;
}

function addressProblem(gateway: Gateway): string | null {
  for (const { type, value } of gateway.spec.addresses ?? NONE) {
    if (type !== 'IPAddress')
      return `Address type ${type} is not supported: name an address of this host with type IPAddress`;
    if (value !== undefined && value !== '' && isIP(value) === 0) return `"${value}" is no IP address`;
  }
  return null;
}

/** Total, so that the order never depends on what was edited first. */
function moreSpecificFirst(a: ListenerPlan, b: ListenerPlan): number {
  return compareHostnames(a.hostname, b.hostname) || (a.id < b.id ? -1 : 1);
}
