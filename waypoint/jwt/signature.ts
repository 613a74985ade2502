// The signature of a token under one key: the one place that runs the JOSE library, loaded when the first token comes.

import type { Key } from './key-set.ts';
import { SKEW_SECONDS } from './parse-token.ts';

/** What the claims must say beside being signed. */
interface Expected {
  readonly algorithm: string;
  /** '': any. */
  readonly issuer: string;
  /** Empty: any. */
  readonly audiences: readonly string[];
  /** Wall clock, ms. */
  readonly now: number;
}

/** '' when this key signed it and the claims are as expected; else the reason why not. */
export async function verifySignature(token: string, key: Key, expected: Expected): Promise<string> {
  const jose = await import('jose');
  const { algorithm, issuer, audiences, now } = expected;
  try {
    let handle = key.handles.get(algorithm);
    if (handle === undefined) {
      handle = (await jose.importJWK({ ...key.jwk.members }, algorithm)) as import('jose').CryptoKey;
      key.handles.set(algorithm, handle);
    }
    await jose.jwtVerify(token, handle, {
      algorithms: [algorithm],
      clockTolerance: SKEW_SECONDS,
      currentDate: new Date(now),
      ...(issuer === '' ? {} : { issuer }),
      ...(audiences.length === 0 ? {} : { audience: [...audiences] }),
    });
    return '';
  } catch (error) {
    return REASONS[(error as { readonly code?: string }).code ?? ''] ?? 'jwt_signature';
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: 'jwt_expired',
  ERR_JWT_CLAIM_VALIDATION_FAILED: 'jwt_claims',
  ERR_JWT_INVALID: 'jwt_claims',
  ERR_JWS_INVALID: 'jwt_malformed',
  ERR_JOSE_ALG_NOT_ALLOWED: 'jwt_algorithm',
  ERR_JOSE_NOT_SUPPORTED: 'jwt_algorithm',
};
