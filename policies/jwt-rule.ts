// One JWTRule as Istio writes it (security/v1beta1 RequestAuthentication), checked and with its defaults filled in.

import type { JwtRulePlan, TokenLocation } from './authentication.ts';
import { FIELD_NAME, framingField } from './field-syntax.ts';
import { parseJwks } from './jwks.ts';
import type { DecodeReport } from './policy.ts';
import { quote, SettingsReader } from './settings-reader.ts';

/** What an issuer serves its discovery document under (OpenID Connect Discovery 1.0 section 4). */
export const DISCOVERY_PATH = '/.well-known/openid-configuration';

const FIELDS = [
  ...['issuer', 'audiences', 'jwksUri', 'jwks_uri', 'jwks', 'fromHeaders', 'fromParams', 'fromCookies'],
  ...['outputPayloadToHeader', 'outputClaimToHeaders', 'forwardOriginalToken', 'timeout', 'spaceDelimitedClaims'],
];
/** Istio's default. */
const TIMEOUT_MS = 5_000;
const MAX_LIST = 64;
/** Where tokens are looked for unless the rule says so (RFC 6750 sections 2.1 and 2.3). */
export const DEFAULT_LOCATIONS: readonly TokenLocation[] = [
  { in: 'header', name: 'authorization', prefix: 'Bearer ' },
  { in: 'query', name: 'access_token' },
];
/** Lists though they are strings (RFC 8693 section 4.2 for `scope`), in Istio always. */
const SPACED_CLAIMS = ['scope', 'permission'];

/** null after a report. */
export function decodeJwtRule(raw: unknown, path: string, report: DecodeReport): JwtRulePlan | null {
  const settings = new SettingsReader(raw, path, report, FIELDS);
  const issuer = text(settings, 'issuer') ?? '';
  const claimHeaders = members(settings, 'outputClaimToHeaders').map((member, index) =>
    decodeClaimHeader(member, settings, index),
  );
  const payload = text(settings, 'outputPayloadToHeader');
  const rule: JwtRulePlan = {
    issuer,
    audiences: texts(settings, 'audiences'),
    keys: decodeKeys(settings, issuer),
    timeoutMs: timeout(settings),
    locations: decodeLocations(settings),
    forward: flag(settings, 'forwardOriginalToken'),
    payloadHeader: payload === null ? null : outputHeader(settings, 'outputPayloadToHeader', payload),
    claimHeaders,
    spacedClaims: [...new Set([...SPACED_CLAIMS, ...texts(settings, 'spaceDelimitedClaims')])],
  };
  refuseTwins(settings, rule);
  return settings.sound ? rule : null;
}

function decodeKeys(settings: SettingsReader, issuer: string): JwtRulePlan['keys'] {
  const written = ['jwks', 'jwksUri', 'jwks_uri'].filter((field) => settings.has(field));
  if (written.length > 1) settings.refuse(written[1]!, `and ${written[0]} exclude each other: remove one of them`);
  const field = written[0];
  if (field === 'jwks') return { inline: inlineKeys(settings) };
  const uri = field === undefined ? null : text(settings, field);
  if (uri !== null) {
    const problem = uriProblem(uri);
    if (problem !== '') settings.refuse(field!, `${quote(uri)} ${problem}`);
    return { uri };
  }
  // As Istio does: the issuer itself tells where its keys are.
  if (settings.sound && uriProblem(issuer) !== '')
    settings.refuse(
      'issuer',
      `${quote(issuer)} is no https:// or http:// URI at which its keys could be found: write jwks or jwksUri`,
    );
  return { uri: `${issuer.replace(/\/$/, '')}${DISCOVERY_PATH}` };
}

function inlineKeys(settings: SettingsReader): string {
  const inline = text(settings, 'jwks') ?? '';
  const keys = parseJwks(inline);
  if (typeof keys === 'string' && settings.sound) settings.refuse('jwks', keys);
  return inline;
}

/** '' when keys can be fetched from there. */
function uriProblem(uri: string): string {
  if (uri.length > 2048) return 'is longer than 2048 characters';
  const parts = /^https?:\/\/([^/?#]+)([/?][\x21-\x7e]*)?$/i.exec(uri);
  if (parts === null || uri.includes('#')) return 'is no https:// or http:// URI';
  const authority = parts[1]!;
  if (authority.includes('@')) return 'carries a user or password, which would be printed wherever it is named';
  const shape = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/i.exec(authority);
  if (shape === null || Number(shape[2] ?? 1) > 65_535) return 'names no host that could be asked';
  return '';
}

function decodeLocations(settings: SettingsReader): readonly TokenLocation[] {
  const locations: TokenLocation[] = [];
  for (const [index, member] of members(settings, 'fromHeaders').entries()) {
    const location = decodeHeader(member, settings, index);
    if (location !== null) locations.push(location);
  }
  for (const name of texts(settings, 'fromParams')) locations.push({ in: 'query', name });
  for (const [index, name] of texts(settings, 'fromCookies').entries()) {
    // A cookie's name is a token (RFC 6265 section 4.1.1).
    if (!FIELD_NAME.test(name.toLowerCase()))
      settings.refuse(`fromCookies[${index}]`, `${quote(name)} is no name of a cookie`);
    locations.push({ in: 'cookie', name });
  }
  return locations.length === 0 ? DEFAULT_LOCATIONS : locations;
}

function decodeHeader(raw: unknown, settings: SettingsReader, index: number): TokenLocation | null {
  const at = `fromHeaders[${index}]`;
  const { name, prefix = '', ...others } = object(raw);
  for (const other of Object.keys(others)) settings.refuse(`${at}.${other}`, 'is unknown here: write name, prefix');
  const lower = typeof name === 'string' ? name.toLowerCase() : '';
  if (!FIELD_NAME.test(lower)) settings.refuse(`${at}.name`, `${quote(name)} is no name of a header`);
  else if (framingField(lower) || lower === 'host')
    settings.refuse(`${at}.name`, `${quote(name)} carries no token: it belongs to one connection or one message`);
  else if (typeof prefix !== 'string' || !/^[ -~]*$/.test(prefix))
    settings.refuse(`${at}.prefix`, `${quote(prefix)} is no printable text`);
  else return { in: 'header', name: lower, prefix };
  return null;
}

function decodeClaimHeader(raw: unknown, settings: SettingsReader, index: number): JwtRulePlan['claimHeaders'][number] {
  const at = `outputClaimToHeaders[${index}]`;
  const { header, claim, ...others } = object(raw);
  for (const other of Object.keys(others)) settings.refuse(`${at}.${other}`, 'is unknown here: write header, claim');
  if (typeof claim !== 'string' || claim === '') settings.refuse(`${at}.claim`, `${quote(claim)} names no claim`);
  const name = outputHeader(settings, `${at}.header`, typeof header === 'string' ? header : '');
  return { header: name, claim: String(claim) };
}

/** Lower-case. What frames, routes, or tells who speaks is not the token's to write. */
function outputHeader(settings: SettingsReader, at: string, written: string): string {
  const name = written.toLowerCase();
  if (!/^[-_a-z0-9]+$/.test(name))
    settings.refuse(at, `${quote(written)} is no name of a header made of letters, digits, - and _`);
  else if (reservedField(name))
    settings.refuse(at, `${quote(written)} is not a token's to write: choose a name of your own, such as x-jwt-claim`);
  return name;
}

/** Whether a field (lower-case) is not for tokens to write. */
export function reservedField(name: string): boolean {
  return framingField(name) || RESERVED.has(name) || RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix));
}

const RESERVED: ReadonlySet<string> = new Set([
  ...['host', 'via', 'authorization', 'proxy-authorization', 'proxy-authenticate', 'cookie', 'set-cookie'],
  ...['forwarded', 'x-real-ip', 'x-request-id', 'content-type', 'content-encoding', 'date'],
]);
/** Of this proxy and of those in front of it, whichever separator stands in the name. */
const RESERVED_PREFIXES = ['x-forwarded-', 'x_forwarded_', 'x-envoy-', 'x_envoy_', 'x-waypoint-', 'x_waypoint_'];

function refuseTwins(settings: SettingsReader, { payloadHeader, claimHeaders }: JwtRulePlan): void {
  const seen = new Set<string>(payloadHeader === null ? [] : [payloadHeader]);
  for (const [index, { header }] of claimHeaders.entries()) {
    if (seen.has(header) && settings.sound)
      settings.refuse(`outputClaimToHeaders[${index}].header`, `${quote(header)} is written twice by this rule`);
    seen.add(header);
  }
}

function timeout(settings: SettingsReader): number {
  const raw = settings.value('timeout');
  // Istio's durations may have a fraction, `0.5s`.
  const seconds = typeof raw === 'string' ? /^\d{1,5}\.\d{1,9}s$/.exec(raw) : null;
  if (seconds === null) return settings.period('timeout', TIMEOUT_MS);
  const ms = Number.parseFloat(seconds[0]) * 1_000;
  if (ms < 1) settings.refuse('timeout', 'must be 1ms at least');
  return ms;
}

function text(settings: SettingsReader, field: string): string | null {
  const raw = settings.value(field);
  if (raw === undefined) return null;
  if (typeof raw === 'string' && raw !== '') return raw;
  settings.refuse(field, `${quote(raw)} is no text`);
  return null;
}

function flag(settings: SettingsReader, field: string): boolean {
  const raw = settings.value(field) ?? false;
  if (typeof raw !== 'boolean') settings.refuse(field, `${quote(raw)} is neither true nor false`);
  return raw === true;
}

function members(settings: SettingsReader, field: string): readonly unknown[] {
  const list = settings.list(field) ?? [];
  if (list.length > MAX_LIST) settings.refuse(field, `has ${list.length} members, ${MAX_LIST} are the most`);
  return list;
}

function texts(settings: SettingsReader, field: string): readonly string[] {
  const found: string[] = [];
  for (const [index, member] of members(settings, field).entries()) {
    if (typeof member === 'string' && member !== '') found.push(member);
    else settings.refuse(`${field}[${index}]`, `${quote(member)} is no text`);
  }
  return found;
}

function object(raw: unknown): Readonly<Record<string, unknown>> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw) ? (raw as Record<string, unknown>) : {};
}
