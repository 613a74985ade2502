// A token taken apart before anything in it is believed: what can not be right is refused before it costs a signature.

import { ALGORITHMS } from '../../policies/jwks.ts';

export interface ParsedToken {
  readonly algorithm: string;
  /** null: it names no key. */
  readonly kid: string | null;
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** Seconds since the epoch; null: not there. */
  readonly expiresAt: number | null;
  readonly notBefore: number | null;
  readonly claims: Readonly<Record<string, unknown>>;
  /** As it stands in the token, base64url. */
  readonly payload: string;
}

/** Seconds by which clocks may differ. */
export const SKEW_SECONDS = 60;

const MAX_LENGTH = 16_384;
/** Objects and lists inside of each other. */
const MAX_DEPTH = 32;
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** The parts of a signed token in compact form (RFC 7515 section 7.1), or the reason why it is refused. */
export function parseToken(token: string, nowMs: number): ParsedToken | string {
  if (token.length > MAX_LENGTH) return 'jwt_too_long';
  if (!COMPACT.test(token)) return 'jwt_malformed';
  const [protectedHeader = '', payload = ''] = token.split('.');
  const header = readJson(protectedHeader);
  const claims = readJson(payload);
  if (header === null || claims === null) return 'jwt_malformed';
  const { alg, kid, crit, typ } = header;
  if (typeof alg !== 'string' || !ALGORITHMS.has(alg)) return 'jwt_algorithm';
  // Nothing critical is understood here (RFC 7515 section 4.1.11).
  if (crit !== undefined) return 'jwt_critical';
  if ((kid !== undefined && typeof kid !== 'string') || (typ !== undefined && typeof typ !== 'string'))
    return 'jwt_malformed';
  return readClaims(claims, { algorithm: alg, kid: kid ?? null, payload }, Math.floor(nowMs / 1_000));
}

type HeaderParts = Pick<ParsedToken, 'algorithm' | 'kid' | 'payload'>;

function readClaims(claims: Record<string, unknown>, parts: HeaderParts, now: number): ParsedToken | string {
  const { iss, sub, aud, exp, nbf, iat, azp } = claims;
  const audiences = typeof aud === 'string' ? [aud] : aud === undefined ? [] : aud;
  const sound =
    typeof iss === 'string' &&
    (sub === undefined || typeof sub === 'string') &&
    (azp === undefined || typeof azp === 'string') &&
    Array.isArray(audiences) &&
    audiences.every((one) => typeof one === 'string') &&
    [exp, nbf, iat].every((time) => time === undefined || isTime(time));
  if (!sound) return 'jwt_claims';
  const expiresAt = (exp as number | undefined) ?? null;
  const notBefore = (nbf as number | undefined) ?? null;
  if (expiresAt !== null && expiresAt <= now - SKEW_SECONDS) return 'jwt_expired';
  if (notBefore !== null && notBefore > now + SKEW_SECONDS) return 'jwt_not_yet_valid';
  return { ...parts, issuer: iss as string, audiences: audiences as string[], expiresAt, notBefore, claims };
}

/** Whole seconds since the epoch: RFC 7519 allows fractions, no issuer writes them, and what reads them differs. */
function isTime(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function readJson(part: string): Record<string, unknown> | null {
  try {
    const text = STRICT_UTF8.decode(Buffer.from(part, 'base64url'));
    if (tooDeep(text)) return null;
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true });

function tooDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (quoted) {
      if (char === '\\') at++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '{' || char === '[') {
      if (++depth > MAX_DEPTH) return true;
    } else if (char === '}' || char === ']') depth--;
  }
  return false;
}
