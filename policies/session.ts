// Session persistence (GEP-1619): a client that comes back with its token is served by the endpoint that served it before.

import { hashKey } from '../routing/hash-key.ts';
import type { Fields } from '../routing/request.ts';
import { formatDuration } from './duration.ts';
import type { DecodeReport } from './policy.ts';
import { openToken, type Sign, sealToken } from './session-token.ts';
import { quote, SettingsReader } from './settings-reader.ts';

export interface SessionPlan {
  readonly type: 'Cookie' | 'Header';
  /** Of the cookie or header field (this in lower case); '': one that is made from the scope. */
  readonly name: string;
  /** Permanent: the cookie outlives the browser's session. */
  readonly lifetime: 'Session' | 'Permanent';
  /** 0: none. */
  readonly absoluteTimeoutMs: number;
  /** 0: none. */
  readonly idleTimeoutMs: number;
  /** Of the cookie. */
  readonly path: string;
}

/** Times are of the wall clock (ms since 1970): tokens outlive the process and are read by other replicas. */
export interface Session {
  /** `namespace/name:port`: it holds though the weight of its share has become 0. */
  readonly backend: string;
  /** Id of the endpoint, `address:port`. */
  readonly endpoint: string;
  readonly since: number;
  /** When its token was made. */
  readonly used: number;
}

const FIELDS = ['sessionName', 'absoluteTimeout', 'idleTimeout', 'type', 'cookieConfig'];
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/;
/** Fields that carry something else; a token there would break the message. */
const TAKEN =
  /^(?:connection|content-.*|cookie|date|host|keep-alive|proxy-.*|set-cookie|te|trailer|transfer-encoding|upgrade)$/i;
/** A browser sends cookies of one name for several paths; more are not looked at. */
const MAX_TOKENS = 4;
/** A token that is younger than this is not made anew only because it was used. */
const RENEW_MS = 1_000;

/** `sessionPersistence` of a rule or an XBackendTrafficPolicy; null after a report. */
export function decodeSession(raw: unknown, path: string, report: DecodeReport): SessionPlan | null {
  const settings = new SettingsReader(raw, path, report, FIELDS);
  const type = settings.value('type') ?? 'Cookie';
  if (type !== 'Cookie' && type !== 'Header') settings.refuse('type', `${quote(type)} is none of Cookie, Header`);
  const name = settings.value('sessionName') ?? '';
  if (typeof name !== 'string' || (name !== '' && !TOKEN.test(name))) {
    settings.refuse('sessionName', `${quote(name)} is no name of a cookie or header: write letters, digits, - and _`);
  } else if (type === 'Header' && TAKEN.test(name)) {
    settings.refuse('sessionName', `${quote(name)} has a meaning of its own in HTTP: write another name`);
  }
  const plan: SessionPlan = {
    type: type as SessionPlan['type'],
    name: type === 'Header' ? String(name).toLowerCase() : String(name),
    lifetime: decodeLifetime(settings, type, report),
    absoluteTimeoutMs: settings.duration('absoluteTimeout', 0),
    idleTimeoutMs: settings.duration('idleTimeout', 0),
    path: '/',
  };
  if (plan.lifetime === 'Permanent' && plan.absoluteTimeoutMs === 0) {
    settings.refuse('absoluteTimeout', 'is missing: a Permanent cookie needs to know how long');
  }
  return settings.sound ? plan : null;
}

/** One line for `waypoint explain`. */
export function describeSession(plan: SessionPlan): string {
  const carrier = plan.type === 'Cookie' ? `${plan.lifetime === 'Permanent' ? 'permanent ' : ''}cookie` : 'header';
  const parts = [`by ${carrier} ${plan.name === '' ? 'of its own name' : plan.name}`];
  if (plan.absoluteTimeoutMs > 0) parts.push(`at most ${formatDuration(plan.absoluteTimeoutMs)}`);
  if (plan.idleTimeoutMs > 0) parts.push(`until ${formatDuration(plan.idleTimeoutMs)} without a request`);
  return `session persistence: ${parts.join('; ')}`;
}

/** The sessions of one scope: a rule (sessions are not shared between rules), or a backend that all its routes share. */
export class Sessions {
  /** Of the cookie or the header field. */
  readonly name: string;
  readonly #plan: SessionPlan;
  readonly #scope: string;
  readonly #sign: Sign;

  constructor(plan: SessionPlan, scope: string, sign: Sign) {
    this.name = plan.name || defaultName(plan, scope);
    this.#plan = plan;
    this.#scope = scope;
    this.#sign = sign;
  }

  /** The session that a request belongs to. null: it brings no token, or none that is genuine, of this scope and still valid. */
  find(fields: Fields, now: number): Session | null {
    const { name } = this;
    const tokens = this.#plan.type === 'Header' ? fields.values(name) : cookies(fields.values('cookie'), name);
    for (const token of tokens.slice(0, MAX_TOKENS)) {
      const session = parse(openToken(token, this.#scope, this.#sign));
      if (session !== null && this.#isAlive(session, now)) return session;
    }
    return null;
  }

  /** The field of the response that tells the client of its session, as of now. */
  field(session: Session, now: number, random: () => number): readonly [name: string, value: string] {
    const text = [
      Math.floor(session.since).toString(36),
      Math.floor(now).toString(36),
      session.backend,
      session.endpoint,
    ].join(' ');
    const token = sealToken(text, this.#scope, { sign: this.#sign, random });
    const { type, lifetime, path, absoluteTimeoutMs } = this.#plan;
    if (type === 'Header') return [this.name, token];
    const left = Math.ceil((session.since + absoluteTimeoutMs - now) / 1000);
    const age = lifetime === 'Permanent' ? `; Max-Age=${left}` : '';
    return ['set-cookie', `${this.name}=${token}; Path=${path}${age}; HttpOnly; SameSite=Lax`];
  }

  /** Whether a found session needs a new token, since the old one would go stale though it is in use. */
  isDue(session: Session, now: number): boolean {
    return this.#plan.idleTimeoutMs > 0 && now - session.used >= RENEW_MS;
  }

  #isAlive({ since, used }: Session, now: number): boolean {
    const { absoluteTimeoutMs, idleTimeoutMs } = this.#plan;
    if (absoluteTimeoutMs > 0 && now - since >= absoluteTimeoutMs) return false;
    return idleTimeoutMs === 0 || now - used < idleTimeoutMs;
  }
}

function decodeLifetime(settings: SettingsReader, type: unknown, report: DecodeReport): SessionPlan['lifetime'] {
  if (!settings.has('cookieConfig')) return 'Session';
  if (type === 'Header') settings.refuse('cookieConfig', 'belongs to type Cookie');
  const config = new SettingsReader(settings.value('cookieConfig'), settings.at('cookieConfig'), report, [
    'lifetimeType',
  ]);
  const lifetime = config.value('lifetimeType') ?? 'Session';
  if (lifetime !== 'Session' && lifetime !== 'Permanent') {
    config.refuse('lifetimeType', `${quote(lifetime)} is none of Session, Permanent`);
  }
  settings.sound &&= config.sound;
  return lifetime === 'Permanent' ? 'Permanent' : 'Session';
}

/** Distinct for each scope: two rules of one host must not overwrite each other's cookie. */
function defaultName({ type }: SessionPlan, scope: string): string {
  const mark = hashKey(scope).toString(36);
  return type === 'Header' ? `x-waypoint-session-${mark}` : `waypoint-session-${mark}`;
}

function parse(text: string | null): Session | null {
  const [since = '', used = '', backend = '', endpoint] = text?.split(' ') ?? [];
  if (endpoint === undefined) return null;
  return { backend, endpoint, since: Number.parseInt(since, 36), used: Number.parseInt(used, 36) };
}

/** Values of the cookies of this name (RFC 6265 section 4.2), in order. */
function cookies(lines: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (const line of lines) {
    for (const pair of line.split(';')) {
      const at = pair.indexOf('=');
      if (at !== -1 && pair.slice(0, at).trim() === name) values.push(pair.slice(at + 1).trim());
    }
  }
  return values;
}
