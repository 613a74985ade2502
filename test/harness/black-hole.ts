// An address where connecting never ends: a port whose queue is full and whose owner does not accept.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

/** Listens with the shortest queue, then never runs again. */
const SLEEPER = `
const { parentPort } = require('node:worker_threads');
const server = require('node:net').createServer();
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
});
`;

export class BlackHole {
  readonly port: number;
  readonly #worker: Worker;
  readonly #fillers: readonly Socket[];

  private constructor(port: number, worker: Worker, fillers: readonly Socket[]) {
    this.port = port;
    this.#worker = worker;
    this.#fillers = fillers;
  }

  static async start(): Promise<BlackHole> {
    const worker = new Worker(SLEEPER, { eval: true });
    const [port] = (await once(worker, 'message')) as [number];
    const fillers = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => {}));
    // The queue takes the backlog and one more.
    await Promise.all(fillers.slice(0, 2).map((filler) => once(filler, 'connect')));
    return new BlackHole(port, worker, fillers);
  }

  async close(): Promise<void> {
    for (const filler of this.#fillers) filler.destroy();
    await this.#worker.terminate();
  }
}
