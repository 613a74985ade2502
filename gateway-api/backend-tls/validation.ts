// What a backend must prove before it is spoken to: the validation of a BackendTLSPolicy or of an XBackend.

import type { BackendTlsPlan } from '../../policies/plan.ts';
import { no, type Verdict, yes } from '../conditions.ts';
import type { CredentialLookup } from '../credentials/lookup.ts';
import type { BackendTLSValidation } from '../resources.ts';

export interface JudgedValidation {
  /** Without a certificate of our own. Refuses every connection where `refused` says why. */
  readonly tls: BackendTlsPlan;
  /** Why it is not accepted at all; null: it is. */
  readonly refused: Verdict | null;
  readonly resolved: Verdict;
}

const RESOLVED = yes('ResolvedRefs', 'References are resolved');
const NONE: readonly never[] = [];
/** The CAs that come with the runtime. */
const SYSTEM = 'System';

/** CAs that are broken are left out; where none is left every connection is refused, and nothing is sent in cleartext. */
export function judgeValidation(validation: BackendTLSValidation, lookup: CredentialLookup): JudgedValidation {
  const { caCertificateRefs: refs = NONE, wellKnownCACertificates: wellKnown, hostname } = validation;
  const found = refs.map((ref) => lookup.authorities(ref));
  const problems = found.map(({ problem }) => problem).filter((problem) => problem !== null);
  const trusted = found.filter(({ problem }) => problem === null).map(({ id }) => id);
  const message = problems.map((problem) => problem.message).join('; ');
  const reason = problems[0]?.cause === 'kind' ? 'InvalidKind' : 'InvalidCACertificateRef';
  const refused = refusal(validation, trusted, message);
  return {
    tls: {
      serverName: hostname,
      names: (validation.subjectAltNames ?? NONE).map(({ type, hostname: name = '', uri = '' }) => ({
        type,
        value: type === 'URI' ? uri : name,
      })),
      authorities: wellKnown === SYSTEM ? [SYSTEM] : [...new Set(trusted)],
      certificate: null,
      failure: refused && { reason: refused.reason, message: refused.message },
    },
    refused,
    resolved: problems.length === 0 ? RESOLVED : no(reason, message),
  };
}

function refusal(
  { wellKnownCACertificates: wellKnown }: BackendTLSValidation,
  trusted: readonly string[],
  message: string,
): Verdict | null {
  if (wellKnown === undefined) {
    const nobody = 'No CA is left that could vouch for the backend, so that no connection is made';
    return trusted.length > 0 ? null : no('NoValidCACertificate', `${nobody}: ${message}`);
  }
  if (wellKnown === SYSTEM) return null;
  return no('Invalid', `wellKnownCACertificates ${wellKnown} is not known here: use ${SYSTEM}, or caCertificateRefs`);
}
