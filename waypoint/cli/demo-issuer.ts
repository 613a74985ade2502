// The demo's issuer of tokens: its public key for whoever verifies them, and a token for whoever asks.

import { generateKeyPairSync, sign } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** As in manifests/demo/access.yaml. */
const ISSUER = 'https://issuer.shop.example';
const HOUR_S = 3600;

/** `/keys`: a JSON Web Key Set (RFC 7517). Anything else: a token for anna, valid for an hour. */
export function issuer(): (request: IncomingMessage, response: ServerResponse) => void {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const kid = 'demo';
  const keys = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }] });
  const token = (): string => {
    const expires = Math.floor(Date.now() / 1000) + HOUR_S;
    const parts = [
      { alg: 'ES256', kid },
      { iss: ISSUER, sub: 'anna', exp: expires },
    ];
    const input = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return `${input}.${signature.toString('base64url')}`;
  };
  return (request, response) => {
    response.end(request.url === '/keys' ? keys : `${token()}\n`);
  };
}
