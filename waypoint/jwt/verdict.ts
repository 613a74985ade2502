// What becomes of a request with a token, or without one.

import type { JwtRulePlan, VerifiedToken } from '../../policies/authentication.ts';
import type { LocalReply } from '../../policies/policy.ts';
import type { RequestHead } from '../../routing/request.ts';
import type { ParsedToken } from './parse-token.ts';

export interface TokenVerdict {
  /** null: there is none that is believed. */
  readonly token: VerifiedToken | null;
  /** The rule that it satisfies. */
  readonly rule: JwtRulePlan | null;
  /** `RequestAuthentication shop/orders` of that rule, or of one that could not be loaded; '' for none. */
  readonly policy: string;
  /** The answer in place of a backend's; null: the request may go on. */
  readonly reply: LocalReply | null;
  /** Why there is a reply: `jwt_expired`, `jwt_signature`, ...; '' without one. */
  readonly reason: string;
  /** Fields that tell the backend what the token says. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** No token came, which is nothing wrong: authorization decides what that is worth. */
export const NO_TOKEN: TokenVerdict = Object.freeze({
  ...{ token: null, rule: null, policy: '', reply: null, reason: '', headers: [] },
});

/** Says that the token is no good, and not why (RFC 6750 section 3). */
export function refused(reason: string, policy: string, head: RequestHead): TokenVerdict {
  const realm = `${head.scheme}://${head.authority}${head.path}`.replace(/["\\]|[^ -~]/g, '');
  const challenge = `Bearer realm="${realm}", error="invalid_token"`;
  const headers: LocalReply['headers'] = [['www-authenticate', challenge]];
  const reply: LocalReply = { status: 401, reason, headers, body: 'Jwt verification fails\n' };
  return { ...NO_TOKEN, policy, reply, reason };
}

export function believed(parsed: ParsedToken, rule: JwtRulePlan, policy: string): TokenVerdict {
  const { claims, issuer, audiences } = parsed;
  const { sub, azp } = claims;
  const subject = typeof sub === 'string' ? sub : '';
  const token: VerifiedToken = {
    // Without a subject it proves an issuer and nobody who could be allowed something.
    principal: subject === '' ? '' : `${issuer}/${subject}`,
    audiences,
    presenter: typeof azp === 'string' ? azp : '',
    claims: spaced(claims, rule.spacedClaims),
  };
  return { token, rule, policy, reply: null, reason: '', headers: outputs(parsed, rule) };
}

/** A string of words counts as the list of these words. */
function spaced(claims: ParsedToken['claims'], names: readonly string[]): VerifiedToken['claims'] {
  const lists = names
    .filter((name) => Object.hasOwn(claims, name) && typeof claims[name] === 'string')
    .map((name) => [name, (claims[name] as string).split(' ').filter((word) => word !== '')] as const);
  // By entries: a claim named __proto__ is a claim.
  return lists.length === 0 ? claims : Object.fromEntries([...Object.entries(claims), ...lists]);
}

function outputs({ payload, claims }: ParsedToken, rule: JwtRulePlan): TokenVerdict['headers'] {
  const headers: (readonly [string, string])[] = [];
  if (rule.payloadHeader !== null) headers.push([rule.payloadHeader, payload]);
  for (const { header, claim } of rule.claimHeaders) {
    const value = claimText(claims, claim);
    if (value !== null) headers.push([header, value]);
  }
  return headers;
}

/** Text, whole numbers and truth values become a field; all else, and what could end its line, does not (as in Istio). */
function claimText(claims: ParsedToken['claims'], claim: string): string | null {
  const value = claimAt(claims, claim);
  if (typeof value === 'boolean' || Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' && !CONTROL.test(value) && value.trim() === value ? value : null;
}

const CONTROL = /[\x00-\x1f\x7f]/;

/** A claim of this very name, dots and all, or one inside of others: `realm.role`. */
function claimAt(claims: ParsedToken['claims'], claim: string): unknown {
  if (Object.hasOwn(claims, claim)) return claims[claim];
  let value: unknown = claims;
  for (const name of claim.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) return null;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
