// The admin pages, on the main thread and off the data path: what is configured, who is well, how much is going on.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import type { Snapshot } from '../../policies/plan.ts';
import { parseAuthority } from '../../routing/host.ts';
import type { ExplainOptions, ExplainRequest } from '../explain/explain.ts';
import type { SocketAddress } from '../flag-values.ts';
import type { BackendReport, KeysNews } from '../messages.ts';
import { addUp } from './backend-totals.ts';
import { publicSnapshot } from './public-snapshot.ts';
import { readableJson } from './readable-json.ts';

/** What the pages show; asked anew for every request. */
export interface AdminState {
  readonly explainOptions: ExplainOptions;
  /** Key sets that were fetched, and can be used; absent where none is. */
  knownKeys?(): readonly KeysNews[];
  /** null: ready; else why not. */
  readiness(): string | null;
  /** Prometheus text. */
  metrics(): Promise<string>;
  /** The snapshot that is published, and the version that every worker serves. */
  config(): { readonly version: number; readonly snapshot: Snapshot };
  /** Statuses by `Kind/namespace/name`. */
  statuses(): unknown;
  /** The same for people. */
  statusTable(): string;
  /** One list for each worker. */
  backends(): Promise<readonly (readonly BackendReport[])[]>;
}

export interface Admin {
  /** Settles with the address in use as `host:port`. @throws when it can not be listened on. */
  listen(address: SocketAddress): Promise<string>;
  close(): Promise<void>;
}

interface Page {
  readonly status: number;
  /** Media type, without its charset. */
  readonly type: string;
  readonly body: string;
}

type Handler = (state: AdminState, query: URLSearchParams) => Page | Promise<Page>;

const PAGES: ReadonlyMap<string, { readonly help: string; readonly page: Handler }> = new Map<
  string,
  { help: string; page: Handler }
>([
  ['/ready', { help: '200 when the configuration is served, else 503 with the reason', page: readyPage }],
  ['/live', { help: '200 while the process answers', page: () => text(200, 'live\n') }],
  ['/metrics', { help: 'Prometheus text', page: metricsPage }],
  ['/config', { help: 'the published snapshot, without keys', page: configPage }],
  ['/statuses', { help: 'conditions of every object; ?format=text for a table', page: statusesPage }],
  [
    '/endpoints',
    { help: 'load, cost and health of every endpoint; ?backend=namespace/name:port for one', page: endpointsPage },
  ],
  ['/explain', { help: '?method=GET&url=http://…&header=name:value&format=text', page: explainPage }],
]);

/** Answers GET only, and only to hosts that no foreign web page can take on (DNS rebinding). */
export function createAdmin(state: AdminState): Admin {
  let configuredHost = '';
  // Not an import: that would run undici as well, 16 MB and 40 ms.
  const { createServer } = process.getBuiltinModule('node:http');
  const server = createServer((request, response) => {
    answer(request, configuredHost, state).then(
      (page) => send(response, page),
      // One page that fails is one page that fails.
      (error: Error) => send(response, text(500, `${error.stack ?? error.message}\n`)),
    );
  });
  return {
    listen: (address) => {
      configuredHost = address.host.toLowerCase();
      return listen(server, address);
    },
    close: () => close(server),
  };
}

async function answer(request: IncomingMessage, configuredHost: string, state: AdminState): Promise<Page> {
  if (!isTrustedHost(request.headers.host ?? '', configuredHost)) {
    return text(403, 'this host name is not known here: use an IP address, localhost or the --admin host\n');
  }
  if (request.method !== 'GET') return text(405, 'the admin pages are read with GET\n');
  const url = URL.parse(request.url ?? '/', 'http://admin');
  if (url === null) return text(400, 'not a path\n');
  if (url.pathname === '/') return { status: 200, type: 'text/html', body: INDEX };
  const found = PAGES.get(url.pathname);
  return found === undefined ? text(404, 'no such page; / lists them\n') : found.page(state, url.searchParams);
}

function isTrustedHost(authority: string, configuredHost: string): boolean {
  const host = parseAuthority(authority)?.host ?? '';
  return host === 'localhost' || host === configuredHost || isIP(host.replace(/^\[|\]$/g, '')) !== 0;
}

function send(response: ServerResponse, { status, type, body }: Page): void {
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 405 ? { allow: 'GET' } : {}),
  });
  response.end(body);
}

function readyPage(state: AdminState): Page {
  const reason = state.readiness();
  return reason === null ? text(200, 'ready\n') : text(503, `not ready: ${reason}\n`);
}

async function metricsPage(state: AdminState): Promise<Page> {
  return { status: 200, type: 'text/plain; version=0.0.4', body: await state.metrics() };
}

function configPage(state: AdminState): Page {
  const { version, snapshot } = state.config();
  return json({ version, snapshot: publicSnapshot(snapshot) });
}

function statusesPage(state: AdminState, query: URLSearchParams): Page {
  return query.get('format') === 'text' ? text(200, state.statusTable()) : json(state.statuses());
}

async function endpointsPage(state: AdminState, query: URLSearchParams): Promise<Page> {
  const wanted = query.getAll('backend');
  const totals = addUp(await state.backends());
  if (wanted.length === 0) return json(totals);
  const unknown = wanted.find((backend) => !totals.has(backend));
  if (unknown !== undefined)
    return text(404, `no backend '${unknown}' has endpoints; /endpoints shows those that do\n`);
  return json(new Map(wanted.map((backend) => [backend, totals.get(backend)])));
}

async function explainPage(state: AdminState, query: URLSearchParams): Promise<Page> {
  const url = query.get('url');
  if (url === null) return text(400, 'url is missing: /explain?method=GET&url=http://host:port/path\n');
  const headers = query.getAll('header').map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, Math.max(0, colon)).trim(), line.slice(colon + 1).trim()] as const;
  });
  const claims = claimsOf(query.get('claims'));
  if (claims === undefined) return text(400, 'claims: must be a JSON object\n');
  const asked: ExplainRequest = {
    ...{ method: query.get('method') ?? 'GET', url, headers, claims },
    namespace: query.get('namespace'),
    principal: query.get('principal'),
    address: query.get('address'),
    ...(query.has('sni') ? { serverName: query.get('sni') } : {}),
  };
  const { explainVerified } = await import('../explain/verified.ts');
  const report = await explainVerified(asked, state.config().snapshot, state.explainOptions, state.knownKeys?.() ?? []);
  if (typeof report === 'string') return text(400, `${report}\n`);
  if (query.get('format') !== 'text') return json(report);
  const { explainText } = await import('../explain/text.ts');
  return text(200, explainText(report));
}

/** null: none are told; undefined: what is told makes no sense. */
function claimsOf(json: string | null): Readonly<Record<string, unknown>> | null | undefined {
  if (json === null) return null;
  try {
    const claims: unknown = JSON.parse(json);
    return typeof claims === 'object' && claims !== null ? (claims as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

function text(status: number, body: string): Page {
  return { status, type: 'text/plain', body };
}

function json(value: unknown): Page {
  return { status: 200, type: 'application/json', body: readableJson(value) };
}

const INDEX: string = `<!doctype html><title>waypoint</title><h1>waypoint</h1><dl>${[...PAGES]
  .map(([path, { help }]) => `<dt><a href="${path}">${path}</a><dd>${help.replaceAll('&', '&amp;')}`)
  .join('')}</dl>\n`;

function listen(server: Server, { host, port }: SocketAddress): Promise<string> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) =>
      reject(new Error(`admin ${host}:${port}: ${error.message} (choose another with --admin)`));
    server.once('error', failed);
    server.listen({ host, port }, () => {
      server.off('error', failed);
      const { address, family, port: used } = server.address() as AddressInfo;
      resolve(family === 'IPv6' ? `[${address}]:${used}` : `${address}:${used}`);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
