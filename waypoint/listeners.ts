// The listening sockets of one worker: they come and go with the configuration, none touching the others.

import { createServer, type Server, Socket } from 'node:net';
import type { BindPlan } from '../policies/plan.ts';
import { type Arrivals, type Client, HttpArrivals } from './downstream/arrivals.ts';
import type { Downstream } from './downstream/connection.ts';
import { ON_READ } from './downstream/socket.ts';
import { ProxyArrivals } from './redirect/proxy-arrivals.ts';
import { TlsArrivals } from './tls/arrivals.ts';
import type { Worker } from './worker-context.ts';

/** How long after a failed bind the next try comes. */
const RETRY_MS = 1000;

interface Listening {
  bind: BindPlan;
  readonly server: Server;
  retry: NodeJS.Timeout | null;
}

export class Listeners {
  readonly connections: Set<Downstream> = new Set();
  readonly #worker: Worker;
  readonly #report: (id: string, error: string | null) => void;
  readonly #open: Map<string, Listening> = new Map();
  readonly #arrivals: { readonly [P in BindPlan['protocol']]: Arrivals };

  constructor(worker: Worker, report: (id: string, error: string | null) => void) {
    this.#worker = worker;
    this.#report = report;
    const http = new HttpArrivals(worker, this.connections);
    this.#arrivals = { HTTP: http, HTTPS: new TlsArrivals(worker, http), PROXY: new ProxyArrivals(worker, http) };
  }

  /** Opens, keeps and closes so that exactly `binds` are listened on; settles when each new one listens or has failed. */
  async sync(binds: ReadonlyMap<string, BindPlan>): Promise<void> {
    for (const [id, listening] of this.#open) if (!binds.has(id)) this.#close(id, listening);
    const opening: Promise<void>[] = [];
    for (const [id, bind] of binds) {
      const listening = this.#open.get(id);
      // Connections read the plan when they are accepted; those that exist keep theirs until they close.
      if (listening !== undefined) listening.bind = bind;
      else opening.push(this.#listen(bind));
    }
    await Promise.all(opening);
  }

  /** Stops accepting everywhere. */
  close(): void {
    for (const [id, listening] of this.#open) this.#close(id, listening);
    for (const arrivals of Object.values(this.#arrivals)) arrivals.close();
  }

  #listen(bind: BindPlan): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const listening: Listening = { bind, server, retry: null };
    this.#open.set(bind.id, listening);
    server.maxConnections = this.#worker.limits.connections;
    server.on('connection', (socket) => this.#accept(socket, listening));
    return new Promise((resolve) => {
      server.on('listening', () => {
        this.#report(bind.id, null);
        readIntoOneBuffer(server, (handle) => this.#accept(socketOn(handle, listening.bind), listening));
        resolve();
      });
      server.on('error', (error: NodeJS.ErrnoException) => {
        this.#report(bind.id, error.code ?? error.message);
        listening.retry ??= setTimeout(() => {
          listening.retry = null;
          if (this.#open.get(bind.id) === listening) this.#start(server, bind);
        }, RETRY_MS).unref();
        resolve();
      });
      this.#start(server, bind);
    });
  }

  #start(server: Server, bind: BindPlan): void {
    server.listen({ host: bind.address, port: bind.port, reusePort: true, backlog: 1024 });
  }

  #close(id: string, listening: Listening): void {
    this.#open.delete(id);
    if (listening.retry !== null) clearTimeout(listening.retry);
    listening.server.close();
  }

  #accept(socket: Socket, { bind }: Listening): void {
    const { remoteAddress } = socket;
    // Gone before it was looked at.
    if (remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    const { connections } = this;
    const under = this.#arrivals.HTTPS.size + this.#arrivals.PROXY.size;
    if (connections.size + under >= this.#worker.limits.connections) {
      this.#worker.metrics.connectionRefused();
      socket.destroy();
      return;
    }
    const client: Client = {
      ...{ address: remoteAddress, port: socket.remotePort ?? 0, identity: null, serverName: null },
      ...{ localAddress: socket.localAddress ?? bind.address, localPort: bind.port, forwardedClientCert: '' },
    };
    this.#arrivals[bind.protocol].arrived(socket, bind, client);
  }
}

/** What net.Server keeps behind its listening socket; `onread` is public for sockets that connect, not for those accepted. */
interface ListeningHandle {
  onconnection?: (error: number | undefined, client: Handle | undefined) => void;
}

interface Handle {
  setNoDelay(on: boolean): void;
}

function readIntoOneBuffer(server: Server, accept: (handle: Handle) => void): void {
  const handle = (server as unknown as { _handle: ListeningHandle })._handle;
  handle.onconnection = (error, client) => {
    if (error || client === undefined) return;
    client.setNoDelay(true);
    accept(client);
  };
}

/** Bytes under a TLS handshake are not ours to read. */
function socketOn(handle: Handle, { protocol }: BindPlan): Socket {
  const reading = protocol === 'HTTPS' ? {} : { onread: ON_READ };
  return new Socket({ handle, allowHalfOpen: true, ...reading } as never);
}
