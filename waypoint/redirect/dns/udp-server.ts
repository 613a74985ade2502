// Queries over UDP: one packet in, at most one packet out.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { type FloodLimits, plainAddress } from './clients.ts';
import type { Responder } from './responder.ts';
import type { Wait } from './upstream.ts';

export class UdpServer {
  readonly #responder: Responder;
  readonly #floods: FloodLimits;
  readonly #count: (result: 'dropped') => void;
  readonly #socket: Socket;
  readonly #waits: Set<Wait> = new Set();
  #isClosed = false;

  constructor(family: 4 | 6, responder: Responder, floods: FloodLimits, count: (result: 'dropped') => void) {
    this.#responder = responder;
    this.#floods = floods;
    this.#count = count;
    this.#socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    this.#socket.on('message', (message, from) => this.#received(message, from));
  }

  /** @throws as the system does. */
  async listen(address: string, port: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#socket.once('error', reject);
    this.#socket.bind({ address, port, exclusive: true }, resolve);
    await promise;
    this.#socket.off('error', reject);
    // Of single packets: one that could not be sent is one that got lost.
    this.#socket.on('error', () => {});
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const wait of this.#waits) wait.cancel();
    this.#waits.clear();
    this.#socket.close();
  }

  #received(message: Buffer, { address, port }: RemoteInfo): void {
    const send = (answer: Buffer): void => {
      // Port 0 is nobody's, and sending there is an error.
      if (!this.#isClosed && port !== 0) this.#socket.send(answer, port, address);
    };
    const client = { address: plainAddress(address), transport: 'udp' } as const;
    const verdict = this.#floods.take(client.address, performance.now());
    if (verdict === 'drop') this.#count('dropped');
    else if (verdict === 'slip') this.#responder.cut(message, send);
    else {
      let wait: Wait | null = null;
      wait = this.#responder.answer(message, client, (answer) => {
        if (wait !== null) this.#waits.delete(wait);
        send(answer);
      });
      if (wait !== null) this.#waits.add(wait);
    }
  }
}
