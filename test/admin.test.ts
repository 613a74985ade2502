// The admin pages over a socket: who may read them, and that one page that fails is one page that fails.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { EMPTY_SNAPSHOT } from '../policies/plan.ts';
import { DEFAULT_LIMITS } from '../waypoint/config.ts';
import { type Admin, type AdminState, createAdmin } from '../waypoint/ops/admin.ts';

interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

describe('the admin pages', () => {
  let admin: Admin;
  let address: string;
  let notReady: string | null = null;

  const state: AdminState = {
    explainOptions: { limits: DEFAULT_LIMITS, pathNormalization: 'merge-slashes', zone: null, sessionKey: null },
    readiness: () => notReady,
    metrics: async () => 'up 1\n',
    config: () => ({
      version: 7,
      snapshot: { ...EMPTY_SNAPSHOT, tables: new Map([['t', { id: 't', entries: new Map() }]]) },
    }),
    statuses: () => new Map([['GatewayClass/a', { kind: 'GatewayClass' }]]),
    statusTable: () => 'OBJECT\n',
    backends: () => Promise.reject(new Error('a worker is lost')),
  };

  before(async () => {
    admin = createAdmin(state);
    address = await admin.listen({ host: '127.0.0.1', port: 0 });
  });

  after(() => admin.close());

  function get(path: string, options: { host?: string; method?: string } = {}): Promise<Got> {
    const [host, port] = address.split(':');
    const headers = { host: options.host ?? address };
    return new Promise((resolve, reject) => {
      request({ host, port, path, method: options.method ?? 'GET', headers, agent: false }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      })
        .on('error', reject)
        .end();
    });
  }

  const pages: readonly (readonly [path: string, status: number, body: RegExp])[] = [
    ['/', 200, /href="\/metrics"/],
    ['/ready', 200, /^ready\n$/],
    ['/live', 200, /^live\n$/],
    ['/metrics', 200, /^up 1\n$/],
    ['/config', 200, /"version": 7,(?:.*\n)*.*"tables": \{\n {6}"t": \{\n {8}"id": "t",\n {8}"entries": \{\}/],
    ['/statuses', 200, /"GatewayClass\/a": \{/],
    ['/statuses?format=text', 200, /^OBJECT\n$/],
    ['/endpoints', 500, /a worker is lost/],
    ['/explain', 400, /url is missing/],
    ['/explain?url=http://127.0.0.1:9/', 400, /nothing here listens/],
    ['/nowhere', 404, /no such page/],
    ['//', 400, /not a path/],
  ];
  for (const [path, status, body] of pages) {
    it(`GET ${path} is ${status}`, async () => {
      const got = await get(path);
      assert.equal(got.status, status);
      assert.match(got.body, body);
      assert.equal(got.headers['cache-control'], 'no-store');
    });
  }

  it('say why a waypoint is not ready', async () => {
    notReady = 'draining';
    const got = await get('/ready');
    notReady = null;
    assert.deepEqual([got.status, got.body], [503, 'not ready: draining\n']);
  });

  it('are for Prometheus in its own media type', async () => {
    assert.equal((await get('/metrics')).headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  });

  for (const method of ['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS']) {
    it(`refuse ${method}`, async () => {
      const got = await get('/ready', { method });
      assert.deepEqual([got.status, got.headers['allow']], [405, 'GET']);
    });
  }

  const hosts: readonly (readonly [host: string, status: number])[] = [
    ['localhost', 200],
    ['LOCALHOST:15000', 200],
    ['10.0.0.7:15000', 200],
    ['[::1]:15000', 200],
    ['evil.example', 403],
    ['127.0.0.1.evil.example', 403],
    ['a,b', 403],
  ];
  for (const [host, status] of hosts) {
    it(`answer ${status} to the host ${host}`, async () => {
      assert.equal((await get('/live', { host })).status, status);
    });
  }

  it('say which address is taken', async () => {
    const port = Number(address.split(':')[1]);
    await assert.rejects(createAdmin(state).listen({ host: '127.0.0.1', port }), /EADDRINUSE.*--admin/);
  });
});
