// A request that nobody sent: read by the real parser, and read again for each list of filters that is tried on it.

import type { AccessContext } from '../../policies/authorization.ts';
import { applyRequestFilters, type Filter } from '../../policies/index.ts';
import type { FilterContext, LocalReply } from '../../policies/policy.ts';
import type { Peer } from '../../routing/request.ts';
import { remoteAddress } from '../forwarding.ts';
import { FAILED, type ParseFailure } from '../http1/limits.ts';
import type { Http1RequestHead } from '../http1/request-head.ts';
import { RequestParser } from '../http1/request-parser.ts';
import { trustOf } from '../trusted-addresses.ts';
import type { ExplainOptions, ExplainRequest } from './explain.ts';
import type { Presented } from './token.ts';

interface Filtered {
  readonly context: FilterContext;
  readonly lines: readonly string[];
  readonly reply: LocalReply | null;
}

/** What follows the scheme in the URL. */
export interface Target {
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  readonly path: string;
}

export class Thought {
  readonly peer: Peer;
  readonly head: Http1RequestHead;
  /** Who sent it, where a trusted proxy tells of him. */
  readonly remoteAddress: string;
  /** Why a client that sends this is refused. */
  readonly failure: ParseFailure | null;
  readonly #bytes: Buffer;
  readonly #options: ExplainOptions;
  readonly #scheme: Target['scheme'];
  readonly #trusts: (address: string) => boolean;
  /** What its token makes of it; null: nothing. */
  #presented: Pick<Presented, 'token' | 'apply'> | null = null;
  #matchedPrefix: string | null = null;
  #listenerPort = 0;

  constructor(asked: ExplainRequest, target: Target, peer: Peer, options: ExplainOptions) {
    const { scheme, authority } = target;
    const hasHost = asked.headers.some(([name]) => name.toLowerCase() === 'host');
    const lines = asked.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const path = target.path.startsWith('/') ? target.path : `/${target.path}`;
    const text = `${asked.method} ${path} HTTP/1.1\r\n${hasHost ? '' : `host: ${authority}\r\n`}${lines}\r\n`;
    this.#bytes = Buffer.from(text, 'latin1');
    this.#options = options;
    this.#scheme = scheme;
    this.#trusts = trustOf(options.trustedProxies ?? []);
    this.peer = peer;
    const { head, failure } = this.#parse();
    this.head = head;
    this.failure = failure;
    this.remoteAddress = remoteAddress({ worker: { trusts: this.#trusts }, peer, head });
  }

  /** What the filters may know of the choice that was made. */
  matched(prefix: string | null, listenerPort: number): void {
    this.#matchedPrefix = prefix;
    this.#listenerPort = listenerPort;
  }

  /** From now on it is whose the token says. */
  present(presented: Pick<Presented, 'token' | 'apply'>): void {
    this.#presented = presented;
  }

  /** The lines of its head as it comes. */
  get received(): readonly string[] {
    return linesOf(this.#parse().head);
  }

  /** What decides who may: before any filter of the route. */
  accessContext(destinationPort: number): AccessContext {
    const { head, peer, remoteAddress } = this;
    const place = { listenerPort: this.#listenerPort, matchedPrefix: this.#matchedPrefix };
    return {
      head,
      peer,
      ...place,
      remoteAddress,
      destinationPort,
      token: this.#presented?.token ?? null,
    };
  }

  /** The request behind these filters, the lines of its head, and the answer of the filter that gave any. */
  filtered(filters: readonly Filter[]): Filtered {
    const { head } = this.#parse();
    const { peer } = this;
    this.#presented?.apply(head);
    const context = { head, peer, listenerPort: this.#listenerPort, matchedPrefix: this.#matchedPrefix };
    const reply = applyRequestFilters(filters, context);
    return { context, lines: linesOf(head), reply };
  }

  #parse(): { head: Http1RequestHead; failure: ParseFailure | null } {
    const { limits, pathNormalization } = this.#options;
    const { requestHeadBytes: headBytes, requestFields: fields, requestTargetBytes: targetBytes } = limits;
    const parser = new RequestParser({ headBytes, fields, targetBytes }, pathNormalization);
    parser.head.scheme = this.#scheme;
    parser.trusted = this.#trusts(this.peer.address);
    const offset = parser.push(this.#bytes, 0);
    if (offset === this.#bytes.length) return { head: parser.head, failure: null };
    // More than one head: there is a line break in one of the values.
    const failure = offset === FAILED ? parser.failure : null;
    return { head: parser.head, failure: failure ?? { status: 400, reason: 'invalid' } };
  }
}

function linesOf(head: Http1RequestHead): readonly string[] {
  return head.serialize('').trimEnd().split('\r\n');
}
