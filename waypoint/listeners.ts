// The listening sockets of one worker: they come and go with the configuration, none touching the others.

import { createServer, type Server, Socket } from 'node:net';
import type { BindPlan } from '../policies/plan.ts';
import { Downstream } from './downstream/connection.ts';
import { READ_BUFFER, readBytes } from './read-buffer.ts';
import type { Worker } from './worker-context.ts';

/** How long after a failed bind the next try comes. */
const RETRY_MS = 1000;

interface Listening {
  bind: BindPlan;
  readonly server: Server;
  retry: NodeJS.Timeout | null;
}

interface OwnedSocket extends Socket {
  downstream: Downstream;
}

export class Listeners {
  readonly connections: Set<Downstream> = new Set();
  readonly #worker: Worker;
  readonly #report: (id: string, error: string | null) => void;
  readonly #open: Map<string, Listening> = new Map();

  constructor(worker: Worker, report: (id: string, error: string | null) => void) {
    this.#worker = worker;
    this.#report = report;
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
        readIntoOneBuffer(server, (socket) => this.#accept(socket, listening));
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

  #accept(socket: Socket, listening: Listening): void {
    const address = socket.remoteAddress;
    // Gone before it was looked at.
    if (address === undefined) {
      socket.destroy();
      return;
    }
    const { connections } = this;
    if (connections.size >= this.#worker.limits.connections) {
      this.#worker.metrics.connectionRefused();
      socket.destroy();
      return;
    }
    const peer = {
      ...{ address, port: socket.remotePort ?? 0, namespace: null, identity: null, serverName: null },
      ...{ localAddress: socket.localAddress ?? listening.bind.address, localPort: listening.bind.port },
    };
    const downstream = new Downstream(this.#worker, socket, listening.bind, peer);
    (socket as OwnedSocket).downstream = downstream;
    connections.add(downstream);
    this.#worker.metrics.connectionOpened();
    socket.on('end', onEnd);
    socket.on('drain', onDrain);
    socket.on('error', onError);
    socket.on('close', () => {
      connections.delete(downstream);
      this.#worker.metrics.connectionClosed();
      downstream.closed();
    });
  }
}

const ON_READ = {
  buffer: READ_BUFFER,
  callback(this: Socket, bytes: number): boolean {
    (this as OwnedSocket).downstream.received(readBytes(bytes));
    return true;
  },
};

/** What net.Server keeps behind its listening socket; `onread` is public for sockets that connect, not for those accepted. */
interface ListeningHandle {
  onconnection?: (error: number | undefined, client: { setNoDelay(on: boolean): void } | undefined) => void;
}

function readIntoOneBuffer(server: Server, accept: (socket: Socket) => void): void {
  const handle = (server as unknown as { _handle: ListeningHandle })._handle;
  handle.onconnection = (error, client) => {
    if (error || client === undefined) return;
    client.setNoDelay(true);
    accept(new Socket({ handle: client, allowHalfOpen: true, onread: ON_READ } as never));
  };
}

function onEnd(this: Socket): void {
  (this as OwnedSocket).downstream.ended();
}

function onDrain(this: Socket): void {
  (this as OwnedSocket).downstream.drained();
}

/** A reset is not news: 'close' follows and says all there is to say. */
function onError(): void {}
