// A traffic policy as single settings, the units in which policies of different levels are merged.

import type { TrafficPolicy, XBackendTrafficPolicy } from '../resources.ts';

export type PolicyResource = TrafficPolicy | XBackendTrafficPolicy;

/** About one request: decided for a rule and the backend that it chose. */
export const REQUEST_SECTIONS = ['retry', 'rateLimit', 'fault', 'sessionPersistence'] as const;
/** About the endpoints of a Service, shared by all routes that lead there. */
export const ENDPOINT_SECTIONS = [
  'connections',
  'circuitBreaker',
  'outlierDetection',
  'healthCheck',
  'retryConstraint',
] as const;
/** Both: a rule may choose otherwise among the same endpoints. */
export const BALANCING_SECTION = 'loadBalancing';

export type Section = (typeof REQUEST_SECTIONS)[number] | (typeof ENDPOINT_SECTIONS)[number] | typeof BALANCING_SECTION;

export interface Setting {
  readonly section: Section;
  /** Field of the section; '' where the section is one setting. */
  readonly name: string;
  /** Settings with the same slot exclude each other, within a policy and between levels. */
  readonly slot: string;
  readonly value: unknown;
  /** Who says so: `TrafficPolicy shop/orders`. */
  readonly from: string;
  readonly createdAt: number;
}

const SECTIONS: readonly Section[] = [BALANCING_SECTION, ...ENDPOINT_SECTIONS, ...REQUEST_SECTIONS];
/** Its fields only make sense together. */
const WHOLE: ReadonlySet<Section> = new Set<Section>(['sessionPersistence']);
/** One of them asks, whichever is the more specific. */
const SLOTS: Readonly<Record<string, string>> = { 'healthCheck.http': 'healthCheck', 'healthCheck.tcp': 'healthCheck' };

const known = new WeakMap<PolicyResource, readonly Setting[]>();

export function settingsOf(policy: PolicyResource): readonly Setting[] {
  let settings = known.get(policy);
  if (settings === undefined) {
    const spec = policy.spec as Readonly<Record<string, unknown>>;
    const author = { from: titleOf(policy), createdAt: policy.createdAt };
    settings = SECTIONS.flatMap((section) => sectionSettings(section, spec[section], author));
    known.set(policy, settings);
  }
  return settings;
}

export function sectionSettings(
  section: Section,
  value: unknown,
  author: Pick<Setting, 'from' | 'createdAt'>,
): readonly Setting[] {
  if (value === undefined) return [];
  if (WHOLE.has(section)) return [{ section, name: '', slot: section, value, ...author }];
  return Object.entries(value as object).map(([name, field]) => {
    const path = `${section}.${name}`;
    return { section, name, slot: SLOTS[path] ?? path, value: field, ...author };
  });
}

/** `retry.perTryTimeout`: its path below `spec`. */
export function fieldOf({ section, name }: Setting): string {
  return name === '' ? section : `${section}.${name}`;
}

/** `TrafficPolicy shop/orders`. */
export function titleOf({ kind, metadata }: PolicyResource): string {
  return `${kind} ${metadata.namespace}/${metadata.name}`;
}

export function modeOf(policy: PolicyResource): 'Enforce' | 'Shadow' {
  return policy.kind === 'TrafficPolicy' ? policy.spec.mode : 'Enforce';
}
