// All BackendTLSPolicies by the Services they target: which of them holds for each port, and what became of the others.

import type { BackendTlsPlan } from '../../policies/plan.ts';
import type { Changes } from '../changes.ts';
import { no, type Verdict, yes } from '../conditions.ts';
import { CredentialLookup, type CredentialScope, isCurrent, type Needs } from '../credentials/lookup.ts';
import { DraftMap } from '../draft-map.ts';
import { GATEWAY_GROUP } from '../environment.ts';
import { coreGroup } from '../references.ts';
import type { BackendTLSPolicy, PolicyTargetReference, Resources, Service } from '../resources.ts';
import { reuse } from '../reuse.ts';
import { type JudgedValidation, judgeValidation } from './validation.ts';

/** One policy by itself, whatever it targets. */
interface Judged extends JudgedValidation {
  readonly policy: BackendTLSPolicy;
  readonly needs: Needs;
}

/** What became of one policy at one target. */
export interface TlsClaim {
  readonly accepted: Verdict;
  readonly resolved: Verdict;
}

interface TlsTarget {
  /** By the name of a port, '' for all others: the plan of the policy that holds, without a certificate of our own. */
  readonly ports: ReadonlyMap<string, BackendTlsPlan>;
  /** By tlsClaimKey. */
  readonly claims: ReadonlyMap<string, TlsClaim>;
}

export interface BackendTlsIndex {
  /** By policy. */
  readonly judged: ReadonlyMap<string, Judged>;
  /** Policies by the Service that they name, the one that wins first. */
  readonly named: ReadonlyMap<string, readonly BackendTLSPolicy[]>;
  /** By Service. */
  readonly targets: ReadonlyMap<string, TlsTarget>;
}

export interface BackendTlsChange {
  readonly index: BackendTlsIndex;
  /** Services of which something else holds now. */
  readonly changedTargets: ReadonlySet<string>;
  /** Keys of policies that changed, or of which something became else. */
  readonly changedPolicies: ReadonlySet<string>;
}

export const NO_BACKEND_TLS: BackendTlsIndex = { judged: new Map(), named: new Map(), targets: new Map() };

const NONE: readonly never[] = [];
const ACCEPTED = yes('Accepted', 'Policy is accepted');

interface Before {
  readonly resources: Resources;
  readonly backendTls: BackendTlsIndex;
}

/** `touched`: whatever a policy may have read, and is different now. */
export function updateBackendTls(
  { resources: old, backendTls: before }: Before,
  scope: CredentialScope,
  changes: Changes,
  touched: ReadonlySet<string>,
): BackendTlsChange {
  const { resources, environment } = scope;
  const judged = new DraftMap(before.judged);
  const named = new DraftMap(before.named);
  const stale = new Set<string>();
  const again = new Set(changes.BackendTLSPolicy);
  for (const [key, { needs }] of before.judged) if (!isCurrent(needs, environment.now, touched)) again.add(key);
  for (const key of again) {
    const policy = resources.BackendTLSPolicy.get(key);
    rename(named, old.BackendTLSPolicy.get(key), policy, stale);
    judged.put(key, policy && judge(policy, scope));
  }
  if (named.current.size > 0) for (const key of changes.Service) if (named.get(key) !== undefined) stale.add(key);
  const targets = new DraftMap(before.targets);
  for (const key of stale) {
    const policies = named.get(key)?.map((policy) => judged.get(keyOf(policy))!);
    targets.put(key, policies && reuse(targets.get(key), targetOf(key, policies, resources.Service.get(key))));
  }
  const changed = new Set([...changes.BackendTLSPolicy, ...policiesAt(targets.changed, before.named, named.current)]);
  const index = { judged: judged.current, named: named.current, targets: targets.current };
  return { index, changedTargets: targets.changed, changedPolicies: changed };
}

/** What holds for the port; null: cleartext. */
export function tlsOfPort({ targets }: BackendTlsIndex, service: string, port: string): BackendTlsPlan | null {
  const target = targets.get(service);
  return target?.ports.get(port) ?? target?.ports.get('') ?? null;
}

export function tlsClaimKey(policy: BackendTLSPolicy, section: string): string {
  return `${keyOf(policy)} ${section}`;
}

/** The Service that a reference means; null: it is of no kind that is spoken to. */
export function tlsTargetOf({ group, kind, name }: PolicyTargetReference, policy: BackendTLSPolicy): string | null {
  return coreGroup(group) === '' && kind === 'Service' ? `${policy.metadata.namespace}/${name}` : null;
}

/** Keys of the policies that name these Services. */
export function* policiesAt(
  services: Iterable<string>,
  ...indexes: readonly BackendTlsIndex['named'][]
): Iterable<string> {
  for (const service of services) {
    for (const named of indexes) for (const policy of named.get(service) ?? NONE) yield keyOf(policy);
  }
}

function keyOf({ metadata: { namespace, name } }: BackendTLSPolicy): string {
  return `${namespace}/${name}`;
}

function rename(
  named: DraftMap<readonly BackendTLSPolicy[]>,
  old: BackendTLSPolicy | undefined,
  now: BackendTLSPolicy | undefined,
  stale: Set<string>,
): void {
  for (const service of servicesOf(old)) {
    const left = (named.get(service) ?? NONE).filter((policy) => policy !== old);
    named.put(service, left.length === 0 ? undefined : left);
    stale.add(service);
  }
  for (const service of servicesOf(now)) {
    named.put(service, [...(named.get(service) ?? NONE), now!].sort(olderFirst));
    stale.add(service);
  }
}

function servicesOf(policy: BackendTLSPolicy | undefined): ReadonlySet<string> {
  const services = policy?.spec.targetRefs.map((ref) => tlsTargetOf(ref, policy)) ?? NONE;
  return new Set(services.filter((service) => service !== null));
}

/** Gateway API conflict resolution: the oldest, then `namespace/name`. */
function olderFirst(a: BackendTLSPolicy, b: BackendTLSPolicy): number {
  if (a.createdAt !== b.createdAt) return a.createdAt - b.createdAt;
  return keyOf(a) < keyOf(b) ? -1 : 1;
}

function judge(policy: BackendTLSPolicy, scope: CredentialScope): Judged {
  const referrer = { group: GATEWAY_GROUP, kind: 'BackendTLSPolicy', namespace: policy.metadata.namespace };
  const lookup = new CredentialLookup(scope, referrer);
  const { tls, refused, resolved } = judgeValidation(policy.spec.validation, lookup);
  const options = Object.keys(policy.spec.options ?? {});
  const { needs } = lookup;
  if (options.length === 0) return { policy, tls, refused, resolved, needs };
  // What is not understood might have made it safer.
  const message = `options ${options.join(', ')}: no option is known here; remove it`;
  const failure = { reason: 'Invalid', message };
  return { policy, tls: { ...tls, failure }, refused: no('Invalid', message), resolved, needs };
}

function targetOf(key: string, policies: readonly Judged[], service: Service | undefined): TlsTarget {
  const ports = new Map<string, BackendTlsPlan>();
  const winners = new Map<string, Judged>();
  const claims = new Map<string, TlsClaim>();
  for (const judged of policies) {
    const { policy, tls, refused, resolved } = judged;
    for (const section of sectionsAt(key, policy)) {
      const winner = winners.get(section);
      const missing = missingTarget(key, section, service);
      const accepted = missing ?? (winner === undefined ? (refused ?? ACCEPTED) : lost(winner, judged));
      claims.set(tlsClaimKey(policy, section), { accepted, resolved });
      if (missing !== null || winner !== undefined) continue;
      winners.set(section, judged);
      ports.set(section, tls);
    }
  }
  return { ports, claims };
}

function sectionsAt(key: string, policy: BackendTLSPolicy): readonly string[] {
  return policy.spec.targetRefs
    .filter((ref) => tlsTargetOf(ref, policy) === key)
    .map(({ sectionName = '' }) => sectionName);
}

function missingTarget(key: string, section: string, service: Service | undefined): Verdict | null {
  if (service === undefined) {
    return no('TargetNotFound', `There is no Service ${key}: create it, or correct the name`);
  }
  const names = service.spec.ports.flatMap(({ name = '' }) => (name === '' ? [] : [name]));
  if (section === '' || names.includes(section)) return null;
  const known = names.length === 0 ? 'no named port' : names.join(', ');
  return no('TargetNotFound', `Service ${key} has no port named ${section}; it has ${known}`);
}

function lost({ policy: winner }: Judged, { policy }: Judged): Verdict {
  const why = winner.createdAt === policy.createdAt ? 'comes first by name' : 'is older';
  return no('Conflicted', `BackendTLSPolicy ${keyOf(winner)} has the same target and ${why}`);
}
