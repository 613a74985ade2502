// A server of key sets that a test can rotate, slow down and break.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Signal } from './signal.ts';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export class JwksServer {
  /** What it answers from now on. */
  answer: Answer;
  /** Paths that were asked for, and when (monotonic ms). */
  readonly asked: { readonly path: string; readonly at: number }[] = [];
  readonly #server: ReturnType<typeof createServer>;
  readonly #signal: Signal = new Signal();

  private constructor(answer: Answer) {
    this.answer = answer;
    this.#server = createServer((request, response) => {
      this.asked.push({ path: request.url ?? '', at: performance.now() });
      this.answer(request, response);
      this.#signal.notify();
    });
  }

  static async start(answer: Answer): Promise<JwksServer> {
    const server = new JwksServer(answer);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get uri(): string {
    return `http://127.0.0.1:${this.port}/jwks.json`;
  }

  /** Settles when it was asked so many times. */
  async askedTimes(count: number): Promise<void> {
    await this.#signal.until(
      () => this.asked.length >= count,
      () => `request ${count} for keys`,
      15_000,
    );
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export function says(text: string, status: number = 200, headers: Readonly<Record<string, string>> = {}): Answer {
  return (_, response) => {
    response.writeHead(status, headers).end(text);
  };
}

export function redirects(location: string, status: number = 302): Answer {
  return says('', status, { location });
}
