// A unary call over gRPC (gRPC over HTTP/2): one message there, one message back, and a status.

import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { Endpoint } from '../../routing/endpoint.ts';
import type { Worker } from '../worker-context.ts';
import { GrpcSession, type StreamOwner } from './grpc-session.ts';
import { OutsideCall } from './outside-call.ts';

/** More is no verdict. */
const ANSWER_BYTES = 1_048_576;
const PREFIX_BYTES = 5;
const OK = '0';
/** The service knows how long we wait (`grpc-timeout`), and may be the first to say that it is over. */
const DEADLINE_EXCEEDED = '4';
/** NGHTTP2_REFUSED_STREAM: it was not looked at. */
const REFUSED = 7;
const CANCEL = 8;

/** What the first call needs beside its own messages: to be had before the time of a call begins to run. */
export function loadGrpc(): void {
  process.getBuiltinModule('node:http2');
}

export interface GrpcMethod<A> {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** @throws what the message can not be read as. */
  readonly decode: (message: Uint8Array) => A;
}

interface OwnedStream extends ClientHttp2Stream {
  /** null: nobody waits for it any more. */
  owner: GrpcCall<unknown> | null;
  grpc: GrpcSession;
}

export class GrpcCall<A> extends OutsideCall<A> implements StreamOwner {
  readonly #method: GrpcMethod<A>;
  readonly #frame: Buffer;
  #session: GrpcSession | null = null;
  #stream: OwnedStream | null = null;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #status = '';
  #problem = '';

  constructor(worker: Worker, backend: string, timeoutMs: number, method: GrpcMethod<A>, message: Uint8Array) {
    super(worker, backend, timeoutMs);
    this.#method = method;
    this.#frame = framed(message);
  }

  protected send(endpoint: Endpoint): void {
    this.#session = GrpcSession.of(this.worker, endpoint, this.state);
    this.#session.wait(this);
  }

  protected drop(why: 'timed out' | 'gone'): void {
    const session = this.#session;
    const stream = this.#stream;
    this.#session = null;
    this.#stream = null;
    if (stream === null) return;
    stream.owner = null;
    stream.close(CANCEL);
    if (why === 'timed out') session?.timedOut();
  }

  opened(session: GrpcSession): void {
    if (this.#session !== session) return;
    const stream = session.request({
      ':method': 'POST',
      ':scheme': session.secure === null ? 'http' : 'https',
      ':authority': authorityOf(this.state.backend.id),
      ':path': this.#method.path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': `${this.leftMs}m`,
    }) as OwnedStream | null;
    if (stream === null) {
      this.again('its connection was closed');
      return;
    }
    this.#stream = stream;
    stream.owner = this as GrpcCall<unknown>;
    stream.grpc = session;
    stream.on('response', onHeaders);
    stream.on('trailers', onHeaders);
    stream.on('data', onData);
    stream.on('error', onError);
    stream.on('close', onClose);
    stream.end(this.#frame);
  }

  refused(message: string): void {
    if (this.#session === null) return;
    this.#session = null;
    this.fail('failed', message, 'connect-failure');
  }

  /** Of the head, which may be all there is, and of the trailers. */
  headers(fields: IncomingHttpHeaders): void {
    this.#session?.heard();
    const status = fields[':status'] as unknown as number | undefined;
    if (status !== undefined && status !== 200) this.#problem = `HTTP status ${status}`;
    const { 'grpc-status': code, 'grpc-message': message } = fields;
    if (typeof code !== 'string') return;
    this.#status = code;
    if (code !== OK) this.#problem = `grpc-status ${code}${typeof message === 'string' ? `: ${message}` : ''}`;
  }

  data(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes <= ANSWER_BYTES) this.#pieces.push(piece);
    else this.fail('malformed', `its answer is longer than ${ANSWER_BYTES} bytes`, '5xx');
  }

  /** The stream is over, with this code of HTTP/2. */
  closed(code: number): void {
    const isProven = this.#session?.proven === true;
    this.#session = null;
    this.#stream = null;
    if (this.#status === '' && this.#problem === '') {
      if (code === REFUSED || (isProven && this.#bytes === 0)) this.again(`stream closed with code ${code}`);
      else this.fail('failed', `stream closed with code ${code}, without a grpc-status`, 'reset');
    } else if (this.#status === DEADLINE_EXCEEDED) this.fail('timeout', this.#problem, 'timeout');
    else if (this.#problem !== '') this.fail('failed', this.#problem, '5xx');
    else this.#decoded();
  }

  #decoded(): void {
    let answer: A;
    try {
      answer = this.#method.decode(unframed(Buffer.concat(this.#pieces)));
    } catch (error) {
      this.fail('malformed', `its answer can not be read: ${(error as Error).message}`, '5xx');
      return;
    }
    this.answer(answer, 'ok');
  }
}

/** `svc.ns`, as the Service is called inside a cluster. */
function authorityOf(backend: string): string {
  const [namespace = '', rest = ''] = backend.split('/');
  return `${rest.slice(0, rest.lastIndexOf(':'))}.${namespace}`;
}

/** Uncompressed, behind its length. */
function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

function unframed(frame: Buffer): Uint8Array {
  if (frame.length < PREFIX_BYTES) throw new Error('there is no message');
  if (frame[0] !== 0) throw new Error('it is compressed, which was not offered');
  if (frame.readUInt32BE(1) !== frame.length - PREFIX_BYTES) throw new Error('it is not one message');
  return frame.subarray(PREFIX_BYTES);
}

function onHeaders(this: ClientHttp2Stream, fields: IncomingHttpHeaders): void {
  (this as OwnedStream).owner?.headers(fields);
}

function onData(this: ClientHttp2Stream, piece: Buffer): void {
  (this as OwnedStream).owner?.data(piece);
}

/** What it is says `close`, which follows. */
function onError(): void {}

function onClose(this: ClientHttp2Stream): void {
  const { owner, grpc } = this as OwnedStream;
  (this as OwnedStream).owner = null;
  grpc.done();
  owner?.closed(this.rstCode);
}
