// Queries over TCP, each with its length before it; as many on one connection as the client likes, answered as they are
// ready (RFC 7766).

import { createServer, type Server, type Socket } from 'node:net';
import { type FloodLimits, plainAddress } from './clients.ts';
import { HEADER_BYTES, MAX_QUERY_BYTES } from './query.ts';
import type { Client, Responder } from './responder.ts';
import type { Wait } from './upstream.ts';

export interface TcpLimits {
  readonly connections: number;
  readonly connectionsPerClient: number;
  readonly idleTimeoutMs: number;
  /** Queries of one connection under way; beyond it nothing is read. */
  readonly inFlight: number;
  /** Bytes that a client does not take; beyond it the connection is cut. */
  readonly unsentBytes: number;
}

export const DEFAULT_TCP_LIMITS: TcpLimits = {
  connections: 256,
  connectionsPerClient: 32,
  idleTimeoutMs: 10_000,
  inFlight: 64,
  unsentBytes: 262_144,
};

type Count = (result: 'dropped') => void;

/** What a connection needs of its server. */
interface House {
  readonly responder: Responder;
  readonly floods: FloodLimits;
  readonly count: Count;
  readonly limits: TcpLimits;
}

export class TcpServer {
  readonly #house: House;
  readonly #server: Server;
  readonly #connections: Set<Connection> = new Set();

  constructor(house: House) {
    this.#house = house;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  /** The port in use. @throws as the system does. */
  async listen(host: string, port: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen({ host, port, exclusive: true }, resolve);
    await promise;
    this.#server.off('error', reject);
    this.#server.on('error', () => {});
    return (this.#server.address() as { port: number }).port;
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.end();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    const { limits, count } = this.#house;
    const address = plainAddress(socket.remoteAddress ?? '');
    const ofClient = [...this.#connections].filter((connection) => connection.client.address === address).length;
    if (this.#connections.size >= limits.connections || ofClient >= limits.connectionsPerClient) {
      count('dropped');
      socket.destroy();
      return;
    }
    const connection = new Connection(socket, { address, transport: 'tcp' }, this.#house);
    this.#connections.add(connection);
    socket.on('close', () => {
      this.#connections.delete(connection);
      connection.end();
    });
  }
}

class Connection {
  readonly client: Client;
  readonly #socket: Socket;
  readonly #house: House;
  readonly #waits: Set<Wait> = new Set();
  #unread: Buffer = Buffer.alloc(0);
  readonly #timer: NodeJS.Timeout;
  #clientEnded = false;

  constructor(socket: Socket, client: Client, house: House) {
    this.#socket = socket;
    this.client = client;
    this.#house = house;
    // Of whole queries and answers: single bytes keep nothing open.
    this.#timer = setTimeout(() => this.end(), house.limits.idleTimeoutMs);
    socket.on('error', () => this.end());
    socket.on('end', () => {
      this.#clientEnded = true;
      this.#endIfDone();
    });
    socket.on('data', (chunk: Buffer) => {
      this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
      this.#read();
    });
  }

  end(): void {
    clearTimeout(this.#timer);
    for (const wait of this.#waits) wait.cancel();
    this.#waits.clear();
    this.#unread = Buffer.alloc(0);
    this.#socket.destroy();
  }

  #read(): void {
    const { floods, count, limits } = this.#house;
    while (this.#unread.length >= 2 && this.#waits.size < limits.inFlight) {
      const length = this.#unread.readUInt16BE(0);
      const isFlood =
        this.#unread.length >= 2 + length && floods.take(this.client.address, performance.now()) !== 'allow';
      if (length < HEADER_BYTES || length > MAX_QUERY_BYTES || isFlood) {
        count('dropped');
        this.end();
        return;
      }
      if (this.#unread.length < 2 + length) break;
      const message = this.#unread.subarray(2, 2 + length);
      this.#unread = this.#unread.subarray(2 + length);
      this.#timer.refresh();
      this.#answer(message);
    }
    if (this.#waits.size < limits.inFlight) this.#socket.resume();
    else this.#socket.pause();
    this.#endIfDone();
  }

  #answer(message: Buffer): void {
    let wait: Wait | null = null;
    wait = this.#house.responder.answer(message, this.client, (answer) => {
      const wasFull = this.#waits.size >= this.#house.limits.inFlight;
      if (wait !== null) this.#waits.delete(wait);
      this.#send(answer);
      if (wasFull) this.#read();
      else if (wait !== null) this.#endIfDone();
    });
    if (wait !== null) this.#waits.add(wait);
  }

  #send(answer: Buffer): void {
    const framed = Buffer.allocUnsafe(2 + answer.length);
    framed.writeUInt16BE(answer.length, 0);
    framed.set(answer, 2);
    if (this.#socket.destroyed) return;
    this.#socket.write(framed);
    if (this.#socket.writableLength > this.#house.limits.unsentBytes) this.end();
  }

  #endIfDone(): void {
    if (this.#clientEnded && this.#waits.size === 0) this.#socket.end();
  }
}
