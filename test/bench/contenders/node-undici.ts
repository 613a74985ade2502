// node:http downstream, undici's dispatch upstream, headers as raw arrays: the usual fast path of Node proxies.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Dispatcher, Pool } from 'undici';
import type { Backend } from '../backend.ts';
import { freePort, start, untilListening } from '../processes.ts';
import type { Contender } from './contender.ts';

export async function startNodeUndici(backend: Backend): Promise<Contender> {
  const port = await freePort();
  const ports = [port, backend.port, backend.sinkPort].map(String);
  const running = start('node-undici', process.execPath, [import.meta.filename, ...ports]);
  await untilListening(port, 5000);
  return { ...running, port, scheme: 'http' };
}

class Answer implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  onRequestStart(): void {}

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    const kept: string[] = [];
    const raw = controller.rawHeaders as Buffer[];
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = String(raw[i]);
      if (!/^(connection|keep-alive|transfer-encoding)$/i.test(name)) kept.push(name, String(raw[i + 1]));
    }
    this.#response.writeHead(status, kept);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#response.write(chunk)) return;
    controller.pause();
    this.#response.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(): void {
    this.#response.destroy();
  }
}

function serve(port: number, backendPort: number, sinkPort: number): void {
  const settings = { connections: 128, pipelining: 1 };
  const answers = new Pool(`http://127.0.0.1:${backendPort}`, settings);
  const sink = new Pool(`http://127.0.0.1:${sinkPort}`, settings);
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const kept: string[] = [];
    const raw = request.rawHeaders;
    for (let i = 0; i < raw.length; i += 2) {
      if (!/^(connection|keep-alive|transfer-encoding)$/i.test(raw[i] as string))
        kept.push(raw[i] as string, raw[i + 1] as string);
    }
    const method = request.method as Dispatcher.HttpMethod;
    const body = method === 'GET' ? null : request;
    const pool = request.url === '/upload' ? sink : answers;
    pool.dispatch({ path: request.url as string, method, headers: kept, body }, new Answer(response));
  });
  server.keepAliveTimeout = 0;
  server.listen(port, '127.0.0.1');
}

if (import.meta.main) {
  const [port, backendPort, sinkPort] = process.argv.slice(2).map(Number) as [number, number, number];
  serve(port, backendPort, sinkPort);
}
