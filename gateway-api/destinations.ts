// What routes may lead to beside the plain Services of a cluster, for all who resolve a reference to a backend.

import { type BackendTlsIndex, NO_BACKEND_TLS, updateBackendTls } from './backend-tls/policies.ts';
import type { Changes } from './changes.ts';
import type { CredentialScope } from './credentials/lookup.ts';
import { updateXBackends, type XBackends } from './egress/x-backends.ts';
import { DEFAULT_ENVIRONMENT, type Environment } from './environment.ts';
import type { State } from './translation.ts';

export interface Destinations {
  readonly backendTls: BackendTlsIndex;
  readonly xBackends: XBackends;
  readonly environment: Pick<Environment, 'allowExternalName' | 'clusterDomain'>;
}

export const NO_DESTINATIONS: Destinations = {
  backendTls: NO_BACKEND_TLS,
  xBackends: new Map(),
  environment: DEFAULT_ENVIRONMENT,
};

export interface DestinationsChange extends Destinations {
  /** Services of which ports are spoken to in another way than before. */
  readonly changedTargets: ReadonlySet<string>;
  readonly changedXBackends: ReadonlySet<string>;
  /** Keys of BackendTLSPolicies that changed, or of which something became else. */
  readonly changedTlsPolicies: ReadonlySet<string>;
}

/** As routes read them. */
export function* touchedDestinations({ changedTargets, changedXBackends }: DestinationsChange): Iterable<string> {
  for (const key of changedTargets) yield `BackendTLS ${key}`;
  for (const key of changedXBackends) yield `XBackend ${key}`;
}

/** `touched`: whatever may have been read, and is different now. */
export function updateDestinations(
  before: Pick<State, 'resources' | 'destinations'>,
  scope: CredentialScope,
  changes: Changes,
  touched: ReadonlySet<string>,
): DestinationsChange {
  const { backendTls, xBackends } = before.destinations;
  const { environment } = scope;
  const tls = updateBackendTls({ resources: before.resources, backendTls }, scope, changes, touched);
  const outside = updateXBackends(xBackends, scope, changes.XBackend, touched);
  return {
    backendTls: tls.index,
    xBackends: outside.xBackends,
    environment,
    changedTargets: tls.changedTargets,
    changedXBackends: outside.changed,
    changedTlsPolicies: tls.changedPolicies,
  };
}
