// Policies about access as plans: decoded once for each object, whatever it is attached to.

import { type AuthenticationPlan, decodeAuthentication, reservedFields } from '../../policies/authentication.ts';
import type { AuthorizationAction, AuthorizationPlan } from '../../policies/authorization.ts';
import { type DecodedAuthorization, decodeAuthorization } from '../../policies/authorization-decode.ts';
import type { DecodeReport } from '../../policies/policy.ts';
import { resolveProvider } from '../external-providers.ts';
import { DRY_RUN } from '../kinds.ts';
import type { Resources } from '../resources.ts';
import type { AccessPolicy, AuthorizationPolicy, RequestAuthentication } from './resources.ts';

interface Decoded<T> {
  /** null where there is a problem. */
  readonly plan: T | null;
  readonly problem: string | null;
}

const authorizations = new WeakMap<AuthorizationPolicy, Decoded<DecodedAuthorization>>();
const authentications = new WeakMap<RequestAuthentication, Decoded<AuthenticationPlan['rules']>>();

/** What is wrong with the policy wherever it is attached; null: nothing. */
export function problemOf(policy: AccessPolicy): string | null {
  return policy.kind === 'AuthorizationPolicy' ? authorization(policy).problem : authentication(policy).problem;
}

function authorization(policy: AuthorizationPolicy): Decoded<DecodedAuthorization> {
  const { spec, metadata } = policy;
  return remembered(authorizations, policy, (report) => {
    const dryRun = metadata.annotations[DRY_RUN];
    if (dryRun !== undefined && dryRun !== 'true' && dryRun !== 'false') {
      report.unsupported(`metadata.annotations["${DRY_RUN}"]`, `must be "true" or "false" (got "${dryRun}")`);
      return null;
    }
    return decodeAuthorization(spec, 'spec', metadata.namespace, report);
  });
}

function authentication(policy: RequestAuthentication): Decoded<AuthenticationPlan['rules']> {
  return remembered(authentications, policy, (report) => decodeAuthentication(policy.spec, 'spec', report));
}

function remembered<P extends AccessPolicy, T>(
  known: WeakMap<P, Decoded<T>>,
  policy: P,
  decode: (report: DecodeReport) => T | null,
): Decoded<T> {
  let decoded = known.get(policy);
  if (decoded === undefined) {
    decoded = decodedOf(policy, decode);
    known.set(policy, decoded);
  }
  return decoded;
}

function decodedOf<T>({ spec }: AccessPolicy, decode: (report: DecodeReport) => T | null): Decoded<T> {
  if (spec.failure !== undefined) return { plan: null, problem: spec.failure };
  const problems: string[] = [];
  const report: DecodeReport = { unsupported: (path, message) => problems.push(`${path}: ${message}`) };
  if (spec.selector !== undefined && (spec.targetRef ?? spec.targetRefs) !== undefined) {
    report.unsupported('spec.selector', 'does not go with targetRefs: remove it');
  }
  if (spec.targetRef !== undefined && spec.targetRefs !== undefined) {
    report.unsupported('spec.targetRef', 'does not go with targetRefs: add it to the list');
  }
  const plan = decode(report);
  return problems.length === 0 ? { plan, problem: null } : { plan: null, problem: problems.join('; ') };
}

/** null where there is a problem. */
export function decodedAuthorization(policy: AuthorizationPolicy): DecodedAuthorization | null {
  return authorization(policy).plan;
}

export function isShadow({ metadata, spec }: AuthorizationPolicy): boolean {
  return spec.mode === 'Shadow' || metadata.annotations[DRY_RUN] === 'true';
}

/** Where it looks for keys. */
export function jwksUrisOf(policy: RequestAuthentication): readonly string[] {
  return (authentication(policy).plan ?? []).flatMap(({ keys }) => ('uri' in keys ? [keys.uri] : []));
}

/** `name`: how it is called where it is in force. */
export function authorizationPlan(policy: AuthorizationPolicy, name: string, resources: Resources): AuthorizationPlan {
  const { plan, problem } = authorization(policy);
  const shadow = isShadow(policy);
  if (plan === null) {
    return {
      policy: name,
      action: actionOf(policy),
      shadow,
      rules: [],
      provider: null,
      externalAuth: null,
      failure: problem,
    };
  }
  const { provider } = plan;
  const externalAuth = provider === null ? null : resolveProvider(resources, policy.metadata.namespace, provider);
  return { policy: name, shadow, ...plan, externalAuth, failure: null };
}

const ACTIONS: readonly AuthorizationAction[] = ['ALLOW', 'DENY', 'AUDIT', 'CUSTOM'];

function actionOf({ spec }: AuthorizationPolicy): AuthorizationAction {
  return ACTIONS.find((action) => action === spec.action) ?? 'ALLOW';
}

export function authenticationPlan(policy: RequestAuthentication, name: string): AuthenticationPlan {
  const { plan, problem } = authentication(policy);
  return { policy: name, rules: plan ?? [], reserved: reservedFields(policy.spec), failure: problem };
}
