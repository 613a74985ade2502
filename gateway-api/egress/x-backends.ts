// All XBackends, read to what is forwarded to: a name outside, its port, and what it must prove (GEP-4894).

import type { BackendPlan, BackendTlsPlan, PlanFailure } from '../../policies/plan.ts';
import { changedKeys } from '../../routing/patched-map.ts';
import { judgeValidation } from '../backend-tls/validation.ts';
import { type Verdict, yes } from '../conditions.ts';
import { CredentialLookup, type CredentialScope, isCurrent, type Needs } from '../credentials/lookup.ts';
import { DraftMap } from '../draft-map.ts';
import type { XBackend } from '../resources.ts';
import { reuse } from '../reuse.ts';
import { outsideName, outsideProblem } from './outside-name.ts';

export const X_BACKEND_GROUP = 'gateway.networking.x-k8s.io';
/** What ids of their backends start with: no namespace has a space in it. */
export const X_BACKEND = 'XBackend ';

export interface XBackendState {
  readonly xBackend: XBackend;
  /** `XBackend namespace/name:port`. */
  readonly id: string;
  readonly hostname: string;
  readonly protocol: BackendPlan['protocol'];
  /** null: cleartext. */
  readonly tls: BackendTlsPlan | null;
  /** Why nothing is forwarded there at all; null: it is. */
  readonly failure: PlanFailure | null;
  /** Why every connection to it is refused, though requests are sent there; null: not because of whom to believe. */
  readonly refused: Verdict | null;
  readonly resolved: Verdict;
  readonly needs: Needs;
}

/** By `namespace/name`. */
export type XBackends = ReadonlyMap<string, XBackendState>;

export interface XBackendsChange {
  readonly xBackends: XBackends;
  readonly changed: ReadonlySet<string>;
}

const RESOLVED = yes('ResolvedRefs', 'References are resolved');

/** `touched`: whatever one may have read, and is different now. */
export function updateXBackends(
  before: XBackends,
  scope: CredentialScope,
  changes: ReadonlySet<string>,
  touched: ReadonlySet<string>,
): XBackendsChange {
  const stale = new Set(changes);
  for (const [key, { needs }] of before) if (!isCurrent(needs, scope.environment.now, touched)) stale.add(key);
  const draft = new DraftMap(before);
  for (const key of stale) {
    const xBackend = scope.resources.XBackend.get(key);
    draft.put(key, xBackend && reuse(before.get(key), stateOf(key, xBackend, scope)));
  }
  return { xBackends: draft.current, changed: changedKeys(before, draft.current) };
}

/** The object that the id of a backend stands for; null: a Service. */
export function xBackendOf(id: string, xBackends: XBackends): XBackendState | null {
  if (!id.startsWith(X_BACKEND)) return null;
  return xBackends.get(id.slice(X_BACKEND.length, id.lastIndexOf(':'))) ?? null;
}

function stateOf(key: string, xBackend: XBackend, scope: CredentialScope): XBackendState {
  const { spec } = xBackend;
  const referrer = { group: X_BACKEND_GROUP, kind: 'XBackend', namespace: xBackend.metadata.namespace };
  const lookup = new CredentialLookup(scope, referrer);
  const hostname = outsideName(spec.externalHostname?.hostname ?? '');
  const { tls, refused, resolved } = tlsOf(hostname, spec.tls, lookup);
  const protocol = protocolOf(xBackend);
  const problem =
    spec.type === 'ExternalHostname' ? outsideProblem(hostname, scope.environment.clusterDomain) : SELECTOR;
  return {
    xBackend,
    id: `${X_BACKEND}${key}:${spec.port}`,
    hostname,
    protocol: typeof protocol === 'string' ? protocol : 'http',
    tls,
    failure:
      problem === null ? (typeof protocol === 'string' ? null : protocol) : unsupported('UnsupportedValue', problem),
    refused,
    resolved,
    needs: lookup.needs,
  };
}

const SELECTOR = 'type EndpointSelector is not served here: name a Service, which selects pods too';

function unsupported(reason: string, message: string): PlanFailure {
  return { reason, message };
}

function protocolOf({ spec: { protocol = 'HTTP', tls } }: XBackend): BackendPlan['protocol'] | PlanFailure {
  switch (protocol) {
    case 'HTTP':
    case 'HTTP11':
      return 'http';
    case 'WSS':
      if (tls?.mode !== 'None') return 'ws';
      return unsupported('UnsupportedProtocol', 'protocol WSS needs a tls.mode other than None');
    default:
      return unsupported(
        'UnsupportedProtocol',
        `protocol ${protocol} is not forwarded: only HTTP/1.1 is (HTTP, HTTP11, WSS)`,
      );
  }
}

interface JudgedTls {
  readonly tls: BackendTlsPlan | null;
  readonly refused: Verdict | null;
  readonly resolved: Verdict;
}

function tlsOf(hostname: string, tls: XBackend['spec']['tls'], lookup: CredentialLookup): JudgedTls {
  if (tls === undefined || tls.mode === 'None') return { tls: null, refused: null, resolved: RESOLVED };
  const validation = tls.validation ?? { hostname, wellKnownCACertificates: 'System' };
  const judged = judgeValidation(validation, lookup);
  if (tls.clientCertificateRef === undefined) return judged;
  const { id, problem } = lookup.pair(tls.clientCertificateRef);
  if (problem === null) return { ...judged, tls: { ...judged.tls, certificate: id } };
  const reason = problem.cause === 'permission' ? 'RefNotPermitted' : 'InvalidClientCertificateRef';
  const message = `tls.clientCertificateRef: ${problem.message}`;
  return {
    ...judged,
    tls: { ...judged.tls, failure: judged.tls.failure ?? { reason, message } },
    resolved: { status: 'False', reason, message },
  };
}
