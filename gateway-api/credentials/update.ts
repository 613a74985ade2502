// The credentials that workers get: those that an address or a backend names, and no others.

import type { BackendPlan, BindPlan, CredentialPlan } from '../../policies/plan.ts';
import { changedKeys } from '../../routing/patched-map.ts';
import { DraftMap } from '../draft-map.ts';
import type { Environment } from '../environment.ts';
import type { Resources } from '../resources.ts';
import { reuse } from '../reuse.ts';
import type { Translation } from '../translation.ts';
import { contentOf } from './content.ts';
import { holderOf } from './lookup.ts';

/** Ids of credentials by the backend that names them; of thousands of backends few do. */
export type CredentialUses = ReadonlyMap<string, readonly string[]>;

interface CredentialsChange {
  readonly credentials: ReadonlyMap<string, CredentialPlan>;
  readonly uses: CredentialUses;
}

interface Users {
  readonly binds: ReadonlyMap<string, BindPlan>;
  readonly backends: ReadonlyMap<string, BackendPlan>;
}

const NONE: readonly never[] = [];

export function updateCredentials(
  { snapshot, state }: Translation,
  resources: Resources,
  environment: Environment,
  { binds, backends }: Users,
): CredentialsChange {
  const uses = new DraftMap(state.credentialUses);
  for (const id of changedKeys(snapshot.backends, backends)) {
    const named = namedBy(backends.get(id));
    uses.put(id, named.length === 0 ? undefined : reuse(uses.get(id), named));
  }
  const wanted = new Set([...uses.current.values()].flat());
  for (const { listeners, clientValidation } of binds.values()) {
    for (const { certificates } of listeners) for (const id of certificates) wanted.add(id);
    for (const id of clientValidation?.authorities ?? NONE) wanted.add(id);
  }
  const credentials = new DraftMap(snapshot.credentials);
  for (const id of snapshot.credentials.keys()) if (!wanted.has(id)) credentials.put(id, undefined);
  for (const id of wanted) {
    const holder = holderOf(id, resources, environment);
    credentials.put(id, holder && reuse(credentials.get(id), contentOf(holder).plan));
  }
  return { credentials: credentials.current, uses: uses.current };
}

function namedBy(backend: BackendPlan | undefined): readonly string[] {
  const { tls = null } = backend ?? {};
  if (tls === null) return NONE;
  return tls.certificate === null ? tls.authorities : [tls.certificate, ...tls.authorities];
}
