// Decides about requests by the AuthorizationPolicies of their targets, compiled once.

import { hasParameters, withoutParameters } from '../routing/path-parameters.ts';
import type { AccessContext, AccessVerdict, AuthorizationPlan, PolicyExplanation } from './authorization.ts';
import { explainPolicy } from './authorization-explain.ts';
import { CompiledRule } from './compiled-rule.ts';
import { type RuleEntry, RuleIndex } from './rule-index.ts';

const NONE: readonly never[] = [];
const ALLOWED: AccessVerdict = { allowed: true, policy: '', rule: '', audited: NONE };

/**
 * Istio's order: CUSTOM (asked by whoever serves), DENY, ALLOW; AUDIT only marks. Where the path has parameters (`;`)
 * servers disagree about what it means: a request is allowed if it is in both readings, and meets any other policy if it
 * does in one of them.
 */
export class Authorizer {
  readonly #plans: readonly AuthorizationPlan[];
  readonly #trustDomains: readonly string[];
  readonly #enforced: Panel;
  /** As if the policies in shadow were enforced; null: there are none. */
  readonly #proposed: Panel | null;
  readonly #custom: PolicyMatcher;
  readonly #proposedCustom: PolicyMatcher;
  readonly #audit: PolicyMatcher;

  constructor(plans: readonly AuthorizationPlan[], trustDomains: readonly string[]) {
    this.#plans = plans;
    this.#trustDomains = trustDomains;
    const enforced = plans.filter(({ shadow }) => !shadow);
    const shadow = plans.filter((plan) => plan.shadow);
    this.#enforced = new Panel(enforced, trustDomains);
    this.#proposed = shadow.length === 0 ? null : new Panel(plans, trustDomains);
    this.#custom = new PolicyMatcher(enforced.filter(isLoaded('CUSTOM')), trustDomains);
    this.#proposedCustom = new PolicyMatcher(shadow.filter(isLoaded('CUSTOM')), trustDomains);
    this.#audit = new PolicyMatcher(enforced.filter(isLoaded('AUDIT')), trustDomains);
  }

  /** CUSTOM policies of which a rule matches, in their order; the shared empty array when none does. */
  custom(context: AccessContext): readonly AuthorizationPlan[] {
    return this.#custom.matching(context);
  }

  decide(context: AccessContext): AccessVerdict {
    const verdict = this.#enforced.decide(context);
    const audited = this.#audit.matching(context);
    return audited.length === 0 ? verdict : { ...verdict, audited: audited.map(({ policy }) => policy) };
  }

  /**
   * What would have become of the request, were the policies in shadow enforced: `deny AuthorizationPolicy shop/x rule 0`.
   * '' where it is what was decided.
   */
  shadowed(context: AccessContext, { allowed }: AccessVerdict): string {
    if (this.#proposed === null) return '';
    const proposed = this.#proposed.decide(context);
    if (proposed.allowed !== allowed) return `${proposed.allowed ? 'allow' : 'deny'} ${titleOf(proposed)}`;
    const asked = allowed ? this.#proposedCustom.matching(context)[0] : undefined;
    return asked === undefined ? '' : `ask ${asked.provider} ${asked.policy}`;
  }

  explain(context: AccessContext): readonly PolicyExplanation[] {
    return this.#plans.map((plan) => explainPolicy(plan, context, this.#trustDomains));
  }
}

function isLoaded(wanted: AuthorizationPlan['action']): (plan: AuthorizationPlan) => boolean {
  return ({ action, failure }) => action === wanted && failure === null;
}

/** `AuthorizationPolicy shop/x rule 0`. */
function titleOf({ policy, rule }: AccessVerdict): string {
  return /^\d/.test(rule) ? `${policy} rule ${rule}` : `${policy} ${rule}`.trim();
}

/** DENY, then ALLOW, over policies of one mode. */
class Panel {
  /** Said of everything, because some policy did not load; null: all did. */
  readonly #failed: AccessVerdict | null;
  readonly #deny: RuleIndex;
  /** null: there is no ALLOW policy, so that everything is allowed that is not denied. */
  readonly #allow: RuleIndex | null;
  readonly #unmatched: AccessVerdict;

  constructor(plans: readonly AuthorizationPlan[], trustDomains: readonly string[]) {
    const failed = plans.find(({ failure }) => failure !== null);
    this.#failed =
      failed === undefined ? null : { allowed: false, policy: failed.policy, rule: 'failure', audited: NONE };
    const allow = plans.filter(isLoaded('ALLOW'));
    this.#deny = indexOf(plans.filter(isLoaded('DENY')), trustDomains);
    this.#allow = allow.length === 0 ? null : indexOf(allow, trustDomains);
    this.#unmatched = { allowed: false, policy: namesOf(allow), rule: '', audited: NONE };
  }

  decide(context: AccessContext): AccessVerdict {
    const { path } = context.head;
    const verdict = this.#judge(context, path);
    if (!verdict.allowed || !hasParameters(path)) return verdict;
    const other = this.#judge(context, withoutParameters(path));
    return other.allowed ? verdict : other;
  }

  #judge(context: AccessContext, path: string): AccessVerdict {
    if (this.#failed !== null) return this.#failed;
    const denied = this.#deny.find(context, path);
    if (denied !== null) return denied.verdict;
    if (this.#allow === null) return ALLOWED;
    const allowed = this.#allow.find(context, path);
    return allowed === null ? this.#unmatched : allowed.verdict;
  }
}

/** Whom to look at where no ALLOW policy matches. Bounded, because it becomes a label of metrics. */
function namesOf(plans: readonly AuthorizationPlan[]): string {
  const [first, ...others] = plans;
  if (first === undefined) return '';
  return others.length === 0 ? first.policy : `${first.policy} and ${others.length} more`;
}

/** Which of some policies match a request: of each that does, once. */
class PolicyMatcher {
  readonly #plans: readonly AuthorizationPlan[];
  readonly #all: RuleIndex;
  readonly #each: readonly RuleIndex[];

  constructor(plans: readonly AuthorizationPlan[], trustDomains: readonly string[]) {
    this.#plans = plans;
    this.#all = indexOf(plans, trustDomains);
    this.#each = plans.map((plan) => indexOf([plan], trustDomains));
  }

  matching(context: AccessContext): readonly AuthorizationPlan[] {
    if (this.#plans.length === 0) return NONE;
    const { path } = context.head;
    const bare = hasParameters(path) ? withoutParameters(path) : path;
    if (!meets(this.#all, context, path, bare)) return NONE;
    return this.#plans.filter((_, index) => meets(this.#each[index] as RuleIndex, context, path, bare));
  }
}

function meets(index: RuleIndex, context: AccessContext, path: string, bare: string): boolean {
  return index.find(context, path) !== null || (bare !== path && index.find(context, bare) !== null);
}

function indexOf(plans: readonly AuthorizationPlan[], trustDomains: readonly string[]): RuleIndex {
  return new RuleIndex(
    plans.flatMap((plan) => entriesOf(plan, trustDomains)),
    trustDomains,
  );
}

/** The same plan guards many routes together with others; it is compiled once. */
const compiled = new WeakMap<AuthorizationPlan, { readonly trustDomains: readonly string[]; entries: RuleEntry[] }>();

function entriesOf(plan: AuthorizationPlan, trustDomains: readonly string[]): readonly RuleEntry[] {
  const known = compiled.get(plan);
  if (known?.trustDomains === trustDomains) return known.entries;
  const { action, policy } = plan;
  const entries = plan.rules.map((rule, index) => ({
    plan,
    index,
    rule: new CompiledRule(rule, { action, trustDomains }),
    verdict: { allowed: action !== 'DENY', policy, rule: String(index), audited: NONE },
  }));
  compiled.set(plan, { trustDomains, entries });
  return entries;
}
