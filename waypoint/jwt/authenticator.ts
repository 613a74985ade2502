// Whether the token of a request is believed: from memory where it was verified before, else after its signature was.

import type { AuthenticationPlan, JwtRulePlan, TokenLocation } from '../../policies/authentication.ts';
import { findToken, removeToken, SEVERAL_TOKENS } from '../../policies/jwt-locations.ts';
import { DEFAULT_LOCATIONS } from '../../policies/jwt-rule.ts';
import type { FilterContext } from '../../policies/policy.ts';
import type { RequestHead } from '../../routing/request.ts';
import type { KeySet } from './key-set.ts';
import type { KeyStore } from './key-store.ts';
import { parseToken } from './parse-token.ts';
import { NO_TOKEN, refused, type TokenVerdict } from './verdict.ts';
import { type Candidate, type Case, Verification } from './verification.ts';

/** A place that is searched, and the rules that believe what they find there. */
interface Place {
  readonly location: TokenLocation;
  readonly rules: Set<JwtRulePlan>;
}

/** The RequestAuthentications that hold for one place together: a token is believed when one of their rules believes it. */
export class Authenticator {
  readonly #keys: KeyStore;
  readonly #rules: readonly (readonly [rule: JwtRulePlan, policy: string])[];
  readonly #places: readonly Place[];
  /** Fields that only a verified token writes. */
  readonly #reserved: readonly string[];
  /** A policy that could not be loaded; '' when all could. */
  readonly #broken: string;
  readonly #inline: Map<string, KeySet> = new Map();
  readonly #pending: Map<string, Verification> = new Map();
  /** Where the last token was found; refilled by every request. */
  readonly #found: Place[] = [];
  #case: Case | null = null;

  constructor(plans: readonly AuthenticationPlan[], keys: KeyStore) {
    this.#keys = keys;
    this.#rules = plans.flatMap(({ policy, rules }) => rules.map((rule) => [rule, policy] as const));
    this.#broken = plans.find(({ failure }) => failure !== null)?.policy ?? '';
    this.#places = placesOf(
      this.#rules.map(([rule]) => rule),
      this.#broken === '' ? [] : DEFAULT_LOCATIONS,
    );
    this.#reserved = [...new Set(plans.flatMap(({ reserved }) => reserved))];
  }

  /** null: that takes a moment, so `wait` has to follow at once. */
  check({ head }: FilterContext): TokenVerdict | null {
    const token = this.#find(head);
    if (token === '') return NO_TOKEN;
    if (this.#broken !== '') return refused('jwt_policy_invalid', this.#broken, head);
    if (token === SEVERAL_TOKENS) return refused('jwt_several', '', head);
    const now = this.#keys.now();
    const known = this.#keys.cache.find(token, this, now);
    if (known !== null && this.#foundFor(known.rule as JwtRulePlan)) return known;
    const parsed = parseToken(token, now);
    if (typeof parsed === 'string') return refused(parsed, '', head);
    const issued = this.#rules.filter(
      ([rule]) => (rule.issuer === '' || rule.issuer === parsed.issuer) && this.#foundFor(rule),
    );
    const candidates = issued.filter(([{ audiences }]) => meets(audiences, parsed.audiences));
    if (candidates.length === 0)
      return refused(issued.length === 0 ? 'jwt_issuer' : 'jwt_audience', issued[0]?.[1] ?? '', head);
    this.#case = { token, parsed, candidates: candidates.map(([rule, policy]) => this.#candidate(rule, policy)) };
    return null;
  }

  /** Verifies what `check` could not decide: `done` is called once, later, unless that is cancelled. */
  wait<X extends FilterContext>(x: X, done: (x: X, verdict: TokenVerdict) => void): { cancel(): void } {
    const next = this.#case as Case;
    this.#case = null;
    const id = `${this.#found.map((place) => this.#places.indexOf(place)).join()} ${next.token}`;
    let verification = this.#pending.get(id);
    if (verification === undefined) {
      verification = new Verification(next, this.#keys, this, () => this.#pending.delete(id));
      this.#pending.set(id, verification);
    }
    return verification.join(({ verdict, reason, policy }) => done(x, verdict ?? refused(reason, policy, x.head)));
  }

  /** What a request that goes on looks like to the backend: whatever a client wrote in the token's name is gone. */
  apply({ rule, headers }: TokenVerdict, head: RequestHead): void {
    for (const name of this.#reserved) head.fields.removeAlike(name);
    if (rule === null) return;
    if (!rule.forward) for (const location of rule.locations) removeToken(location, head);
    for (const [name, value] of headers) head.fields.set(name, value);
  }

  /** The one token of the request, '' for none. */
  #find(head: RequestHead): string {
    this.#found.length = 0;
    let found = '';
    for (const place of this.#places) {
      const token = findToken(place.location, head);
      if (token === null || token === '') continue;
      found = found === '' || found === token ? token : SEVERAL_TOKENS;
      this.#found.push(place);
    }
    return found;
  }

  /** Whether the rule looks everywhere where the token stands: else it would be somebody else's there. */
  #foundFor(rule: JwtRulePlan): boolean {
    for (const place of this.#found) if (!place.rules.has(rule)) return false;
    return true;
  }

  #candidate(rule: JwtRulePlan, policy: string): Candidate {
    const { keys } = rule;
    if ('uri' in keys) return { rule, policy, set: this.#keys.setOf(keys) };
    const set = this.#inline.get(keys.inline) ?? this.#keys.setOf(keys);
    this.#inline.set(keys.inline, set);
    return { rule, policy, set };
  }
}

function placesOf(rules: readonly JwtRulePlan[], always: readonly TokenLocation[]): readonly Place[] {
  const places = new Map<string, Place>();
  const at = (location: TokenLocation): Place => {
    const key = JSON.stringify(location);
    const place = places.get(key) ?? { location, rules: new Set() };
    places.set(key, place);
    return place;
  };
  for (const rule of rules) for (const location of rule.locations) at(location).rules.add(rule);
  for (const location of always) at(location);
  return [...places.values()];
}

function meets(wanted: readonly string[], audiences: readonly string[]): boolean {
  return wanted.length === 0 || audiences.some((audience) => wanted.includes(audience));
}
