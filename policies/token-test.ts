// Conditions of an AuthorizationPolicy about the verified token of a request.

import type { AccessCondition, WhenUnknown } from './access-test.ts';
import type { VerifiedToken } from './authentication.ts';
import type { AccessContext, AccessTest } from './authorization.ts';
import { StringMatch } from './string-match.ts';

/** `iss/sub`; both must be there. The issuer, a URL as a rule, ends at the last slash. */
export class TokenPrincipalTest implements AccessCondition {
  readonly #values: readonly Principal[] | null;
  readonly #notValues: readonly Principal[];

  constructor({ values, notValues }: AccessTest) {
    this.#values = values.length === 0 ? null : values.map(principalPattern);
    this.#notValues = notValues.map(principalPattern);
  }

  holds({ token }: AccessContext): boolean {
    const issuer = token === null ? '' : textOf(token.claims, 'iss');
    const subject = token === null ? '' : textOf(token.claims, 'sub');
    if (this.#values !== null && !isOneOf(this.#values, issuer, subject)) return false;
    return !isOneOf(this.#notValues, issuer, subject);
  }
}

/** What issuer or subject must be. */
interface Part {
  readonly how: 'any' | 'exact' | 'prefix' | 'suffix';
  readonly text: string;
}

interface Principal {
  readonly issuer: Part;
  readonly subject: Part;
}

const ANY: Part = { how: 'any', text: '' };

function isOneOf(principals: readonly Principal[], issuer: string, subject: string): boolean {
  if (issuer === '' || subject === '') return false;
  for (const principal of principals) {
    if (fits(principal.issuer, issuer) && fits(principal.subject, subject)) return true;
  }
  return false;
}

function fits({ how, text }: Part, value: string): boolean {
  switch (how) {
    case 'any':
      return true;
    case 'exact':
      return value === text;
    case 'prefix':
      return value.startsWith(text);
    case 'suffix':
      return value.endsWith(text);
  }
}

/**
 * Issuer and subject are compared each for itself, so that no subject with a slash in it passes for that of another
 * issuer. A prefix or suffix that lies within the one says nothing of the other.
 */
function principalPattern(value: string): Principal {
  if (value === '*') return { issuer: ANY, subject: ANY };
  const slash = value.lastIndexOf('/');
  const isSuffix = value.startsWith('*');
  const isPrefix = value.endsWith('*') && !isSuffix;
  // The slash of `https://idp*` belongs to the issuer.
  if (isPrefix && (slash === -1 || value.slice(0, slash + 1).endsWith('://'))) {
    return { issuer: { how: 'prefix', text: value.slice(0, -1) }, subject: ANY };
  }
  if (slash === -1 && isSuffix) return { issuer: ANY, subject: { how: 'suffix', text: value.slice(1) } };
  const issuer = slash === -1 ? value : value.slice(0, slash);
  const subject = slash === -1 ? '' : value.slice(slash + 1);
  return {
    issuer: isSuffix ? endOf(issuer.slice(1)) : { how: 'exact', text: issuer },
    subject: subject === '*' ? ANY : isPrefix ? startOf(subject.slice(0, -1)) : { how: 'exact', text: subject },
  };
}

function endOf(text: string): Part {
  return text === '' ? ANY : { how: 'suffix', text };
}

function startOf(text: string): Part {
  return text === '' ? ANY : { how: 'prefix', text };
}

function textOf(claims: Readonly<Record<string, unknown>>, name: string): string {
  const value = Object.hasOwn(claims, name) ? claims[name] : '';
  return typeof value === 'string' ? value : '';
}

/** A claim that is a text or a list of texts: one must match one of `values`, none of them any of `notValues`. */
export class ClaimTest implements AccessCondition {
  readonly #key: readonly string[];
  readonly #values: StringMatch | null;
  readonly #notValues: StringMatch | null;
  readonly #whenUnknown: boolean;

  constructor({ attribute, key, values, notValues }: AccessTest, unknown: WhenUnknown) {
    this.#key = attribute === 'request.auth.audiences' ? AUDIENCES : key;
    this.#values = values.length === 0 ? null : new StringMatch(values);
    this.#notValues = notValues.length === 0 ? null : new StringMatch(notValues);
    this.#whenUnknown = unknown === 'holds';
  }

  holds({ token }: AccessContext): boolean {
    const claim = token === null ? undefined : claimOf(token, this.#key);
    const named = this.#values === null ? YES : met(claim, this.#values);
    if (named === NO) return false;
    const excluded = this.#notValues === null ? NO : met(claim, this.#notValues);
    if (excluded === YES) return false;
    return named === MAYBE || excluded === MAYBE ? this.#whenUnknown : true;
  }
}

const AUDIENCES: readonly string[] = ['aud'];
const NO = 0;
const MAYBE = 1;
const YES = 2;

/** undefined where there is none; null counts as none. */
export function claimOf(token: VerifiedToken, key: readonly string[]): unknown {
  if (key === AUDIENCES) return token.audiences;
  let value: unknown = token.claims;
  for (const name of key) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value ?? undefined;
}

/** Istio compares texts only. A number or a truth that reads like a value may be meant: that cannot be told, nor can objects. */
function met(claim: unknown, match: StringMatch): typeof NO | typeof MAYBE | typeof YES {
  if (!Array.isArray(claim)) return meets(claim, match);
  let most: typeof NO | typeof MAYBE | typeof YES = NO;
  for (const member of claim) {
    const verdict = meets(member, match);
    if (verdict === YES) return YES;
    if (verdict > most) most = verdict;
  }
  return most;
}

function meets(value: unknown, match: StringMatch): typeof NO | typeof MAYBE | typeof YES {
  switch (typeof value) {
    case 'string':
      return match.matches(value) ? YES : NO;
    case 'number':
    case 'boolean':
      return match.matches(String(value)) ? MAYBE : NO;
    case 'object':
      return value === null ? NO : MAYBE;
    default:
      return NO;
  }
}
