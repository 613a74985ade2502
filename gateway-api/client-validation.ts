// What a Gateway asks of client certificates on one port: spec.tls.frontend (GEP-91).

import type { ClientValidationPlan } from '../policies/plan.ts';
import { no, type Verdict, yes } from './conditions.ts';
import type { CredentialLookup, CredentialProblem } from './credentials/lookup.ts';
import type { FrontendTls, Gateway } from './resources.ts';

export interface ClientValidation {
  readonly plan: ClientValidationPlan;
  /** Why references do not resolve; null: all do. */
  readonly unresolved: Verdict | null;
  /** Why HTTPS listeners of the port are not accepted: nobody is left who could vouch for a client. */
  readonly refused: Verdict | null;
}

type Validation = NonNullable<FrontendTls['validation']>;

const REASONS: Readonly<Record<CredentialProblem['cause'], string>> = {
  kind: 'InvalidCACertificateKind',
  permission: 'RefNotPermitted',
  content: 'InvalidCACertificateRef',
};

/** null: clients are not asked for certificates. What is said for a port replaces the default, also where it says nothing. */
export function clientValidation(gateway: Gateway, port: number, lookup: CredentialLookup): ClientValidation | null {
  const frontend = gateway.spec.tls?.frontend;
  const own = frontend?.perPort?.find((each) => each.port === port);
  const validation = (own === undefined ? frontend?.default : own.tls)?.validation;
  return validation === undefined ? null : validationOf(validation, lookup);
}

/** A Gateway says aloud that clients without a valid certificate come in. null: none does. */
export function insecureMode({ spec: { tls } }: Gateway): Verdict | null {
  const { frontend } = tls ?? {};
  if (frontend === undefined) return null;
  const isInsecure = ({ validation }: FrontendTls): boolean => validation?.mode === 'AllowInsecureFallback';
  const ports = (frontend.perPort ?? []).filter((each) => isInsecure(each.tls)).map(({ port }) => `port ${port}`);
  const places = isInsecure(frontend.default) ? ['by default', ...ports] : ports;
  if (places.length === 0) return null;
  const message = `Mode AllowInsecureFallback (${places.join(', ')}): clients come in without a valid certificate`;
  return yes('ConfigurationChanged', message);
}

function validationOf({ mode, caCertificateRefs }: Validation, lookup: CredentialLookup): ClientValidation {
  const found = caCertificateRefs.map((ref) => lookup.authorities(ref));
  const authorities = [...new Set(found.filter(({ problem }) => problem === null).map(({ id }) => id))];
  const problems = found.map(({ problem }) => problem).filter((problem) => problem !== null);
  const message = problems.map((problem) => problem.message).join('; ');
  return {
    plan: { mode, authorities },
    unresolved: problems.length === 0 ? null : no(REASONS[problems[0]!.cause], `Client certificates: ${message}`),
    refused:
      authorities.length > 0 ? null : no('NoValidCACertificate', `No CA is left to vouch for clients: ${message}`),
  };
}
