// A call of an outside service over HTTP/1.1, on the connections of its endpoints like any other request there.

import type { Endpoint } from '../../routing/endpoint.ts';
import type { Failure } from '../errors.ts';
import { LENGTH, NONE } from '../http1/framing.ts';
import type { UpstreamConnection, UpstreamOwner } from '../upstream/connection.ts';
import { Discard } from '../upstream/discard.ts';
import { Pool } from '../upstream/pool.ts';
import type { Worker } from '../worker-context.ts';
import { OutsideCall } from './outside-call.ts';

/** More of an answer's body is not passed on. */
const BODY_BYTES = 65_536;

export interface HttpQuestion {
  readonly method: string;
  /** Complete, with its empty line. */
  readonly head: string;
  /** Of the length that the head declares. */
  readonly body: readonly Buffer[];
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Latin-1; null: it is longer than is passed on. Of consent it is not read. */
  readonly body: string | null;
}

export class HttpCall extends OutsideCall<HttpAnswer> implements UpstreamOwner {
  readonly client: null = null;
  readonly #question: HttpQuestion;
  #connection: UpstreamConnection | null = null;
  #fields: HttpAnswer['fields'] = [];
  #status = 0;
  #body = '';

  constructor(worker: Worker, backend: string, timeoutMs: number, question: HttpQuestion) {
    super(worker, backend, timeoutMs);
    this.#question = question;
  }

  protected send(endpoint: Endpoint): void {
    const pool = Pool.of(this.worker, endpoint, this.state);
    const idle = pool.take(this);
    if (idle !== null) {
      this.onUpstreamReady(idle);
    } else if (this.state.circuit.full('connections', this.state.limits) === null) {
      this.#connection = pool.open(this);
    } else {
      this.fail('overflow', 'all connections that it may have are taken', 'client-gone');
    }
  }

  protected drop(): void {
    this.#connection?.abandon();
    this.#connection = null;
  }

  onUpstreamReady(connection: UpstreamConnection): void {
    this.#connection = connection;
    const { head, method, body } = this.#question;
    connection.socket.cork();
    connection.send(head, method, body.length === 0 ? NONE : LENGTH, 0, performance.now());
    for (const piece of body) connection.write(piece);
    if (body.length > 0) connection.endRequest('');
    connection.socket.uncork();
  }

  onShadow(): void {}

  onInterim(): void {}

  onResponseHead(connection: UpstreamConnection): void {
    const { status, fields } = connection.parser.head;
    this.#status = status;
    this.#fields = fields.entries().map(([name, value]) => [name.toLowerCase(), value] as const);
    if (status !== 200) return;
    // What consent is made of stands in the head.
    connection.owner = new Discard();
    this.#connection = null;
    this.answer({ status, fields: this.#fields, body: '' }, 'ok');
  }

  onResponseData(connection: UpstreamConnection, data: Buffer): void {
    this.#body += data.toString('latin1');
    if (this.#body.length <= BODY_BYTES) return;
    connection.abandon();
    this.#connection = null;
    this.#answered(null);
  }

  onUpstreamEnd(): void {
    this.#connection = null;
    this.#answered(this.#body);
  }

  onUpgraded(connection: UpstreamConnection): void {
    connection.abandon();
    this.#connection = null;
    this.fail('malformed', 'it switched to another protocol', '5xx');
  }

  onTunnelData(): void {}

  onTunnelEnd(): void {}

  onTunnelClosed(): void {}

  onUpstreamDrain(): void {}

  onUpstreamFailure(connection: UpstreamConnection, failure: Failure, detail: string): void {
    this.#connection = null;
    if (connection.reused && !connection.answered) this.again(detail);
    else if (failure.reason === 'upstream_protocol') this.fail('malformed', detail, '5xx');
    else this.fail('failed', detail, failure.reason.startsWith('connect') ? 'connect-failure' : 'reset');
  }

  #answered(body: string | null): void {
    this.answer({ status: this.#status, fields: this.#fields, body }, this.#status >= 500 ? '5xx' : 'ok');
  }
}
