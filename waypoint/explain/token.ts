// What becomes of the token that a request brings: it is verified where its keys are known; else its claims are taken
// for true, and it is said that they were.

import type { AuthenticationPlan, VerifiedToken } from '../../policies/authentication.ts';
import { findToken } from '../../policies/jwt-locations.ts';
import type { FilterContext, LocalReply } from '../../policies/policy.ts';
import type { RequestHead } from '../../routing/request.ts';
import { Authenticator } from '../jwt/authenticator.ts';
import { KeyStore } from '../jwt/key-store.ts';
import { parseToken } from '../jwt/parse-token.ts';
import { believed, type TokenVerdict } from '../jwt/verdict.ts';
import type { KeysNews } from '../messages.ts';
import type { ExplainedToken } from './report.ts';

export interface Presented {
  /** null: the request brings none. */
  readonly explained: ExplainedToken | null;
  readonly token: VerifiedToken | null;
  /** null: the request may go on. */
  readonly reply: LocalReply | null;
  /** What the request looks like from then on. */
  apply(head: RequestHead): void;
}

/** `known`: keys behind URIs; those that are not among them are not here. */
export async function present(
  plans: readonly AuthenticationPlan[],
  context: FilterContext,
  known: readonly KeysNews[],
): Promise<Presented> {
  const keys = new KeyStore(() => {});
  const absent = urisOf(plans).filter((uri) => !known.some((news) => news.uri === uri));
  keys.take([...known, ...absent.map((uri) => ({ uri, keys: null, followed: true }))]);
  const authenticator = new Authenticator(inOrder(plans), keys);
  const verdict = authenticator.check(context) ?? (await verified(authenticator, context));
  const assumed = verdict.reason === 'jwt_keys_unavailable' ? assumedVerdict(plans, context) : null;
  const { token, reply } = assumed ?? verdict;
  return {
    ...{ token, reply, explained: explainedOf(verdict, assumed) },
    apply: (head) => authenticator.apply(assumed ?? verdict, head),
  };
}

function verified(authenticator: Authenticator, context: FilterContext): Promise<TokenVerdict> {
  return new Promise((resolve) => {
    authenticator.wait(context, (_, verdict) => resolve(verdict));
  });
}

function urisOf(plans: readonly AuthenticationPlan[]): readonly string[] {
  return plans.flatMap(({ rules }) => rules.flatMap(({ keys }) => ('uri' in keys ? keys.uri : [])));
}

/** Rules with keys of their own first: what the last rule says of a token is what is said of it. */
function inOrder(plans: readonly AuthenticationPlan[]): readonly AuthenticationPlan[] {
  const remote = plans.map((plan) => ({ ...plan, rules: plan.rules.filter(({ keys }) => 'uri' in keys) }));
  const inline = plans.map((plan) => ({ ...plan, rules: plan.rules.filter(({ keys }) => 'inline' in keys) }));
  return [...inline, ...remote];
}

/** As if the signature were right. */
function assumedVerdict(plans: readonly AuthenticationPlan[], { head }: FilterContext): TokenVerdict | null {
  for (const { policy, rules } of plans) {
    for (const rule of rules) {
      if ('inline' in rule.keys) continue;
      const token = rule.locations.map((location) => findToken(location, head) ?? '').find((text) => text !== '') ?? '';
      const parsed = parseToken(token, Date.now());
      if (typeof parsed === 'string' || parsed.issuer !== rule.issuer) continue;
      const { audiences } = rule;
      if (audiences.length > 0 && !parsed.audiences.some((audience) => audiences.includes(audience))) continue;
      return believed(parsed, rule, policy);
    }
  }
  return null;
}

function explainedOf(verdict: TokenVerdict, assumed: TokenVerdict | null): ExplainedToken | null {
  const { token, policy, reason, reply } = assumed ?? verdict;
  if (reply !== null) return { state: 'refused', principal: '', policy, reason };
  if (token === null) return null;
  const { principal } = token;
  return { state: assumed === null ? 'verified' : 'assumed', principal, policy, reason: '' };
}
