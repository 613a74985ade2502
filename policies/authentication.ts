// RequestAuthentication: which tokens are believed, where they are looked for, and what becomes of them.

import { decodeJwtRule, reservedField } from './jwt-rule.ts';
import type { DecodeReport } from './policy.ts';
import { SettingsReader } from './settings-reader.ts';

/** One RequestAuthentication at one target. */
export interface AuthenticationPlan {
  /** `RequestAuthentication shop/orders`. */
  readonly policy: string;
  readonly rules: readonly JwtRulePlan[];
  /** Lower-case names of fields that only a verified token writes, whatever became of the rules: clients may not. */
  readonly reserved: readonly string[];
  /** Why it could not be loaded: then every token is refused. null: it was. */
  readonly failure: string | null;
}

/** Istio's JWTRule. */
export interface JwtRulePlan {
  /** Exactly `iss`; '' for any, with keys of its own only. */
  readonly issuer: string;
  /** Of these one must be in `aud`; empty: any. */
  readonly audiences: readonly string[];
  /** Where the keys are: the text of an inline JWKS, or the URI of a remote one (or of the discovery document that names it). */
  readonly keys: { readonly inline: string } | { readonly uri: string };
  /** Longest wait for the remote keys. */
  readonly timeoutMs: number;
  readonly locations: readonly TokenLocation[];
  /** The token stays in the request that is forwarded. */
  readonly forward: boolean;
  /** Header that carries the verified payload, base64url without padding; null: none. */
  readonly payloadHeader: string | null;
  /** Claims copied to headers; names inside of claims follow a dot. */
  readonly claimHeaders: readonly { readonly header: string; readonly claim: string }[];
  /** Claims that are lists though they are written as words in one string. */
  readonly spacedClaims: readonly string[];
}

export type TokenLocation =
  /** `prefix` is cut off, and values without it are no tokens; '' for none. */
  | { readonly in: 'header'; readonly name: string; readonly prefix: string }
  | { readonly in: 'query' | 'cookie'; readonly name: string };

/** Of a verified token. */
export interface VerifiedToken {
  /** `iss/sub`; '' where the token has no `sub`. */
  readonly principal: string;
  readonly audiences: readonly string[];
  /** `azp`; '' for none. */
  readonly presenter: string;
  /** As signed, but for `spacedClaims`, which are lists here. */
  readonly claims: Readonly<Record<string, unknown>>;
}

const SPEC_FIELDS = ['selector', 'targetRef', 'targetRefs', 'jwtRules'];

/** The rules in `spec` of a RequestAuthentication; null after a report. Without rules it authenticates nobody. */
export function decodeAuthentication(spec: unknown, path: string, report: DecodeReport): readonly JwtRulePlan[] | null {
  const settings = new SettingsReader(spec, path, report, SPEC_FIELDS);
  const rules: JwtRulePlan[] = [];
  for (const [index, raw] of (settings.list('jwtRules') ?? []).entries()) {
    const rule = decodeJwtRule(raw, `${path}.jwtRules[${index}]`, report);
    if (rule === null) settings.sound = false;
    else rules.push(rule);
  }
  return settings.sound ? rules : null;
}

/** The fields that `spec` has tokens write; also where it can't be decoded, since backends believe them already. */
export function reservedFields(spec: unknown): readonly string[] {
  const rules = member(spec, 'jwtRules');
  const names = (Array.isArray(rules) ? rules : []).flatMap((rule: unknown) => {
    const claims = member(rule, 'outputClaimToHeaders');
    const headers = (Array.isArray(claims) ? claims : []).map((claim: unknown) => member(claim, 'header'));
    return [member(rule, 'outputPayloadToHeader'), ...headers];
  });
  const written = names.filter((name) => typeof name === 'string').map((name) => name.toLowerCase());
  return [...new Set(written.filter((name) => !reservedField(name)))];
}

function member(raw: unknown, name: string): unknown {
  return typeof raw === 'object' && raw !== null ? (raw as Readonly<Record<string, unknown>>)[name] : undefined;
}
