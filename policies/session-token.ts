// Text that travels through a client who can neither read it nor change it.

/** A keyed pseudo-random function, such as HMAC-SHA256; gives at least 22 characters of base64url. */
export type Sign = (text: string) => string;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** 48 bits: two tokens that share a nonce would show where their texts differ, and nothing else. */
const NONCE_CHARS = 8;
/** 132 bits. */
const MAC_CHARS = 22;
/** No token of ours is as long; what is longer is not looked at. */
const MAX_CHARS = 1024;
const CODES: ReadonlyMap<string, number> = new Map([...ALPHABET].map((letter, code) => [letter, code]));

/**
 * Base64url: nonce, masked text, signature. The mask is the key's, so that nobody outside learns addresses of endpoints;
 * encrypted, then signed together with the scope, so that a token is worth nothing elsewhere. `text` is Latin-1.
 */
export function sealToken(
  text: string,
  scope: string,
  { sign, random }: { readonly sign: Sign; readonly random: () => number },
): string {
  let nonce = '';
  while (nonce.length < NONCE_CHARS) nonce += ALPHABET[Math.floor(random() * 64)]!;
  const plain = btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  const body = nonce + shift(plain, mask(plain.length, nonce, sign), 1);
  return body + signature(body, scope, sign);
}

/** The sealed text; null unless it is genuine and of this scope. */
export function openToken(token: string, scope: string, sign: Sign): string | null {
  const end = token.length - MAC_CHARS;
  if (end <= NONCE_CHARS || token.length > MAX_CHARS) return null;
  const body = token.slice(0, end);
  if (!equal(token.slice(end), signature(body, scope, sign))) return null;
  const masked = body.slice(NONCE_CHARS);
  const plain = shift(masked, mask(masked.length, body.slice(0, NONCE_CHARS), sign), -1);
  return atob(plain.replaceAll('-', '+').replaceAll('_', '/'));
}

function signature(body: string, scope: string, sign: Sign): string {
  return sign(`session\n${scope}\n${body}`).slice(0, MAC_CHARS);
}

/** In a time that does not tell how much of it is right. */
function equal(given: string, expected: string): boolean {
  let difference = given.length ^ expected.length;
  for (let at = 0; at < expected.length; at += 1) difference |= given.charCodeAt(at) ^ expected.charCodeAt(at);
  return difference === 0;
}

function mask(length: number, nonce: string, sign: Sign): string {
  let text = '';
  for (let block = 0; text.length < length; block += 1) text += sign(`session-mask\n${nonce}\n${block}`);
  return text;
}

/** Each letter moved in the alphabet by the letter of the mask at its place. */
function shift(text: string, by: string, direction: 1 | -1): string {
  let moved = '';
  for (let at = 0; at < text.length; at += 1) {
    const code = (CODES.get(text[at]!) ?? 0) + direction * (CODES.get(by[at]!) ?? 0);
    moved += ALPHABET[(code + 64) % 64]!;
  }
  return moved;
}
