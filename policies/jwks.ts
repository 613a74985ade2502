// A JSON Web Key Set (RFC 7517) down to the public keys that can verify signatures here.

export interface PublicJwk {
  /** null: the key has no name. */
  readonly kid: string | null;
  /** What it may verify: of its type and curve, and nothing but its own `alg` where it has one. */
  readonly algorithms: readonly string[];
  /** The public members of the key, and no others: what is private in it stays where it was. */
  readonly members: Readonly<Record<string, string>>;
}

const MAX_BYTES = 1_048_576;
const MAX_KEYS = 100;
const RSA_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
const CURVES: Readonly<Record<string, { readonly algorithm: string; readonly bytes: number }>> = {
  'P-256': { algorithm: 'ES256', bytes: 32 },
  'P-384': { algorithm: 'ES384', bytes: 48 },
  'P-521': { algorithm: 'ES512', bytes: 66 },
};

/** Every signature algorithm that is ever accepted: asymmetric ones alone. */
export const ALGORITHMS: ReadonlySet<string> = new Set([...RSA_ALGORITHMS, 'ES256', 'ES384', 'ES512', 'EdDSA']);

/** Keys of other kinds (symmetric, of other curves, for encryption) are left out; a text says why there is none at all. */
export function parseJwks(text: string): readonly PublicJwk[] | string {
  if (text.length > MAX_BYTES) return `the key set is larger than ${MAX_BYTES / 1_048_576} MiB`;
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return 'is no JSON: a key set reads {"keys": [...]} (RFC 7517 section 5)';
  }
  const keys = isObject(raw) ? raw['keys'] : undefined;
  if (!Array.isArray(keys)) return 'has no list "keys" (RFC 7517 section 5)';
  if (keys.length > MAX_KEYS) return `has ${keys.length} keys, ${MAX_KEYS} are the most`;
  const usable = keys.map(publicJwk).filter((key) => key !== null);
  if (usable.length > 0) return usable;
  return `none of its ${keys.length} keys can verify a signature: RSA of 2048 bits and more, EC P-256, P-384, P-521, and Ed25519 can`;
}

function publicJwk(raw: unknown): PublicJwk | null {
  if (!isObject(raw)) return null;
  const { kid, use, key_ops: operations, alg } = raw;
  if (kid !== undefined && typeof kid !== 'string') return null;
  if (use !== undefined && use !== 'sig') return null;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return null;
  const kind = kindOf(raw);
  if (kind === null) return null;
  const algorithms = alg === undefined ? kind.algorithms : kind.algorithms.filter((one) => one === alg);
  // RFC 9864 has a name of its own for the one curve that EdDSA has here.
  if (alg === 'Ed25519' && raw['kty'] === 'OKP') return { kid: kid ?? null, ...kind };
  return algorithms.length === 0 ? null : { kid: kid ?? null, algorithms, members: kind.members };
}

function kindOf(raw: Readonly<Record<string, unknown>>): Omit<PublicJwk, 'kid'> | null {
  const { kty, crv, n, e, x, y } = raw;
  if (kty === 'RSA') {
    // A modulus shorter than 2048 bits can be factored, an enormous one is a trap for whoever calculates with it.
    const bytes = byteLength(n);
    if (bytes < 256 || bytes > 1_024 || byteLength(e) < 1 || byteLength(e) > 8) return null;
    return { algorithms: RSA_ALGORITHMS, members: { kty, n: n as string, e: e as string } };
  }
  if (kty === 'EC') {
    const curve = typeof crv === 'string' && Object.hasOwn(CURVES, crv) ? CURVES[crv] : undefined;
    if (curve === undefined || byteLength(x) !== curve.bytes || byteLength(y) !== curve.bytes) return null;
    return {
      algorithms: [curve.algorithm],
      members: { kty, crv: crv as string, x: x as string, y: y as string },
    };
  }
  if (kty === 'OKP' && crv === 'Ed25519' && byteLength(x) === 32)
    return { algorithms: ['EdDSA'], members: { kty, crv, x: x as string } };
  return null;
}

/** Of base64url without padding; 0 when it is none. */
function byteLength(value: unknown): number {
  return typeof value === 'string' && /^[A-Za-z0-9_-]+$/.test(value) ? Math.floor((value.length * 3) / 4) : 0;
}

function isObject(raw: unknown): raw is Readonly<Record<string, unknown>> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw);
}
