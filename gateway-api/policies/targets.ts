// All policies by what they are attached to: which settings hold there, and what became of each policy.

import { changedKeys } from '../../routing/patched-map.ts';
import type { Changes } from '../changes.ts';
import { no, type Verdict } from '../conditions.ts';
import type { PartiesChange } from '../parties.ts';
import type { PolicyTargetReference, Resources } from '../resources.ts';
import { reuse } from '../reuse.ts';
import { ShardedDraft, ShardedMap } from '../sharded-map.ts';
import { admission, type Level, levelOf, lookUp, type Target, targetOf } from './attach.ts';
import { fieldOf, modeOf, type PolicyResource, type Setting, settingsOf, titleOf } from './settings.ts';

/** What the policies of one target, or of one part of it, say: each slot once. */
export interface Layer {
  readonly level: Level;
  /** `Service shop/orders`, `Service shop/orders http`. */
  readonly target: string;
  readonly enforced: readonly Setting[];
  readonly shadow: readonly Setting[];
}

/** A setting that another policy of the same target, mode and section makes already. */
export interface Loss {
  readonly field: string;
  readonly winner: string;
  /** Whether the winner came first by age, or else by name. */
  readonly isOlder: boolean;
}

/** What became of one policy at one target. */
export interface Claim {
  readonly verdict: Verdict;
  readonly losses: readonly Loss[];
}

interface TargetState {
  /** By section name, '' for the whole target; only those of which something holds. */
  readonly layers: ReadonlyMap<string, Layer>;
  /** By claimKey. Empty where the target is not ours to speak about. */
  readonly claims: ReadonlyMap<string, Claim>;
}

export interface PolicyIndex {
  /** Policies by the targets they name, `HTTPRoute shop/orders`, the one that wins first. */
  readonly named: ShardedMap<readonly PolicyResource[]>;
  readonly targets: ShardedMap<TargetState>;
  /** Keys of the Gateways among them, sorted. */
  readonly gatewayTargets: readonly string[];
}

export interface PoliciesChange {
  readonly policies: PolicyIndex;
  /** Targets at which something else holds now. */
  readonly changedTargets: ReadonlySet<string>;
  /** `Kind namespace/name` of policies that changed, or of which something became else. */
  readonly changedPolicies: ReadonlySet<string>;
}

export const NO_POLICIES: PolicyIndex = { named: new ShardedMap(), targets: new ShardedMap(), gatewayTargets: [] };

const NONE: readonly never[] = [];
const GATEWAY = 'Gateway ';
const KINDS = ['TrafficPolicy', 'XBackendTrafficPolicy'] as const;

export function updatePolicies(
  before: { readonly resources: Resources; readonly policies: PolicyIndex },
  resources: Resources,
  parties: PartiesChange,
  changes: Changes,
): PoliciesChange {
  const named = new ShardedDraft(before.policies.named);
  const stale = new Set<string>();
  const changedPolicies = new Set<string>();
  for (const kind of KINDS) {
    for (const key of changes[kind]) {
      rename(named, before.resources[kind].get(key), resources[kind].get(key), stale);
      changedPolicies.add(`${kind} ${key}`);
    }
  }
  const gateways = new Set([...changes.Gateway, ...parties.changedGateways]);
  const touched = { Service: changes.Service, HTTPRoute: changes.HTTPRoute, Gateway: gateways };
  for (const [kind, keys] of Object.entries(touched)) {
    for (const key of keys) if (named.get(`${kind} ${key}`) !== undefined) stale.add(`${kind} ${key}`);
  }
  const targets = new ShardedDraft(before.policies.targets);
  const changedTargets = new Set<string>();
  for (const target of stale) {
    const old = targets.get(target);
    const policies = named.get(target);
    const state = policies && stateOf(lookUp(target, { resources, gateways: parties.gateways }), policies, old);
    if (old?.layers !== state?.layers && (old?.layers ?? NO_LAYERS).size + (state?.layers ?? NO_LAYERS).size > 0) {
      changedTargets.add(target);
    }
    for (const key of changedKeys(old?.claims ?? NO_CLAIMS, state?.claims ?? NO_CLAIMS)) {
      changedPolicies.add(key.slice(0, key.lastIndexOf(' ')));
    }
    targets.put(target, state);
  }
  const gatewayTargets = gatewaysAmong(before.policies.gatewayTargets, changedTargets, targets.current);
  const policies = { named: named.current, targets: targets.current, gatewayTargets };
  return { policies, changedTargets, changedPolicies };
}

function gatewaysAmong(
  before: readonly string[],
  changed: ReadonlySet<string>,
  targets: ShardedMap<TargetState>,
): readonly string[] {
  const keys = new Set(before);
  for (const target of changed) {
    if (!target.startsWith(GATEWAY)) continue;
    if ((targets.get(target)?.layers.size ?? 0) > 0) keys.add(target.slice(GATEWAY.length));
    else keys.delete(target.slice(GATEWAY.length));
  }
  return reuse(before, [...keys].sort());
}

export function claimKey(policy: PolicyResource, section: string): string {
  return `${titleOf(policy)} ${section}`;
}

const NO_LAYERS: TargetState['layers'] = new Map();
const NO_CLAIMS: TargetState['claims'] = new Map();

function rename(
  named: ShardedDraft<readonly PolicyResource[]>,
  old: PolicyResource | undefined,
  now: PolicyResource | undefined,
  stale: Set<string>,
): void {
  for (const target of targetsOf(old)) {
    const left = (named.get(target) ?? NONE).filter((policy) => policy !== old);
    named.put(target, left.length === 0 ? undefined : left);
    stale.add(target);
  }
  for (const target of targetsOf(now)) {
    named.put(target, [...(named.get(target) ?? NONE), now!].sort(olderFirst));
    stale.add(target);
  }
}

function targetsOf(policy: PolicyResource | undefined): ReadonlySet<string> {
  const targets = policy?.spec.targetRefs.map((ref) => targetOf(ref, policy)) ?? NONE;
  return new Set(targets.filter((target) => target !== null));
}

/** Gateway API conflict resolution: the oldest, then `namespace/name`. */
function olderFirst(a: PolicyResource, b: PolicyResource): number {
  if (a.createdAt !== b.createdAt) return a.createdAt - b.createdAt;
  return keyOf(a) < keyOf(b) ? -1 : 1;
}

function keyOf({ kind, metadata }: PolicyResource): string {
  return `${metadata.namespace}/${metadata.name} ${kind}`;
}

function stateOf(target: Target, policies: readonly PolicyResource[], old: TargetState | undefined): TargetState {
  if (target.isElsewhere) return { layers: NO_LAYERS, claims: NO_CLAIMS };
  const layers = new Map<string, LayerDraft>();
  const claims = new Map<string, Claim>();
  for (const policy of policies) {
    for (const section of sectionsAt(target, policy)) {
      const verdict = admission(policy, target, section);
      let losses: readonly Loss[] = NONE;
      if (verdict.status === 'True') {
        const layer = layers.get(section) ?? new LayerDraft();
        layers.set(section, layer);
        losses = layer.add(policy);
      }
      const claim = { verdict: contested(verdict, losses, policy), losses };
      claims.set(claimKey(policy, section), reuse(old?.claims.get(claimKey(policy, section)), claim));
    }
  }
  const settled = new Map<string, Layer>();
  for (const [section, { enforced, shadow }] of layers) {
    const layer = {
      level: levelOf(target.kind, section),
      target: `${target.kind} ${target.key}${section === '' ? '' : ` ${section}`}`,
      enforced: [...enforced.values()],
      shadow: [...shadow.values()],
    };
    settled.set(section, reuse(old?.layers.get(section), layer));
  }
  return { layers: reuse(old?.layers, settled), claims };
}

function sectionsAt({ kind, key }: Target, policy: PolicyResource): readonly string[] {
  const refs: readonly PolicyTargetReference[] = policy.spec.targetRefs;
  return refs.filter((ref) => targetOf(ref, policy) === `${kind} ${key}`).map(({ sectionName = '' }) => sectionName);
}

class LayerDraft {
  readonly enforced = new Map<string, Setting>();
  readonly shadow = new Map<string, Setting>();

  /** Takes what no older policy says already. */
  add(policy: PolicyResource): readonly Loss[] {
    const settings = modeOf(policy) === 'Shadow' ? this.shadow : this.enforced;
    const losses: Loss[] = [];
    for (const setting of settingsOf(policy)) {
      const winner = settings.get(setting.slot);
      if (winner === undefined) settings.set(setting.slot, setting);
      else {
        losses.push({
          field: fieldOf(setting),
          winner: winner.from,
          isOlder: winner.createdAt !== setting.createdAt,
        });
      }
    }
    return losses.length === 0 ? NONE : losses;
  }
}

/** A policy of which nothing is left is not accepted. */
function contested(verdict: Verdict, losses: readonly Loss[], policy: PolicyResource): Verdict {
  if (losses.length === 0 || losses.length < settingsOf(policy).length) return verdict;
  return no('Conflicted', `Nothing of it is in force here: ${lossWords(losses)}`);
}

/** `retry.on is set by TrafficPolicy shop/a, which is older; ...`. */
export function lossWords(losses: readonly Loss[]): string {
  return [...Map.groupBy(losses, ({ winner }) => winner)]
    .map(([winner, all]) => {
      const fields = all.map(({ field }) => field).join(', ');
      return `${fields} ${all.length === 1 ? 'is' : 'are'} set by ${winner}, which ${all[0]!.isOlder ? 'is older' : 'comes first by name'}`;
    })
    .join('; ');
}
