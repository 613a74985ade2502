// Rate limits: token buckets, one per key, kept in this process for all of its threads; and a service that is asked.

import type { BucketStore } from './bucket-store.ts';
import { formatDuration } from './duration.ts';
import { FIELD_NAME } from './field-syntax.ts';
import { LocalLimiter } from './local-limiter.ts';
import type { DecodeReport, FilterContext, LocalReply } from './policy.ts';
import { decodeGlobalLimit, describeGlobalLimit, type GlobalRateLimitPlan } from './rate-limit-global.ts';
import { type KeyPart, rateLimitKey } from './rate-limit-key.ts';
import { POSITIVE, quote, SettingsReader } from './settings-reader.ts';

export interface RateLimitPlan {
  /** All of them must allow a request. */
  readonly local: readonly LocalLimit[];
  readonly global: GlobalRateLimitPlan | null;
}

interface LocalLimit {
  /** Refilled evenly: this many per `perMs`. */
  readonly requests: number;
  readonly perMs: number;
  /** What a bucket holds: so many may come at once. */
  readonly burst: number;
  /** Requests whose parts are equal share a bucket; empty: one bucket for all. */
  readonly key: readonly KeyPart[];
}

const VALUELESS = ['sourceIP', 'method', 'path'] as const;
const NAMED = ['header', 'cookie', 'query'] as const;

/** `rateLimit` of a TrafficPolicy; null after a report. */
export function decodeRateLimit(raw: unknown, path: string, report: DecodeReport): RateLimitPlan | null {
  const settings = new SettingsReader(raw, path, report, ['local', 'global']);
  const global = settings.has('global') ? decodeGlobalLimit(settings.value('global'), `${path}.global`, report) : null;
  if (settings.has('global') && global === null) settings.sound = false;
  const members = settings.list('local') ?? [];
  if (members.length === 0 && settings.sound && (settings.has('local') || global === null))
    settings.refuse('local', 'needs at least one limit');
  const local: LocalLimit[] = [];
  for (const [index, member] of members.entries()) {
    const limit = decodeLimit(member, `${path}.local[${index}]`, report);
    if (limit === null) settings.sound = false;
    else local.push(limit);
  }
  return settings.sound ? { local, global } : null;
}

export function describeRateLimit(plan: RateLimitPlan): string {
  const limits = plan.local.map(({ requests, perMs, burst, key }) => {
    const parts = key.map(({ source, name }) => (name === '' ? source : `${source} ${name}`));
    const scope = parts.length === 0 ? '' : ` per ${parts.join(' and ')}`;
    return `${requests} per ${formatDuration(perMs)} (burst ${burst})${scope}`;
  });
  if (plan.global !== null) limits.push(describeGlobalLimit(plan.global));
  return `rate limit: ${limits.join('; ')}`;
}

/** The limits of one plan on the buckets of a store. */
export class RateLimiter {
  readonly #plan: RateLimitPlan;
  readonly #limiters: readonly LocalLimiter[];

  /** Requests of one `scope` share the buckets of equal limits, whatever plan they stand in. */
  constructor(plan: RateLimitPlan, scope: string, store: BucketStore) {
    this.#plan = plan;
    this.#limiters = plan.local.map(
      (limit, index) => new LocalLimiter(limit, `${scope}\n${index}\n${JSON.stringify(limit)}`, store),
    );
  }

  /** null: allowed by every limit and counted by each; else counted by none. `now` is monotonic, in ms. */
  check(context: FilterContext, now: number): LocalReply | null {
    for (let index = 0; index < this.#limiters.length; index += 1) {
      const limiter = this.#limiters[index]!;
      const limit = this.#plan.local[index]!;
      if (limiter.take(rateLimitKey(limit.key, context), now)) continue;
      for (let before = 0; before < index; before += 1) this.#limiters[before]!.refund();
      return denied(limit, limiter, now);
    }
    return null;
  }
}

function denied(limit: LocalLimit, limiter: LocalLimiter, now: number): LocalReply {
  const headers: LocalReply['headers'] = [
    ['retry-after', seconds(limiter.retryMs(now))],
    ['ratelimit-limit', String(limit.requests)],
    ['ratelimit-remaining', String(limiter.remaining(now))],
    ['ratelimit-reset', seconds(limiter.resetMs(now))],
  ];
  return { status: 429, reason: 'rate_limited', headers, body: 'too many requests\n' };
}

/** Rounded up: who returns then is not refused for the same reason. */
function seconds(ms: number): string {
  return String(Math.max(1, Math.ceil(ms / 1_000)));
}

function decodeLimit(raw: unknown, path: string, report: DecodeReport): LocalLimit | null {
  const settings = new SettingsReader(raw, path, report, ['requests', 'per', 'burst', 'key']);
  settings.mandatory('requests', 'per');
  const requests = settings.integer('requests', POSITIVE, 1);
  const limit: LocalLimit = {
    requests,
    perMs: settings.period('per', 1_000),
    burst: settings.integer('burst', POSITIVE, requests),
    key: (settings.list('key') ?? []).map((part, index) => decodePart(part, index, settings)),
  };
  return settings.sound ? limit : null;
}

/** `{header: x-tenant}`, or `{sourceIP: true}` where there is nothing to name. */
function decodePart(raw: unknown, index: number, settings: SettingsReader): KeyPart {
  const nothing: KeyPart = { source: 'path', name: '' };
  const entries = typeof raw === 'object' && raw !== null ? Object.entries(raw) : [];
  const [field, value] = entries[0] ?? ['', undefined];
  const named = NAMED.find((source) => source === field);
  const valueless = VALUELESS.find((source) => source === field);
  const at = `key[${index}]`;
  if (entries.length !== 1 || (named ?? valueless) === undefined) {
    settings.refuse(at, `${quote(raw)} is no part of a key: write one of ${[...NAMED, ...VALUELESS].join(', ')}`);
    return nothing;
  }
  if (valueless !== undefined) {
    if (value !== true)
      settings.refuse(`${at}.${field}`, `${quote(value)} says nothing: write true, or leave the part out`);
    return { source: valueless, name: '' };
  }
  const name = typeof value === 'string' ? value : '';
  // Query parameters may have any name, the others are tokens.
  if (name === '' || (named !== 'query' && !FIELD_NAME.test(name.toLowerCase())))
    settings.refuse(`${at}.${field}`, `${quote(value)} is no name of a ${named}`);
  return { source: named!, name: named === 'header' ? name.toLowerCase() : name };
}
