// One keep-alive connection that sends prepared requests and reads answers with a content-length: cheap and exact in time.

import { connect, type Socket } from 'node:net';
import { USUAL_HEADERS, type Work } from './load.ts';

/** The bytes of a GET with the usual headers. */
export function requestText(work: Work): string {
  const headers = Object.entries({ Host: work.host, ...USUAL_HEADERS });
  return `GET ${work.path} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

export interface Answer {
  readonly status: number;
  /** Status line and fields as one string. */
  readonly head: string;
}

export class HttpClient {
  readonly #socket: Socket;
  #received = '';
  #onAnswer: ((answer: Answer | null) => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => this.#read(String(chunk)));
    socket.on('close', () => this.#finish(null));
    socket.on('error', () => socket.destroy());
  }

  static open(port: number): Promise<HttpClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new HttpClient(socket));
      });
    });
  }

  get closed(): boolean {
    return this.#socket.destroyed;
  }

  /** Sends one request; the listener gets its answer, or null when the connection ended first. One at a time. */
  send(text: string, onAnswer: (answer: Answer | null) => void): void {
    this.#onAnswer = onAnswer;
    this.#socket.write(text, 'latin1');
  }

  request(text: string): Promise<Answer | null> {
    return new Promise((resolve) => this.send(text, resolve));
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: string): void {
    this.#received += chunk;
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = this.#received.slice(0, headEnd);
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    if (this.#received.length < headEnd + 4 + length) return;
    this.#received = this.#received.slice(headEnd + 4 + length);
    this.#finish({ status: Number(head.slice(9, 12)), head });
  }

  #finish(answer: Answer | null): void {
    const listener = this.#onAnswer;
    this.#onAnswer = null;
    listener?.(answer);
  }
}
