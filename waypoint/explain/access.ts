// Who guards the request that is thought of, and what each of their policies says to it.

import type { VerifiedToken } from '../../policies/authentication.ts';
import type { AccessContext } from '../../policies/authorization.ts';
import { Authorizer } from '../../policies/authorizer.ts';
import type { BackendShare, Snapshot } from '../../policies/plan.ts';
import { targetsOf } from '../guard/guards.ts';
import type { ExplainedAccess, ExplainedAnswer } from './report.ts';

interface Place {
  /** `namespace/name`. */
  readonly gateway: string;
  /** The Service that was addressed; null: each backend's own counts. */
  readonly service: { readonly namespace: string; readonly name: string } | null;
  /** `HTTPRoute shop/orders`; null where no route is attached. */
  readonly route: string | null;
  readonly backends: readonly BackendShare[];
}

interface Judges {
  readonly snapshot: Snapshot;
  readonly trustDomains: readonly string[];
}

/** One where the same policies hold for every backend, else one for each; empty: nobody guards it. */
export function accessOf(
  { gateway, service, route, backends }: Place,
  context: AccessContext,
  { snapshot, trustDomains }: Judges,
): readonly ExplainedAccess[] {
  const own = new Set(service === null ? backends.map(({ backend }) => backend) : []);
  const explained = (own.size === 0 ? [null] : [...own]).flatMap((backend): ExplainedAccess[] => {
    const targets = targetsOf(gateway, service, backend, route);
    const plans = targets.flatMap((target) => snapshot.access.get(target) ?? []);
    if (plans.length === 0) return [];
    const authentications = plans.flatMap((plan) => plan.authentications.map(({ policy }) => policy));
    const authorizer = new Authorizer(
      plans.flatMap((plan) => plan.policies),
      trustDomains,
    );
    const { allowed, policy, rule, audited } = authorizer.decide(context);
    return [
      {
        backend,
        ...{ targets: plans.map(({ target }) => target), authentications },
        asked: authorizer.custom(context).map((each) => `${each.provider} (${each.policy})`),
        ...{ allowed, policy, rule, audited },
        policies: authorizer.explain(context),
      },
    ];
  });
  const [first, ...others] = explained;
  const isSame = first !== undefined && others.every((each) => each.targets.join() === first.targets.join());
  return isSame && explained.length === Math.max(own.size, 1) ? [{ ...first, backend: null }] : explained;
}

/** null: some of it may pass. */
export function accessAnswer(access: readonly ExplainedAccess[], backends: number): ExplainedAnswer | null {
  const denied = access.filter(({ allowed }) => !allowed);
  const [first] = denied;
  if (first === undefined || (first.backend !== null && denied.length < backends)) return null;
  return { status: 403, reason: 'access_denied', message: `denied by ${decisionWords(first)}` };
}

/** `AuthorizationPolicy shop/orders, rule 0`. */
export function decisionWords({ policy, rule }: Pick<ExplainedAccess, 'policy' | 'rule'>): string {
  if (rule === 'failure') return `${policy}, which could not be loaded`;
  return rule === '' ? `${policy}: no rule of an ALLOW policy matches` : `${policy}, rule ${rule}`;
}

/** A token that is taken for verified: whoever asks knows what would be in it. */
export function tokenOf(claims: Readonly<Record<string, unknown>>): VerifiedToken {
  const text = (name: string): string => (typeof claims[name] === 'string' ? claims[name] : '');
  const { aud } = claims;
  const audiences = Array.isArray(aud) ? aud.filter((each) => typeof each === 'string') : [text('aud')];
  return {
    principal: text('sub') === '' ? '' : `${text('iss')}/${text('sub')}`,
    audiences: audiences.filter((each) => each !== ''),
    presenter: text('azp'),
    claims,
  };
}
