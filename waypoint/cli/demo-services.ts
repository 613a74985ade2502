// The pods of the demo: a small shop on loopback that answers with what it was asked.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { issuer } from './demo-issuer.ts';

/** Every sample service has an address of its own and this port. */
export const SERVICE_PORT = 8881;

const YEARLY_REPORT_MS = 3000;
const BODY_LIMIT_BYTES = 65_536;

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

interface SampleService {
  readonly name: string;
  readonly version: string;
  /** Last part of its address, as in manifests/demo/services.yaml. */
  readonly host: number;
  readonly handler: Handler;
}

/** Starts all of them in `network` (`127.0.10`). Rejects with the name of the address that could not be had. */
export async function startSampleServices(network: string): Promise<{ close(): Promise<void> }> {
  const started: Server[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(started.map(closeServer));
  };
  try {
    for (const service of sampleServices()) started.push(await listen(service, `${network}.${service.host}`));
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}

function sampleServices(): readonly SampleService[] {
  return [
    { name: 'orders', version: 'v1', host: 101, handler: orders('v1') },
    { name: 'orders', version: 'v2', host: 102, handler: orders('v2') },
    { name: 'payments', version: 'v1', host: 103, handler: flaky() },
    { name: 'reports', version: 'v1', host: 104, handler: slow() },
    { name: 'catalog', version: 'v1', host: 105, handler: echo('catalog', 'v1') },
    { name: 'audit', version: 'v1', host: 106, handler: audit() },
    { name: 'stock', version: 'v1', host: 107, handler: echo('stock', 'v1') },
    { name: 'stock', version: 'v1', host: 108, handler: echo('stock', 'v1') },
    { name: 'stock', version: 'v1', host: 109, handler: broken('stock') },
    { name: 'ledger', version: 'v1', host: 110, handler: echo('ledger', 'v1') },
    { name: 'issuer', version: 'v1', host: 111, handler: issuer() },
  ];
}

function echo(service: string, version: string): Handler {
  return (request, response, body) => {
    const { method, url: path, headers } = request;
    sendJson(response, 200, { service, version, method, path, headers, body });
  };
}

function orders(version: string): Handler {
  const answer = echo('orders', version);
  return (request, response, body) => {
    if (request.url === '/version') response.end(`orders ${version}\n`);
    else answer(request, response, body);
  };
}

function flaky(): Handler {
  const answer = echo('payments', 'v1');
  let count = 0;
  return (request, response, body) => {
    count++;
    if (count % 3 === 0) sendJson(response, 503, { service: 'payments', error: 'overloaded, try again' });
    else answer(request, response, body);
  };
}

function broken(service: string): Handler {
  return (_request, response) => sendJson(response, 500, { service, error: 'this pod is broken' });
}

function slow(): Handler {
  const answer = echo('reports', 'v1');
  return (request, response, body) => {
    const delayMs = request.url?.startsWith('/reports/yearly') ? YEARLY_REPORT_MS : 0;
    const timer = setTimeout(() => answer(request, response, body), delayMs);
    response.on('close', () => clearTimeout(timer));
  };
}

function audit(): Handler {
  let count = 0;
  let last = 'nothing yet';
  return (request, response, body) => {
    if (request.url === '/seen') {
      sendJson(response, 200, { service: 'audit', count, last });
      return;
    }
    count++;
    last = `${request.method} ${request.url} ${body}`;
    response.end();
  };
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(value)}\n`);
}

function listen(service: SampleService, address: string): Promise<Server> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      if (body.length < BODY_LIMIT_BYTES) body += chunk.toString();
    });
    request.on('end', () => service.handler(request, response, body));
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(SERVICE_PORT, address, () => resolve(server));
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
