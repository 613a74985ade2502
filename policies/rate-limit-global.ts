// Global rate limits: what a rate limit service is asked about a request (Envoy's RateLimitService, v3).

import type { AccessContext } from './authorization.ts';
import { formatDuration } from './duration.ts';
import { FIELD_NAME } from './field-syntax.ts';
import type { PlanFailure } from './plan.ts';
import type { DecodeReport } from './policy.ts';
import { type KeyPart, keyPartOf } from './rate-limit-key.ts';
import { quote, SettingsReader } from './settings-reader.ts';

export interface GlobalRateLimitPlan {
  readonly domain: string;
  /** `namespace/name:port` of the service; null when `failure` says why nobody can be asked. */
  readonly backend: string | null;
  readonly failure: PlanFailure | null;
  /** All of them are asked about in one call; one of which a part is missing in the request is left out. */
  readonly descriptors: readonly (readonly DescriptorEntry[])[];
  readonly timeoutMs: number;
  /** Whether a request passes where nobody answers; else 500, as Envoy does. */
  readonly failOpen: boolean;
}

/** One entry of a descriptor: a key, and where its value comes from. */
interface DescriptorEntry {
  readonly key: string;
  readonly source: KeyPart['source'] | (typeof OWN_VALUELESS)[number] | 'value' | 'claim';
  /** The fixed value, or the name of the header (lower-case), cookie, query parameter or claim; '' otherwise. */
  readonly name: string;
}

/** Of one descriptor, as it is sent. */
export type Descriptor = readonly (readonly [key: string, value: string])[];

/** Both Envoy's default and what a request is willing to wait for a mere limit. */
const TIMEOUT_MS = 20;

const NAMED = ['value', 'header', 'cookie', 'query', 'claim'] as const;
const OWN_VALUELESS = ['remoteIP', 'principal'] as const;
const VALUELESS = ['sourceIP', 'method', 'path', ...OWN_VALUELESS] as const;
const NONE: readonly Descriptor[] = [];
const MODES: Readonly<Record<string, boolean>> = { Open: true, Closed: false };

/** `rateLimit.global` of a TrafficPolicy; null after a report. The Service is one of the policy's own namespace. */
export function decodeGlobalLimit(raw: unknown, path: string, report: DecodeReport): GlobalRateLimitPlan | null {
  const settings = new SettingsReader(raw, path, report, [
    'domain',
    'service',
    'descriptors',
    'timeout',
    'failureMode',
  ]);
  settings.mandatory('domain', 'service', 'descriptors');
  const domain = settings.value('domain');
  if (settings.has('domain') && (typeof domain !== 'string' || domain === ''))
    settings.refuse('domain', `${quote(domain)} is no domain: write the name that the service knows its limits under`);
  const backend = settings.has('service') ? decodeService(settings, report) : '';
  const members = settings.list('descriptors') ?? [];
  if (settings.has('descriptors') && members.length === 0) settings.refuse('descriptors', 'needs at least one');
  const descriptors = members.map((member, index) => decodeDescriptor(member, index, settings));
  const timeoutMs = settings.period('timeout', TIMEOUT_MS);
  const mode = settings.value('failureMode') ?? 'Open';
  const failOpen = typeof mode === 'string' ? MODES[mode] : undefined;
  if (failOpen === undefined) settings.refuse('failureMode', `${quote(mode)} is unknown: write Open or Closed`);
  if (!settings.sound) return null;
  return {
    domain: domain as string,
    backend,
    failure: null,
    descriptors,
    timeoutMs,
    failOpen: failOpen as boolean,
  };
}

function decodeService(settings: SettingsReader, report: DecodeReport): string {
  const known = ['name', 'namespace', 'port'];
  const service = new SettingsReader(settings.value('service'), settings.at('service'), report, known);
  service.mandatory('name', 'port');
  const port = service.integer('port', { min: 1, max: 65_535 }, 1);
  const [name, namespace] = [service.value('name'), service.value('namespace')];
  if (service.has('name') && typeof name !== 'string') service.refuse('name', `${quote(name)} is no name of a Service`);
  if (!service.sound) settings.sound = false;
  return `${namespace ?? 'default'}/${name}:${port}`;
}

function decodeDescriptor(raw: unknown, index: number, settings: SettingsReader): readonly DescriptorEntry[] {
  if (Array.isArray(raw) && raw.length > 0)
    return raw.map((entry: unknown, at) => decodeEntry(entry, `descriptors[${index}][${at}]`, settings));
  settings.refuse(`descriptors[${index}]`, `${quote(raw)} is no descriptor: write a list of entries, [{key, header}]`);
  return [];
}

/** `{key: tenant, header: x-tenant}`, or `{key: client, sourceIP: true}` where there is nothing to name. */
function decodeEntry(raw: unknown, at: string, settings: SettingsReader): DescriptorEntry {
  const { key, ...rest } = (typeof raw === 'object' && raw !== null ? raw : {}) as Readonly<Record<string, unknown>>;
  const [field, value] = Object.entries(rest)[0] ?? ['', undefined];
  const named = NAMED.find((source) => source === field);
  const valueless = VALUELESS.find((source) => source === field);
  const entry = { key: typeof key === 'string' ? key : '', source: named ?? valueless ?? 'value', name: '' };
  if (entry.key === '')
    settings.refuse(`${at}.key`, 'is missing: write the key that the service knows the value under');
  if (Object.keys(rest).length !== 1 || (named ?? valueless) === undefined) {
    settings.refuse(at, `${quote(raw)} needs one source of its value: ${[...NAMED, ...VALUELESS].join(', ')}`);
    return entry;
  }
  if (valueless !== undefined) {
    if (value !== true) settings.refuse(`${at}.${field}`, `${quote(value)} says nothing: write true`);
    return entry;
  }
  const isToken = named === 'header' || named === 'cookie';
  if (typeof value !== 'string' || value === '' || (isToken && !FIELD_NAME.test(value.toLowerCase()))) {
    settings.refuse(`${at}.${field}`, `${quote(value)} is no ${named === 'value' ? 'value' : `name of a ${named}`}`);
    return entry;
  }
  return { ...entry, name: named === 'header' ? value.toLowerCase() : value };
}

/** What to ask about this request; empty: nothing. */
export function descriptorsOf({ descriptors }: GlobalRateLimitPlan, context: AccessContext): readonly Descriptor[] {
  const found: Descriptor[] = [];
  for (const entries of descriptors) {
    const descriptor = entries.map(({ key, source, name }) => [key, valueFrom(source, name, context)] as const);
    if (descriptor.every(([, value]) => value !== '')) found.push(descriptor);
  }
  return found.length === 0 ? NONE : found;
}

/** '' where the request has none: services refuse empty values. */
function valueFrom(source: DescriptorEntry['source'], name: string, context: AccessContext): string {
  switch (source) {
    case 'value':
      return name;
    case 'claim':
      return claim(context.token?.claims, name);
    case 'remoteIP':
      return context.remoteAddress;
    case 'principal':
      return context.peer.identity?.uri.replace(/^spiffe:\/\//, '') ?? '';
    default:
      return keyPartOf({ source, name }, context);
  }
}

/** Of a claim, or of one within others, `realm.role`. */
function claim(claims: Readonly<Record<string, unknown>> | undefined, name: string): string {
  let value: unknown = claims === undefined || !Object.hasOwn(claims, name) ? undefined : claims[name];
  if (value === undefined) {
    value = name.split('.').reduce<unknown>((at, step) => {
      return typeof at === 'object' && at !== null && Object.hasOwn(at, step) ? (at as never)[step] : undefined;
    }, claims);
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** For people. */
export function describeGlobalLimit(plan: GlobalRateLimitPlan): string {
  const descriptors = plan.descriptors.map((entries) => entries.map(describeEntry).join(' and '));
  const silence = plan.failOpen ? 'lets pass' : 'answers 500';
  return (
    `asks ${plan.backend} for domain ${plan.domain} about ${descriptors.join('; ')}; ` +
    `without an answer in ${formatDuration(plan.timeoutMs)} it ${silence}`
  );
}

function describeEntry({ key, source, name }: DescriptorEntry): string {
  return `${key} = ${[source, name].join(' ').trim()}`;
}
