// A backend that speaks TLS: who asked, for which name, with which certificate; and whether anybody came in cleartext.

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

export interface TlsServing {
  /** PEM. */
  readonly chain: string;
  readonly key: string;
  /** PEM: clients must present a certificate of these. */
  readonly clientAuthorities?: string;
  readonly maxVersion?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
}

export interface TlsArrival {
  /** SNI; '' where none was sent. */
  readonly serverName: string;
  /** CN of what the client presented; null: nothing. */
  readonly client: string | null;
  readonly reused: boolean;
  readonly host: string;
  readonly path: string;
}

const HANDSHAKE = 0x16;

export class TlsBackend {
  readonly arrivals: TlsArrival[] = [];
  /** Connections that did not begin with a handshake. */
  cleartext = 0;
  connections = 0;
  readonly #front: Server;
  readonly #http: HttpServer;
  readonly #sockets = new Set<Socket>();

  private constructor(serving: TlsServing) {
    this.#http = createHttpServer(
      {
        ...contextOf(serving),
        ...(serving.clientAuthorities === undefined ? {} : { requestCert: true, rejectUnauthorized: true }),
        ...(serving.maxVersion === undefined ? {} : { maxVersion: serving.maxVersion, minVersion: 'TLSv1' as const }),
        ...(serving.maxVersion === 'TLSv1.1' ? { ciphers: 'DEFAULT@SECLEVEL=0' } : {}),
      },
      (request, response) => this.#answer(request, response),
    );
    this.#http.on('tlsClientError', () => {});
    this.#front = createServer((socket) => this.#arrived(socket));
  }

  static async start(serving: TlsServing): Promise<TlsBackend> {
    const backend = new TlsBackend(serving);
    backend.#front.listen(0, '127.0.0.1');
    await once(backend.#front, 'listening');
    return backend;
  }

  get port(): number {
    return (this.#front.address() as { port: number }).port;
  }

  /** Of handshakes from now on. */
  serve(serving: TlsServing): void {
    this.#http.setSecureContext(contextOf(serving));
  }

  /** Ends the connections that are open. */
  disconnect(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.disconnect();
    const closed = once(this.#front, 'close');
    this.#front.close();
    await closed;
    this.#http.close();
  }

  #arrived(socket: Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    socket.once('readable', () => {
      const first = socket.read() as Buffer | null;
      if (first === null) return;
      if (first[0] !== HANDSHAKE) this.cleartext++;
      socket.unshift(first);
      this.#http.emit('connection', socket);
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const socket = request.socket as TLSSocket;
    const subject = socket.getPeerCertificate().subject as { CN?: string } | undefined;
    this.arrivals.push({
      serverName: (socket as TLSSocket & { servername?: string | false }).servername || '',
      client: subject?.CN ?? null,
      reused: socket.isSessionReused(),
      host: request.headers.host ?? '',
      path: request.url ?? '',
    });
    response.end('secret');
  }
}

function contextOf({ chain, key, clientAuthorities }: TlsServing): { cert: string; key: string; ca?: string } {
  return { cert: chain, key, ...(clientAuthorities === undefined ? {} : { ca: clientAuthorities }) };
}
