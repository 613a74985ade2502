// One look at the key set behind a URI: what it costs is bounded, and where it may lead is checked for every connection.

import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { Agent, Dispatcher } from 'undici';
import { type PublicJwk, parseJwks } from '../../policies/jwks.ts';
import { DISCOVERY_PATH } from '../../policies/jwt-rule.ts';
import { type EgressRules, egressRules, refusedAddress } from '../forbidden-address.ts';

const MAX_BYTES = 1_048_576;
const MAX_HOPS = 4;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** The operator wrote the URI, so it may lead to this host; whom it redirects to, he did not write. */
const LOOPBACK = ['127.0.0.0/8', '::1/128'];

interface Hop {
  readonly url: URL;
  /** The URI itself, or what a server made of it. */
  readonly from: 'operator' | 'server';
}

export class JwksRequests {
  readonly #rules: Readonly<Record<Hop['from'], EgressRules>>;
  readonly #agents: Map<Hop['from'], Agent> = new Map();

  /** `allowed`: addresses and CIDRs where a server may lead to though they are of a kind that is refused. */
  constructor(allowed: readonly string[]) {
    this.#rules = {
      operator: egressRules([...allowed, ...LOOPBACK], [], []),
      server: egressRules(allowed, [], []),
    };
  }

  /**
   * The usable keys at `uri`, or at the `jwks_uri` of the discovery document that is there.
   * @throws what was tried, and why it failed
   */
  async get(uri: string, timeoutMs: number): Promise<readonly PublicJwk[]> {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      let hop: Hop = { url: new URL(uri), from: 'operator' };
      if (uri.endsWith(DISCOVERY_PATH)) hop = discovered(hop, await this.#follow(hop, signal));
      const keys = parseJwks(await this.#follow(hop, signal));
      if (typeof keys === 'string') throw new Error(keys);
      return keys;
    } catch (error) {
      const why = signal.aborted ? `no answer within ${timeoutMs} ms` : messageOf(error);
      throw new Error(`GET ${uri}: ${why}`);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()));
    this.#agents.clear();
  }

  /** The text at the end of the redirects. */
  async #follow(first: Hop, signal: AbortSignal): Promise<string> {
    let hop = first;
    for (let count = 0; count < MAX_HOPS; count++) {
      const { statusCode, headers, body } = await this.#request(hop, signal);
      const { location } = headers;
      if (!REDIRECTS.has(statusCode) || typeof location !== 'string') {
        const coding = headers['content-encoding'] ?? 'identity';
        if (statusCode === 200 && coding === 'identity') return await readAll(body);
        body.destroy();
        throw new Error(
          statusCode === 200
            ? `answered with content-encoding ${coding}, nobody asked for it`
            : `answered ${statusCode}`,
        );
      }
      body.destroy();
      hop = next(hop, location);
    }
    throw new Error(`more than ${MAX_HOPS - 1} redirects`);
  }

  async #request(hop: Hop, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { url, from } = hop;
    const host = url.hostname.replace(/^\[|\]$/g, '');
    // An address that is written out is connected to without being looked up.
    const refused = isIP(host) === 0 ? null : refusedAddress(host, portOf(url), this.#rules[from]);
    if (refused !== null) throw new Error(refusal(host, host, refused));
    // Loaded only where a rule names a URI: its import costs more than the rest of the main thread.
    const undici = await import('undici');
    const dispatcher =
      this.#agents.get(from) ?? new undici.Agent({ pipelining: 0, connect: { lookup: this.#lookup(from) } });
    this.#agents.set(from, dispatcher);
    const headers = { accept: 'application/json, application/jwk-set+json', 'user-agent': 'waypoint-jwks' };
    const response = undici.request(url, { dispatcher, headers, signal, headersTimeout: 0, bodyTimeout: 0 });
    const answer = await response;
    // A body that nobody reads any more fails when its connection is cut.
    answer.body.on('error', () => {});
    return answer;
  }

  /** Every address of the name has to be harmless: which of them is dialled is up to chance. */
  #lookup(from: Hop['from']): LookupFunction {
    return (hostname, options, callback) => {
      lookup(hostname, { ...options, all: true }, (error, addresses) => {
        if (error !== null) {
          callback(error, []);
          return;
        }
        for (const { address } of addresses) {
          const refused = refusedAddress(address, 0, this.#rules[from]);
          if (refused === null) continue;
          callback(new Error(refusal(hostname, address, refused)), []);
          return;
        }
        const [first] = addresses;
        if (options.all) callback(null, addresses);
        else callback(null, first?.address ?? '', first?.family ?? 4);
      });
    };
  }
}

function discovered(hop: Hop, text: string): Hop {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new Error('the discovery document is no JSON');
  }
  const uri = (document as { readonly jwks_uri?: unknown } | null)?.jwks_uri;
  if (typeof uri !== 'string') throw new Error('the discovery document names no jwks_uri');
  return next(hop, uri);
}

function next({ url }: Hop, location: string): Hop {
  const target = URL.parse(location, url);
  if (target === null || (target.protocol !== 'https:' && target.protocol !== 'http:'))
    throw new Error(`leads to ${JSON.stringify(location.slice(0, 200))}, which is no https:// or http:// URI`);
  if (url.protocol === 'https:' && target.protocol === 'http:')
    throw new Error(`leads from https to ${target.origin}: keys that anybody on the way can replace`);
  return { url: target, from: 'server' };
}

async function readAll(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BYTES) throw new Error(`the answer is larger than ${MAX_BYTES / 1_048_576} MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

function refusal(host: string, address: string, what: string): string {
  const named = host === address ? host : `${host} (${address})`;
  return `leads to ${named}, which is ${what}: keys are not fetched from there (--egress-allow excepts addresses)`;
}

/** The cause where there is one: what undici itself says is only that it failed. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error && cause.message !== '') return cause.message;
  const { code } = error as { readonly code?: string };
  return error.message === '' ? (code ?? error.name) : error.message;
}
