// Whom a CUSTOM policy asks: the extension provider that it names, or why nobody can be asked.

import type { ExternalAuthPlan } from '../../policies/external-auth.ts';
import { NO_NAMES } from '../../policies/header-names.ts';
import type { PlanFailure } from '../../policies/plan.ts';
import type { Resources } from '../resources.ts';

/** A provider that cannot be resolved refuses whatever it would be asked about. */
export function providerPlan(_resources: Resources, _namespace: string, name: string): ExternalAuthPlan {
  return refusing(name, { reason: 'ProviderNotFound', message: `There is no extension provider ${name}` });
}

function refusing(provider: string, failure: PlanFailure): ExternalAuthPlan {
  return {
    provider,
    protocol: 'HTTP',
    backend: null,
    failure,
    pathPrefix: '',
    allowedHeaders: NO_NAMES,
    additionalHeaders: [],
    allowedResponseHeaders: NO_NAMES,
    clientHeadersOnDeny: NO_NAMES,
    clientHeadersOnAllow: NO_NAMES,
    forwardBody: null,
    timeoutMs: 0,
    failOpen: false,
    statusOnError: 403,
  };
}
