// Issuers of a test: keys made in memory, tokens of every kind, right and wrong, and the key sets that go with them.

import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export type Algorithm =
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA';

interface Signer {
  readonly make: () => KeyObject;
  readonly sign: (data: Buffer, key: KeyObject) => Buffer;
}

const rsa = (): KeyObject => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const ec = (namedCurve: string) => (): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey;
const pkcs1 = (hash: string) => (data: Buffer, key: KeyObject) => sign(hash, data, key);
const pss = (hash: string, saltLength: number) => (data: Buffer, key: KeyObject) =>
  sign(hash, data, { key, padding: 6, saltLength });
const ecdsa = (hash: string) => (data: Buffer, key: KeyObject) => sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });

const SIGNERS: Readonly<Record<Algorithm, Signer>> = {
  RS256: { make: rsa, sign: pkcs1('sha256') },
  RS384: { make: rsa, sign: pkcs1('sha384') },
  RS512: { make: rsa, sign: pkcs1('sha512') },
  PS256: { make: rsa, sign: pss('sha256', 32) },
  PS384: { make: rsa, sign: pss('sha384', 48) },
  PS512: { make: rsa, sign: pss('sha512', 64) },
  ES256: { make: ec('P-256'), sign: ecdsa('sha256') },
  ES384: { make: ec('P-384'), sign: ecdsa('sha384') },
  ES512: { make: ec('P-521'), sign: ecdsa('sha512') },
  EdDSA: {
    make: () => generateKeyPairSync('ed25519').privateKey,
    sign: (data: Buffer, key: KeyObject) => sign(null, data, key),
  },
};

export type Jwk = Readonly<Record<string, unknown>>;

export interface TokenParts {
  /** In place of `{alg, kid}`, or beside them. */
  readonly header?: Jwk;
  readonly claims?: Jwk;
  /** Of the payload, in place of `claims`. */
  readonly payload?: string;
}

/** One key of one issuer. */
export class TestIssuer {
  readonly issuer: string;
  readonly algorithm: Algorithm;
  readonly kid: string;
  readonly #key: KeyObject;

  constructor(issuer: string, algorithm: Algorithm = 'ES256', kid: string = `${algorithm}-key`) {
    this.issuer = issuer;
    this.algorithm = algorithm;
    this.kid = kid;
    this.#key = SIGNERS[algorithm].make();
  }

  /** As it is published; `extra` in place of members, or beside them. undefined leaves a member out. */
  jwk(extra: Jwk = {}): Jwk {
    const members = createPublicKey(this.#key).export({ format: 'jwk' }) as Jwk;
    return { ...members, kid: this.kid, alg: this.algorithm, use: 'sig', ...extra };
  }

  jwks(extra: Jwk = {}): string {
    return keySet(this.jwk(extra));
  }

  /** With everything that is private, as nobody should publish it. */
  privateJwk(): Jwk {
    return { ...(this.#key.export({ format: 'jwk' }) as Jwk), kid: this.kid };
  }

  /** Valid for an hour unless the parts say otherwise. */
  token(parts: TokenParts = {}): string {
    const claims = { iss: this.issuer, sub: 'alice', exp: Math.floor(Date.now() / 1000) + 3600, ...parts.claims };
    const input = signingInput({ alg: this.algorithm, kid: this.kid, ...parts.header }, parts.payload ?? claims);
    return `${input}.${SIGNERS[this.algorithm].sign(Buffer.from(input), this.#key).toString('base64url')}`;
  }

  /** Signed with the text of the public key as the secret: what a verifier falls for that lets the token choose. */
  confused(): string {
    const secret = createPublicKey(this.#key).export({ format: 'pem', type: 'spki' });
    const input = signingInput({ alg: 'HS256', kid: this.kid }, { iss: this.issuer, sub: 'alice' });
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
  }
}

export function keySet(...keys: readonly Jwk[]): string {
  return JSON.stringify({ keys });
}

/** `header.payload`, base64url; a text as payload is taken as it is. */
export function signingInput(header: Jwk, payload: Jwk | string): string {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  return [JSON.stringify(header), text].map((part) => Buffer.from(part).toString('base64url')).join('.');
}
