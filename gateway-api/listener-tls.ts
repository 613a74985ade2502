// TLS of one HTTPS listener: the certificates that it presents, and from which version on.

import type { ListenerPlan } from '../policies/plan.ts';
import { no, type Verdict } from './conditions.ts';
import type { CredentialLookup, CredentialProblem } from './credentials/lookup.ts';
import type { ListenerSpec } from './resources.ts';

export interface ListenerTls {
  /** Ids of the credentials that may be presented, in the order of certificateRefs. */
  readonly certificates: readonly string[];
  readonly minTlsVersion: ListenerPlan['minTlsVersion'];
  /** Why references do not resolve; null: all do. */
  readonly unresolved: Verdict | null;
  /** Why it is not accepted; null: nothing of its TLS speaks against it. */
  readonly refused: Verdict | null;
}

const NONE: readonly never[] = [];
const OWN = 'waypoint.dev/';
const MIN_VERSION = `${OWN}min-tls-version`;

export const CLEARTEXT: ListenerTls = { certificates: NONE, minTlsVersion: '1.2', unresolved: null, refused: null };

export function listenerTls({ tls }: ListenerSpec, lookup: CredentialLookup): ListenerTls {
  const found = (tls?.certificateRefs ?? NONE).map((ref) => lookup.pair(ref));
  const certificates = [...new Set(found.filter(({ problem }) => problem === null).map(({ id }) => id))];
  const problems = found.map(({ problem }) => problem).filter((problem) => problem !== null);
  const { options = {} } = tls ?? {};
  return {
    certificates,
    minTlsVersion: options[MIN_VERSION] === '1.3' ? '1.3' : '1.2',
    unresolved: unresolved(found.length, problems, certificates),
    refused: optionsRefused(options),
  };
}

/** Options of others: nothing here knows what they ask for. */
export function foreignOptions({ tls }: ListenerSpec): readonly string[] {
  return Object.keys(tls?.options ?? {}).filter((name) => !name.startsWith(OWN));
}

function unresolved(
  references: number,
  problems: readonly CredentialProblem[],
  certificates: readonly string[],
): Verdict | null {
  if (references === 0) {
    return no('InvalidCertificateRef', 'The listener has no certificate: name Secrets in tls.certificateRefs');
  }
  const [first] = problems;
  if (first === undefined) return null;
  const others = certificates.length === 0 ? NONE : [`it is served with ${certificates.join(', ')} alone`];
  const message = [...problems.map((problem) => problem.message), ...others].join('; ');
  return no(first.cause === 'permission' ? 'RefNotPermitted' : 'InvalidCertificateRef', message);
}

/** A setting that is not understood might have made it safer: without it nothing is served. */
function optionsRefused(options: Readonly<Record<string, string>>): Verdict | null {
  const unknown = Object.keys(options).filter((name) => name.startsWith(OWN) && name !== MIN_VERSION);
  if (unknown.length > 0) {
    return no('UnsupportedValue', `tls.options: ${unknown.join(', ')} is not known here; ${MIN_VERSION} is`);
  }
  const version = options[MIN_VERSION];
  if (version === undefined || version === '1.2' || version === '1.3') return null;
  return no('UnsupportedValue', `tls.options: ${MIN_VERSION} must be "1.2" or "1.3" (got "${version}")`);
}
