// A request that nobody sent: read by the real parser, and read again for each list of filters that is tried on it.

import type { VerifiedToken } from '../../policies/authentication.ts';
import type { AccessContext } from '../../policies/authorization.ts';
import { parseSpiffeId } from '../../policies/identity.ts';
import { applyRequestFilters, type Filter } from '../../policies/index.ts';
import type { FilterContext, LocalReply } from '../../policies/policy.ts';
import type { Peer } from '../../routing/request.ts';
import { FAILED, type ParseFailure } from '../http1/limits.ts';
import type { Http1RequestHead } from '../http1/request-head.ts';
import { RequestParser } from '../http1/request-parser.ts';
import { tokenOf } from './access.ts';
import type { ExplainOptions, ExplainRequest } from './explain.ts';

interface Filtered {
  readonly context: FilterContext;
  readonly lines: readonly string[];
  readonly reply: LocalReply | null;
}

/** RFC 5737: an address of nobody. */
const NOBODY = '192.0.2.1';

export class Thought {
  readonly peer: Peer;
  readonly head: Http1RequestHead;
  /** Why a client that sends this is refused. */
  readonly failure: ParseFailure | null;
  readonly #bytes: Buffer;
  readonly #options: ExplainOptions;
  readonly #token: VerifiedToken | null;
  #matchedPrefix: string | null = null;
  #listenerPort = 0;

  /** `target` is what follows the authority in the URL. */
  constructor(asked: ExplainRequest, authority: string, target: string, options: ExplainOptions) {
    const hasHost = asked.headers.some(([name]) => name.toLowerCase() === 'host');
    const lines = asked.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const path = target.startsWith('/') ? target : `/${target}`;
    const text = `${asked.method} ${path} HTTP/1.1\r\n${hasHost ? '' : `host: ${authority}\r\n`}${lines}\r\n`;
    this.#bytes = Buffer.from(text, 'latin1');
    this.#options = options;
    const { principal = null, address = null, claims = null } = asked;
    const identity = principal === null ? null : parseSpiffeId(`spiffe://${principal}`);
    this.peer = {
      ...{ address: address ?? NOBODY, port: 0, serverName: null, identity },
      namespace: asked.namespace ?? identity?.namespace ?? null,
      ...{ localAddress: NOBODY, localPort: 0 },
    };
    this.#token = claims === null ? null : tokenOf(claims);
    const { head, failure } = this.#parse();
    this.head = head;
    this.failure = failure;
  }

  /** What the filters may know of the choice that was made. */
  matched(prefix: string | null, listenerPort: number): void {
    this.#matchedPrefix = prefix;
    this.#listenerPort = listenerPort;
  }

  /** What decides who may: before any filter of the route. */
  accessContext(destinationPort: number): AccessContext {
    const { head, peer } = this;
    const place = { listenerPort: this.#listenerPort, matchedPrefix: this.#matchedPrefix };
    return { head, peer, ...place, remoteAddress: peer.address, destinationPort, token: this.#token };
  }

  /** The request behind these filters, the lines of its head, and the answer of the filter that gave any. */
  filtered(filters: readonly Filter[]): Filtered {
    const { head } = this.#parse();
    const { peer } = this;
    const context = { head, peer, listenerPort: this.#listenerPort, matchedPrefix: this.#matchedPrefix };
    const reply = applyRequestFilters(filters, context);
    return { context, lines: head.serialize('').trimEnd().split('\r\n'), reply };
  }

  #parse(): { head: Http1RequestHead; failure: ParseFailure | null } {
    const { limits, pathNormalization } = this.#options;
    const { requestHeadBytes: headBytes, requestFields: fields, requestTargetBytes: targetBytes } = limits;
    const parser = new RequestParser({ headBytes, fields, targetBytes }, pathNormalization);
    const offset = parser.push(this.#bytes, 0);
    if (offset === this.#bytes.length) return { head: parser.head, failure: null };
    // More than one head: there is a line break in one of the values.
    const failure = offset === FAILED ? parser.failure : null;
    return { head: parser.head, failure: failure ?? { status: 400, reason: 'invalid' } };
  }
}
