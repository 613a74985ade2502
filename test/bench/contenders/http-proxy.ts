// http-proxy 1.18 as its manual shows it, with a keep-alive agent: node http-proxy.ts PORT BACKEND SINK is the server.

import { Agent, createServer } from 'node:http';
import type { Backend } from '../backend.ts';
import { freePort, start, untilListening } from '../processes.ts';
import type { Contender } from './contender.ts';

export async function startHttpProxy(backend: Backend): Promise<Contender> {
  const port = await freePort();
  const ports = [port, backend.port, backend.sinkPort].map(String);
  const running = start('http-proxy', process.execPath, [import.meta.filename, ...ports]);
  await untilListening(port, 5000);
  return { ...running, port, scheme: 'http' };
}

interface Proxy {
  web(request: unknown, response: unknown, options: { target: string }): void;
  on(event: 'error', listener: (error: Error, request: unknown, response: { destroy(): void }) => void): void;
}

async function serve(port: number, backendPort: number, sinkPort: number): Promise<void> {
  // @ts-expect-error the package carries no declarations
  const { default: httpProxy } = (await import('http-proxy')) as {
    default: { createProxyServer(options: object): Proxy };
  };
  const proxy = httpProxy.createProxyServer({ agent: new Agent({ keepAlive: true, maxSockets: 128 }) });
  proxy.on('error', (_error, _request, response) => response.destroy());
  const answers = { target: `http://127.0.0.1:${backendPort}` };
  const sink = { target: `http://127.0.0.1:${sinkPort}` };
  const server = createServer((request, response) => {
    proxy.web(request, response, request.url === '/upload' ? sink : answers);
  });
  server.keepAliveTimeout = 0;
  server.listen(port, '127.0.0.1');
}

if (import.meta.main) {
  const [port, backendPort, sinkPort] = process.argv.slice(2).map(Number) as [number, number, number];
  await serve(port, backendPort, sinkPort);
}
