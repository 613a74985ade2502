// The effective policy in words, section by section, each field with where it comes from: also those that nobody set.

import { DEFAULT_CIRCUIT_BREAKER, describeCircuitBreaker } from '../../policies/circuit-breaker.ts';
import { decodeConnections, describeConnections } from '../../policies/connections.ts';
import { describeFault } from '../../policies/fault.ts';
import { describeHealthCheck } from '../../policies/health-check.ts';
import { decodeLoadBalancing, describeLoadBalancing } from '../../policies/load-balancing.ts';
import { DEFAULT_OUTLIER, describeOutlier } from '../../policies/outlier.ts';
import type { DecodeReport } from '../../policies/policy.ts';
import { describeRateLimit } from '../../policies/rate-limit.ts';
import { describeRetry, SAFE_RETRY } from '../../policies/retry.ts';
import { DEFAULT_RETRY_BUDGET, describeRetryBudget } from '../../policies/retry-budget.ts';
import { describeSession } from '../../policies/session.ts';
import type { BackendPolicy, ConnectionsPlan, Origin, Policies, RequestPolicy } from '../../policies/traffic.ts';
import type { LoadBalancingPlan } from '../../routing/load-balancing.ts';
import type { Limits } from '../config.ts';
import {
  type Fields,
  fieldsOfBalancing,
  fieldsOfBudget,
  fieldsOfCircuit,
  fieldsOfConnections,
  fieldsOfHealthCheck,
  fieldsOfOutlier,
  fieldsOfRetry,
} from './policy-fields.ts';
import type { ExplainedSection } from './report.ts';

interface Merged<T> {
  readonly policy: Policies<T>;
  readonly origins: readonly Origin[];
}

interface Section<T, P> {
  /** Below `spec`. */
  readonly name: string;
  readonly plan: (policy: T) => P | null;
  /** What holds where nobody says anything; null: nothing is done. */
  readonly fallback: P | null;
  readonly describe: (plan: P) => string;
  /** Of a plan, in the order and the words of the API, without those that are absent unless written. */
  readonly fields: (plan: P) => Fields;
}

/** Of a rule and one of its backends. */
export function requestSections(merged: Merged<RequestPolicy>): readonly ExplainedSection[] {
  const own: Section<RequestPolicy, LoadBalancingPlan> = { ...BALANCING, plan: (policy) => policy.loadBalancing };
  const { enforced, shadow } = merged.policy;
  // Only where a rule chooses otherwise than its backend.
  const chooses = enforced.loadBalancing !== null || (shadow !== null && shadow.loadBalancing !== null);
  return [
    sectionOf(RETRY, merged),
    ...(chooses ? [sectionOf(own, merged)] : []),
    sectionOf(SESSION, merged),
    sectionOf(RATE_LIMIT, merged),
    sectionOf(FAULT, merged),
  ];
}

/** Of a backend; `limits` are those of the process. */
export function endpointSections(merged: Merged<BackendPolicy>, limits: Limits): readonly ExplainedSection[] {
  const connections: Section<BackendPolicy, ConnectionsPlan> = {
    name: 'connections',
    plan: (policy) => withLimits(policy.connections, limits),
    fallback: withLimits(NO_CONNECTIONS, limits),
    describe: describeConnections,
    fields: fieldsOfConnections,
  };
  const balancing: Section<BackendPolicy, LoadBalancingPlan> = { ...BALANCING, plan: (policy) => policy.loadBalancing };
  return [
    sectionOf(balancing, merged),
    sectionOf(connections, merged),
    sectionOf(CIRCUIT, merged),
    sectionOf(OUTLIER, merged),
    sectionOf(HEALTH, merged),
    sectionOf(BUDGET, merged),
  ];
}

function sectionOf<T, P>(section: Section<T, P>, { policy, origins }: Merged<T>): ExplainedSection {
  const own = origins.filter(({ field }) => field === section.name || field.startsWith(`${section.name}.`));
  const plan = section.plan(policy.enforced) ?? section.fallback;
  const isShadowed = policy.shadow !== null && own.some(({ mode }) => mode === 'Shadow');
  const promoted = isShadowed && policy.shadow !== null ? section.plan(policy.shadow) : null;
  const written = own.filter(({ mode }) => mode === 'Enforce');
  return {
    section: section.name,
    effect: effectOf(section, plan),
    shadow: promoted === null ? null : effectOf(section, promoted),
    fields: [
      ...(plan === null ? written : inOrder(section, plan, written)),
      ...own.filter(({ mode }) => mode === 'Shadow'),
    ],
  };
}

/** Without the name of the section, which stands before it anyway. */
function effectOf<T, P>({ describe }: Section<T, P>, plan: P | null): string {
  return plan === null ? 'none' : describe(plan).replace(/^[a-z ]+: /, '');
}

/** As written where somebody wrote it, else as it holds. */
function inOrder<T, P>({ name, fields }: Section<T, P>, plan: P, written: readonly Origin[]): readonly Origin[] {
  const all = fields(plan).map(([field, value]): Origin => {
    const path = `${name}.${field}`;
    const origin = written.find((one) => one.field === path);
    return origin ?? { field: path, from: 'default', level: 'default', mode: 'Enforce', value };
  });
  return [...all, ...written.filter((origin) => !all.includes(origin))];
}

function withLimits(plan: ConnectionsPlan | null, limits: Limits): ConnectionsPlan | null {
  if (plan === null) return null;
  return {
    ...plan,
    connectTimeoutMs: plan.connectTimeoutMs ?? limits.connectTimeoutMs,
    idleTimeoutMs: plan.idleTimeoutMs ?? limits.upstreamIdleTimeoutMs,
  };
}

/** Empty settings are right. */
const SILENT: DecodeReport = { unsupported() {} };
const NO_CONNECTIONS: ConnectionsPlan | null = decodeConnections({}, '', SILENT);
const NO_FIELDS = (): Fields => [];

const BALANCING: Omit<Section<unknown, LoadBalancingPlan>, 'plan'> = {
  name: 'loadBalancing',
  fallback: decodeLoadBalancing({}, '', SILENT),
  describe: describeLoadBalancing,
  fields: fieldsOfBalancing,
};

function section<T, P>(parts: Section<T, P>): Section<T, P> {
  return parts;
}

const RETRY = section({
  name: 'retry',
  plan: ({ retry }: RequestPolicy) => retry,
  fallback: SAFE_RETRY,
  describe: describeRetry,
  fields: fieldsOfRetry,
});
const SESSION = section({
  name: 'sessionPersistence',
  plan: ({ session }: RequestPolicy) => session,
  fallback: null,
  describe: describeSession,
  fields: NO_FIELDS,
});
const RATE_LIMIT = section({
  name: 'rateLimit',
  plan: ({ rateLimit }: RequestPolicy) => rateLimit,
  fallback: null,
  describe: describeRateLimit,
  fields: NO_FIELDS,
});
const FAULT = section({
  name: 'fault',
  plan: ({ fault }: RequestPolicy) => fault,
  fallback: null,
  describe: describeFault,
  fields: NO_FIELDS,
});
const CIRCUIT = section({
  name: 'circuitBreaker',
  plan: ({ circuitBreaker }: BackendPolicy) => circuitBreaker,
  fallback: DEFAULT_CIRCUIT_BREAKER,
  describe: describeCircuitBreaker,
  fields: fieldsOfCircuit,
});
const OUTLIER = section({
  name: 'outlierDetection',
  plan: ({ outlierDetection }: BackendPolicy) => outlierDetection,
  fallback: DEFAULT_OUTLIER,
  describe: describeOutlier,
  fields: fieldsOfOutlier,
});
const HEALTH = section({
  name: 'healthCheck',
  plan: ({ healthCheck }: BackendPolicy) => healthCheck,
  fallback: null,
  describe: describeHealthCheck,
  fields: fieldsOfHealthCheck,
});
const BUDGET = section({
  name: 'retryConstraint',
  plan: ({ retryBudget }: BackendPolicy) => retryBudget,
  fallback: DEFAULT_RETRY_BUDGET,
  describe: describeRetryBudget,
  fields: fieldsOfBudget,
});
