// What a policy is attached to, and whether it may be: the targets it names, in its own namespace only (GEP-713).

import { no, type Verdict, yes } from '../conditions.ts';
import type { GatewayState } from '../gateways.ts';
import { coreGroup } from '../references.ts';
import type { PolicyTargetReference, Resources } from '../resources.ts';
import { decodeSettings } from './decode.ts';
import { ENDPOINT_SECTIONS, type PolicyResource, type Section, settingsOf } from './settings.ts';

export type TargetKind = 'Service' | 'HTTPRoute' | 'Gateway';

/** From the more to the less specific, as `explain` calls them. */
export type Level = 'rule' | 'route' | 'Service port' | 'Service' | 'Gateway';

export interface AttachScope {
  readonly resources: Resources;
  readonly gateways: ReadonlyMap<string, GatewayState>;
}

/** The object that a policy is attached to, as far as policies care. */
export interface Target {
  readonly kind: TargetKind;
  /** `namespace/name`. */
  readonly key: string;
  /** Names of its ports or rules; null: there is no such object. */
  readonly sections: readonly string[] | null;
  /** A Gateway that somebody else serves: it is not ours to say anything. */
  readonly isElsewhere: boolean;
}

const LEVELS: Readonly<Record<TargetKind, readonly [part: Level, whole: Level]>> = {
  HTTPRoute: ['rule', 'route'],
  Service: ['Service port', 'Service'],
  Gateway: ['Gateway', 'Gateway'],
};
const PARTS: Readonly<Record<TargetKind, string>> = { HTTPRoute: 'rule', Service: 'port', Gateway: 'section' };
const ENFORCED = yes('Accepted', 'Policy is accepted');
const FOR_ENDPOINTS: ReadonlySet<Section> = new Set(ENDPOINT_SECTIONS);

/** `HTTPRoute shop/orders`; null where the reference is of no kind that has policies. */
export function targetOf(ref: PolicyTargetReference, policy: PolicyResource): string | null {
  const kind = kindOf(ref);
  return kind === null ? null : `${kind} ${policy.metadata.namespace}/${ref.name}`;
}

export function lookUp(target: string, { resources, gateways }: AttachScope): Target {
  const [kind, key] = target.split(' ') as [TargetKind, string];
  switch (kind) {
    case 'Service':
      return { kind, key, sections: namesOf(resources.Service.get(key)?.spec.ports), isElsewhere: false };
    case 'HTTPRoute':
      return { kind, key, sections: namesOf(resources.HTTPRoute.get(key)?.spec.rules), isElsewhere: false };
    case 'Gateway': {
      const exists = resources.Gateway.has(key);
      return { kind, key, sections: exists ? [] : null, isElsewhere: exists && !gateways.has(key) };
    }
  }
}

export function levelOf(kind: TargetKind, section: string): Level {
  return LEVELS[kind][section === '' ? 1 : 0];
}

/** Of a policy by itself, whatever other policies say. `section`: '' for the whole target. */
export function admission(policy: PolicyResource, target: Target, section: string): Verdict {
  const { kind, key, sections } = target;
  if (sections === null) {
    return no(
      'TargetNotFound',
      `There is no ${kind} ${key}: create it, or correct the name (in the policy's namespace)`,
    );
  }
  if (section !== '' && !sections.includes(section)) {
    const part = PARTS[kind];
    const known = sections.length === 0 ? `no named ${part}` : sections.join(', ');
    return no('TargetNotFound', `${kind} ${key} has no ${part} named ${section}; it has ${known}`);
  }
  if (policy.kind === 'XBackendTrafficPolicy' && kind !== 'Service') {
    return no('Invalid', `An XBackendTrafficPolicy is for backends: target a Service instead of a ${kind}`);
  }
  if (kind === 'HTTPRoute') {
    const wrong = [...new Set(settingsOf(policy).map((setting) => setting.section))].filter((each) =>
      FOR_ENDPOINTS.has(each),
    );
    if (wrong.length > 0) {
      const fields = wrong.map((each) => `spec.${each}`).join(', ');
      return no('Invalid', `${fields}: about endpoints, which all routes share; target the Service instead`);
    }
  }
  const problem = problemOf(policy);
  return problem === null ? ENFORCED : no('Invalid', problem);
}

const problems = new WeakMap<PolicyResource, string | null>();

/** What is wrong with the policy although it passed its schema. */
function problemOf(policy: PolicyResource): string | null {
  let problem = problems.get(policy);
  if (problem === undefined) {
    const sections = Map.groupBy(settingsOf(policy), ({ section }) => section);
    const all = [...sections].flatMap(([section, settings]) => decodeSettings(section, settings).problem ?? []);
    problem = all.length === 0 ? null : all.join('; ');
    problems.set(policy, problem);
  }
  return problem;
}

function kindOf({ group, kind }: PolicyTargetReference): TargetKind | null {
  if (coreGroup(group) === '') return kind === 'Service' ? kind : null;
  return group === 'gateway.networking.k8s.io' && (kind === 'HTTPRoute' || kind === 'Gateway') ? kind : null;
}

function namesOf(parts: readonly { readonly name?: string }[] | undefined): readonly string[] | null {
  return parts?.flatMap(({ name }) => (name === undefined || name === '' ? [] : [name])) ?? null;
}
