// Authenticators over keys of a test, and what they say of requests that are never sent.

import assert from 'node:assert/strict';
import type { AuthenticationPlan, JwtRulePlan } from '../../policies/authentication.ts';
import { Authenticator } from '../../waypoint/jwt/authenticator.ts';
import { KeyStore } from '../../waypoint/jwt/key-store.ts';
import type { TokenVerdict } from '../../waypoint/jwt/verdict.ts';
import { filterContext, requestHead } from './heads.ts';
import { keySet, TestIssuer, type TokenParts } from './tokens.ts';

type Lines = readonly (readonly [string, string])[];
export interface Sent {
  readonly headers?: Lines;
  readonly query?: string;
}

export const ISSUER: string = 'https://issuer.example';
export const NOW: number = 1_800_000_000_000;
export const NOW_SECONDS: number = NOW / 1000;
export const main: TestIssuer = new TestIssuer(ISSUER, 'ES256', 'main');
export const rsa: TestIssuer = new TestIssuer(ISSUER, 'RS256', 'rsa');

export function rule(given: Partial<JwtRulePlan> = {}): JwtRulePlan {
  return {
    ...{ issuer: ISSUER, audiences: [], keys: { inline: keySet(main.jwk(), rsa.jwk()) }, timeoutMs: 1000 },
    locations: [
      { in: 'header', name: 'authorization', prefix: 'Bearer ' },
      { in: 'query', name: 'access_token' },
    ],
    ...{ forward: false, payloadHeader: null, claimHeaders: [], spacedClaims: ['scope', 'permission'] },
    ...given,
  };
}

export function plan(rules: readonly JwtRulePlan[], name: string = 'a'): AuthenticationPlan {
  const reserved = rules.flatMap(({ payloadHeader, claimHeaders }) => [
    ...(payloadHeader === null ? [] : [payloadHeader]),
    ...claimHeaders.map(({ header }) => header),
  ]);
  return { policy: `RequestAuthentication shop/${name}`, rules, reserved, failure: null };
}

export function world(...rules: readonly JwtRulePlan[]): Authenticator {
  return new Authenticator(
    [plan(rules)],
    new KeyStore(
      () => {},
      () => NOW,
    ),
  );
}

/** Of what is sent, in place of the claims that are valid at NOW. */
export function token(parts: TokenParts = {}, issuer: TestIssuer = main): string {
  return issuer.token({ ...parts, claims: { exp: NOW_SECONDS + 600, ...parts.claims } });
}

export function bearer(text: string): Sent {
  return { headers: [['authorization', `Bearer ${text}`]] };
}

export async function judge(authenticator: Authenticator, sent: Sent): Promise<TokenVerdict> {
  const x = filterContext(requestHead({ ...sent, path: '/a' }));
  const verdict = authenticator.check(x);
  if (verdict !== null) return verdict;
  return await new Promise((resolve) => {
    authenticator.wait(x, (other, late) => {
      assert.equal(other, x);
      resolve(late);
    });
  });
}

/** The principal, or the reason why there is none. */
export async function outcome(authenticator: Authenticator, sent: Sent): Promise<string> {
  const { token: verified, reason, reply } = await judge(authenticator, sent);
  assert.equal(reply === null, reason === '');
  return verified === null ? reason : verified.principal;
}
