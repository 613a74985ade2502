// The Gateways that this process serves: their acceptance, their addresses, their listeners.

import { isIP } from 'node:net';
import type { ListenerPlan, PlanFailure } from '../policies/plan.ts';
import { compareHostnames } from '../routing/host.ts';
import { no, type Verdict, yes } from './conditions.ts';
import { CredentialLookup, type CredentialScope, isCurrent, type Needs } from './credentials/lookup.ts';
import { GATEWAY_GROUP } from './environment.ts';
import { classVerdict } from './gateway-classes.ts';
import { isServed, isUsable, type ListenerState, listenersOf } from './listeners.ts';
import type { Referrer } from './references.ts';
import type { Gateway, ObjectReference } from './resources.ts';
import { reuse } from './reuse.ts';

export interface GatewayState {
  readonly key: string;
  readonly gateway: Gateway;
  readonly accepted: Verdict;
  /** Where its listeners are bound. Never empty. */
  readonly addresses: readonly string[];
  readonly listeners: readonly ListenerState[];
  /** Plans of the listeners that serve, most specific hostname first; empty when the Gateway is not accepted. */
  readonly served: readonly ListenerPlan[];
  /** What it presents to backends that ask for a certificate; null: nothing is configured. */
  readonly clientCertificate: ClientCertificate | null;
}

/** The id of a credential, or why there is none: then no backend of this Gateway may be reached with TLS. */
type ClientCertificate = { readonly credential: string } | { readonly failure: PlanFailure };

export interface Gateways {
  /** By key. A Gateway of a foreign class, or not the one this process was started for, is absent. */
  readonly gateways: ReadonlyMap<string, GatewayState>;
  readonly needs: ReadonlyMap<string, Needs>;
}

const NONE: readonly never[] = [];
const ACCEPTED = yes('Accepted', 'Gateway is accepted');

/** `touched`: whatever was read for a Gateway and may be different now. */
export function gatewaysOf(scope: CredentialScope, previous: Gateways, touched: ReadonlySet<string>): Gateways {
  const { resources, environment } = scope;
  const gateways = new Map<string, GatewayState>();
  const needs = new Map<string, Needs>();
  for (const [key, gateway] of resources.Gateway) {
    if (environment.gateway !== null && environment.gateway !== key) continue;
    const ours = classVerdict(gateway, resources.GatewayClass);
    if (ours === null) continue;
    const before = previous.gateways.get(key);
    const needsBefore = previous.needs.get(key);
    const isSame = before?.gateway === gateway && classRefusal(before) === (ours.status === 'False');
    if (isSame && needsBefore !== undefined && isCurrent(needsBefore, environment.now, touched)) {
      gateways.set(key, before);
      needs.set(key, needsBefore);
      continue;
    }
    const lookup = new CredentialLookup(scope, referrerOf(gateway));
    const state = gatewayState({ key, gateway, ours }, lookup, environment.bindAddress);
    gateways.set(key, isSame ? reuse(before, state) : state);
    needs.set(key, lookup.needs);
  }
  return { gateways, needs };
}

export function isAccepted(state: GatewayState): boolean {
  return state.accepted.status === 'True';
}

const CLASS_REFUSED = 'GatewayClass is not accepted';

function classRefusal(state: GatewayState): boolean {
  return state.accepted.message.startsWith(CLASS_REFUSED);
}

interface Candidate {
  readonly key: string;
  readonly gateway: Gateway;
  readonly ours: Verdict;
}

function gatewayState({ key, gateway, ours }: Candidate, lookup: CredentialLookup, bindAddress: string): GatewayState {
  const listeners = listenersOf(gateway, lookup);
  const accepted = acceptance(gateway, listeners, ours);
  const addresses = (gateway.spec.addresses ?? NONE).map((address) => address.value || bindAddress);
  const served = accepted.status === 'True' ? listeners.filter(isServed) : NONE;
  const { clientCertificateRef } = gateway.spec.tls?.backend ?? {};
  return {
    key,
    gateway,
    accepted,
    addresses: addresses.length === 0 ? [bindAddress] : [...new Set(addresses)],
    listeners,
    served: served.map((listener) => listener.plan).sort(moreSpecificFirst),
    clientCertificate: clientCertificateRef === undefined ? null : clientCertificate(clientCertificateRef, lookup),
  };
}

function referrerOf({ metadata: { namespace } }: Gateway): Referrer {
  return { group: GATEWAY_GROUP, kind: 'Gateway', namespace };
}

function clientCertificate(ref: ObjectReference, lookup: CredentialLookup): ClientCertificate {
  const { id, problem } = lookup.pair(ref);
  if (problem === null) return { credential: id };
  const reason = problem.cause === 'permission' ? 'RefNotPermitted' : 'InvalidClientCertificateRef';
  return { failure: { reason, message: `spec.tls.backend.clientCertificateRef: ${problem.message}` } };
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
