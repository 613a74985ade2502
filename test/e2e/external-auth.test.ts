// External authorization over gRPC and HTTP: what the service is told, what of its answer counts, and what follows when there is none.

import assert from 'node:assert/strict';
import type { LogEntry } from '../harness/access-log.ts';
import type { Answered, Call } from '../harness/call.ts';
import { GrpcService } from '../harness/grpc-service.ts';
import { service } from '../harness/manifests.ts';
import { PolicyWorld } from '../harness/policy-world.ts';
import { type BackendRequest, ScriptedBackend } from '../harness/scripted-backend.ts';

const AUTH = { backendRef: { name: 'auth', port: 9000 } };

function filters(settings: object): Record<string, unknown> {
  return { filters: [{ type: 'ExternalAuth', externalAuth: { ...AUTH, ...settings } }] };
}

const grpc = (more: object = {}): Record<string, unknown> => filters({ protocol: 'GRPC', grpc: {}, ...more });
const http = (more: object = {}, body: object = {}): Record<string, unknown> =>
  filters({ protocol: 'HTTP', http: more, ...body });

/** The request as the backend got it; null: it did not. */
function forwarded(world: PolicyWorld, before: number): string | null {
  return world.backend.requests.length === before ? null : headOf(world.backend.requests.at(-1)!);
}

/** As text, each line with its end. */
function headOf({ message }: BackendRequest): string {
  return [message.startLine, ...message.fields.map(([name, value]) => `${name}: ${value}`), ''].join('\r\n');
}

interface Told {
  readonly answer: Answered;
  readonly entry: LogEntry;
  readonly head: string | null;
}

async function ask(world: PolicyWorld, request: Call = {}): Promise<Told> {
  const before = world.backend.requests.length;
  const { answer, entry } = await world.logged(request);
  return { answer, entry, head: forwarded(world, before) };
}

describe('external authorization over gRPC', () => {
  let auth: GrpcService;
  let world: PolicyWorld;

  before(async () => {
    auth = await GrpcService.start();
    world = await PolicyWorld.start({
      rule: grpc(),
      objects: service({ name: 'auth', port: 9000, endpoints: [auth.port], appProtocol: 'kubernetes.io/h2c' }),
    });
  });
  after(async () => {
    await world.close();
    auth.close();
  });
  beforeEach(async () => {
    auth.scripts = {};
    auth.checks.length = 0;
    await world.rule(grpc());
  });

  it('consent lets a request pass; the service was told all about it', async () => {
    const { answer, head } = await ask(world, {
      method: 'POST',
      path: '/a/b?c=d',
      host: 'orders.shop',
      fields: [
        ['X-One', '1'],
        ['x-one', '2'],
        ['cookie', 'a=1'],
        ['cookie', 'b=2'],
      ],
      body: 'abc',
    });
    assert.equal(answer.status, 200);
    assert.match(head ?? '', /^POST \/a\/b\?c=d /);
    const { attributes } = auth.checks[0]!;
    const { method, path, host, scheme, protocol, size, headers, body } = attributes!.request!.http!;
    assert.deepEqual(
      { method, path, host, scheme, protocol, size, body },
      {
        method: 'POST',
        path: '/a/b?c=d',
        host: 'orders.shop',
        scheme: 'http',
        protocol: 'HTTP/1.1',
        size: 3n,
        body: '',
      },
    );
    assert.equal(headers['x-one'], '1,2');
    assert.equal(headers['cookie'], 'a=1; b=2');
    assert.equal(headers[':path'], '/a/b?c=d');
    assert.equal(attributes!.source!.address!.socketAddress!.address, '127.0.0.1');
    assert.equal(attributes!.destination!.address!.socketAddress!.portValue, world.port);
    assert.ok(Math.abs(Number(attributes!.request!.time!.seconds) - Date.now() / 1000) < 60);
    const { id } = attributes!.request!.http!;
    assert.equal(id, headers['x-request-id']);
  });

  it('is told only the headers of the list, where there is one', async () => {
    await world.rule(grpc({ grpc: { allowedHeaders: ['X-Two', 'authorization'] } }));
    await ask(world, {
      fields: [
        ['x-one', '1'],
        ['x-two', '2'],
      ],
    });
    assert.deepEqual(auth.checks[0]!.attributes!.request!.http!.headers, { 'x-two': '2' });
  });

  it('consent sets, appends and removes fields, parameters of the query, and fields of the answer', async () => {
    auth.scripts.check = () => ({
      httpResponse: {
        case: 'okResponse',
        value: {
          headers: [
            { header: { key: 'X-User', value: 'ada' } },
            { header: { key: 'x-list', value: 'b' }, append: { value: true } },
            { header: { key: 'x-there', value: 'no' }, appendAction: 1 },
            { header: { key: 'x-missing', value: 'no' }, appendAction: 3 },
            { header: { key: 'x-name', value: 'Ä' } },
            { header: { key: 'host', value: 'evil' } },
            { header: { key: 'content-length', value: '7' } },
            { header: { key: 'x-forwarded-client-cert', value: 'URI=spiffe://a/b' } },
          ],
          headersToRemove: ['Authorization', 'host', 'transfer-encoding'],
          responseHeadersToAdd: [{ header: { key: 'x-seen', value: 'yes' } }],
          queryParametersToSet: [{ key: 'user', value: 'a b' }],
          queryParametersToRemove: ['token'],
        },
      },
    });
    const { answer, head } = await ask(world, {
      path: '/p?a=1&token=x&b=2&%74oken=y',
      host: 'orders.shop',
      fields: [
        ['x-user', 'forged'],
        ['x-list', 'a'],
        ['x-there', 'yes'],
        ['authorization', 'Bearer x'],
      ],
    });
    assert.equal(answer.status, 200);
    assert.equal(answer.message.get('x-seen'), 'yes');
    assert.match(head!, /^GET \/p\?a=1&b=2&user=a%20b HTTP/);
    assert.match(head!, /x-user: ada\r\n/i);
    assert.doesNotMatch(head!, /forged|bearer|x-missing|evil|content-length|spiffe/i);
    assert.match(head!, /x-list: a\r\n[\s\S]*x-list: b\r\n/);
    assert.match(head!, /x-there: yes\r\n/);
    assert.match(head!, /x-name: Ã\u0084\r\n/);
    assert.match(head!, /host: orders\.shop\r\n/);
  });

  for (const [name, response, expected] of [
    ['a bare status', { status: { code: 7 } }, 403],
    ['a status of its own', denial({ status: { code: 401 } }), 401],
    ['a status that is none', denial({ status: { code: 99 } }), 403],
    ['a redirect', denial({ status: { code: 302 }, headers: [line('location', 'https://login.example/')] }), 302],
  ] as const) {
    it(`refusal with ${name}: ${expected}, and nothing is forwarded`, async () => {
      auth.scripts.check = () => response;
      const { answer, entry, head } = await ask(world);
      assert.deepEqual([answer.status, head], [expected, null]);
      assert.deepEqual([entry['flag'], entry['reason']], ['UAEX', 'external_auth_denied']);
    });
  }

  it('refusal carries fields and a body, without framing of its own', async () => {
    auth.scripts.check = () =>
      denial({
        status: { code: 429 },
        headers: [
          line('x-why', 'quota'),
          line('content-length', '1'),
          line('connection', 'x-why'),
          line('set-cookie', 'a=1'),
        ],
        body: 'zu viel für dich',
      });
    const { answer } = await ask(world);
    assert.equal(answer.status, 429);
    assert.equal(Buffer.from(answer.body, 'latin1').toString(), 'zu viel für dich');
    assert.deepEqual([answer.message.get('x-why'), answer.message.get('set-cookie')], ['quota', 'a=1']);
    assert.deepEqual(answer.message.values('content-length'), ['17']);
    assert.deepEqual(answer.message.values('connection'), []);
  });

  for (const [name, script, reason] of [
    ['a grpc-status', () => 14, 'failed'],
    ['bytes that are no message', () => Buffer.from([0xff, 0xff]), 'malformed'],
    ['OK and denied at once', () => ({ ...denial({ status: { code: 403 } }), status: { code: 0 } }), 'malformed'],
    [
      'a line break in a header',
      () => ({ httpResponse: { case: 'okResponse', value: { headers: [line('x-a', 'b\r\nx-admin: 1')] } } }) as const,
      'malformed',
    ],
  ] as const) {
    it(`${name} is no consent: 403`, async () => {
      auth.scripts.check = script as never;
      const { answer, entry, head } = await ask(world);
      assert.deepEqual([answer.status, head], [403, null]);
      assert.deepEqual([entry['flag'], entry['reason']], ['UAEX', `external_auth_${reason}`]);
    });
  }

  it('the body is told up to its limit; one that is longer is refused 413', async () => {
    await world.rule(grpc({ forwardBody: { maxSize: 5 } }));
    const whole = await ask(world, { method: 'POST', body: '12345' });
    assert.equal(whole.answer.status, 200);
    assert.equal(world.backend.requests.at(-1)!.message.body, '12345');
    const { body, headers } = auth.checks[0]!.attributes!.request!.http!;
    assert.deepEqual([body, headers['x-envoy-auth-partial-body']], ['12345', 'false']);
    const longer = await ask(world, { method: 'POST', body: '123456' });
    assert.deepEqual([longer.answer.status, longer.head, auth.checks.length], [413, null, 1]);
  });

  it('calls say who they are for, and how long they may take', async () => {
    auth.metadata.length = 0;
    await ask(world);
    assert.equal(auth.metadata.length, 1);
  });

  it('a client that goes away takes its question with it', async () => {
    let release = (): void => {};
    auth.scripts.check = () =>
      new Promise((resolve) => {
        release = () => resolve({});
      });
    const { RawClient } = await import('../harness/raw-client.ts');
    const client = await RawClient.connect({ port: world.port });
    await client.send('GET / HTTP/1.1\r\nhost: a\r\nx-request-id: gone-1\r\n\r\n');
    const { eventually } = await import('../harness/signal.ts');
    await eventually(() => auth.checks.length === 1, 'the question');
    client.destroy();
    const entry = await world.waypoint.log.findOne((each) => each['id'] === 'gone-1');
    assert.equal(entry['flag'], 'DC');
    release();
    auth.scripts = {};
    assert.equal((await ask(world)).answer.status, 200);
  });

  it('metrics tell verdicts by provider', async () => {
    assert.ok(
      (await world.metric('waypoint_external_authorization_total', /provider="default\/auth:9000",verdict="allowed"/)) >
        0,
    );
    assert.ok((await world.metric('waypoint_external_authorization_total', /verdict="denied"/)) > 0);
  });
});

describe('external authorization over HTTP', () => {
  let auth: ScriptedBackend;
  let world: PolicyWorld;
  const lines = (): readonly string[] => headOf(auth.requests.at(-1)!).trim().split('\r\n');

  before(async () => {
    auth = await ScriptedBackend.start((request) => request.respond(), 'auth');
    world = await PolicyWorld.start({
      rule: http(),
      objects: service({ name: 'auth', port: 9000, endpoints: [auth.port] }),
    });
  });
  after(async () => {
    await world.close();
    await auth.close();
  });
  beforeEach(async () => {
    auth.script = (request) => request.respond();
    await world.rule(http());
  });

  it('the service is told method, path, Host, Authorization, Content-Length and nothing else', async () => {
    await ask(world, {
      method: 'PUT',
      path: '/x?y=1',
      host: 'orders.shop',
      fields: [
        ['authorization', 'Bearer t'],
        ['cookie', 'secret=1'],
        ['x-other', '1'],
      ],
      body: 'abc',
    });
    assert.deepEqual(lines(), [
      'PUT /x?y=1 HTTP/1.1',
      'host: orders.shop',
      'content-length: 0',
      'authorization: Bearer t',
    ]);
  });

  it('with a path prefix and the headers of the list', async () => {
    await world.rule(http({ path: '/auth/', allowedHeaders: ['Cookie', 'connection', 'host'] }));
    await ask(world, {
      path: '/x',
      fields: [
        ['cookie', 'a=1'],
        ['cookie', 'b=2'],
        ['x-other', '1'],
      ],
    });
    assert.deepEqual(lines(), [
      'GET /auth/x HTTP/1.1',
      'host: test.example',
      'content-length: 0',
      'cookie: a=1',
      'cookie: b=2',
    ]);
  });

  it('the body goes along up to its limit', async () => {
    await world.rule(http({}, { forwardBody: { maxSize: 5 } }));
    const { answer } = await ask(world, { method: 'POST', body: '12345' });
    assert.equal(answer.status, 200);
    assert.equal(auth.requests.at(-1)!.message.body, '12345');
    assert.ok(lines().includes('content-length: 5'));
    assert.equal(world.backend.requests.at(-1)!.message.body, '12345');
    assert.equal((await ask(world, { method: 'POST', body: '123456' })).answer.status, 413);
  });

  it('200 is consent, with its fields: all but those of its own message', async () => {
    auth.script = (request) =>
      request.respond({
        fields: [
          ['X-User', 'ada'],
          ['x-role', 'a'],
          ['x-role', 'b'],
          ['host', 'evil'],
          ['content-type', 'text/html'],
          ['x-envoy-auth-headers-to-remove', 'authorization, host'],
        ],
        body: 'ignored',
      });
    const { answer, head } = await ask(world, {
      host: 'orders.shop',
      fields: [
        ['x-user', 'forged'],
        ['x-role', 'admin'],
        ['authorization', 'Bearer t'],
      ],
    });
    assert.equal(answer.status, 200);
    assert.match(head!, /host: orders\.shop\r\n/);
    assert.match(head!, /x-user: ada\r\n/);
    assert.match(head!, /x-role: a\r\nx-role: b\r\n/);
    assert.doesNotMatch(head!, /forged|admin|bearer|evil|text\/html/i);
  });

  it('only the fields of the list, where there is one', async () => {
    await world.rule(http({ allowedResponseHeaders: ['X-User'] }));
    auth.script = (request) =>
      request.respond({
        fields: [
          ['x-user', 'ada'],
          ['x-role', 'a'],
        ],
      });
    const { head } = await ask(world, { fields: [['x-role', 'mine']] });
    assert.match(head!, /x-user: ada\r\n/);
    assert.match(head!, /x-role: mine\r\n/);
  });

  for (const status of [201, 204, 302, 401, 404]) {
    it(`${status} is a refusal`, async () => {
      auth.script = (request) =>
        request.respond({
          status,
          fields: [
            ['location', '/login'],
            ['x-why', 'because'],
          ],
          body: 'no',
        });
      const { answer, head, entry } = await ask(world);
      assert.deepEqual([answer.status, head], [status, null]);
      assert.equal(answer.body, status === 204 ? '' : 'no');
      assert.deepEqual([answer.message.get('location'), answer.message.get('x-why')], ['/login', 'because']);
      assert.deepEqual([entry['flag'], entry['reason']], ['UAEX', 'external_auth_denied']);
    });
  }

  it('5xx says nothing about the request: 403, and nothing of it reaches the client', async () => {
    auth.script = (request) => request.respond({ status: 500, fields: [['x-leak', '1']], body: 'stack trace' });
    const { answer, head } = await ask(world);
    assert.deepEqual([answer.status, answer.body, head], [403, '', null]);
    assert.equal(answer.message.get('x-leak'), undefined);
  });

  it('a refusal of more than 64 KiB goes without its body', async () => {
    auth.script = (request) => request.respond({ status: 403, body: 'x'.repeat(70_000) });
    const { answer } = await ask(world);
    assert.deepEqual([answer.status, answer.body], [403, '']);
  });

  for (const [name, bytes] of [
    ['no HTTP', 'hello\r\n\r\n'],
    ['a forbidden head', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\ncontent-length: 1\r\n\r\n'],
    ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'],
    ['half a refusal', 'HTTP/1.1 403 No\r\ncontent-length: 10\r\n\r\nabc'],
  ] as const) {
    it(`${name} is no consent: 403`, async () => {
      auth.script = async (request) => {
        await request.send(bytes);
        request.connection.socket.end();
      };
      const { answer, head } = await ask(world);
      assert.deepEqual([answer.status, head], [403, null]);
    });
  }
});

describe('external authorization without a service', () => {
  it('a Service that is missing: 500, and the route says so', async () => {
    const world = await PolicyWorld.start({ rule: grpc() });
    try {
      const { answer, entry, head } = await ask(world);
      assert.deepEqual([answer.status, entry['reason'], head], [500, 'backend_not_found', null]);
    } finally {
      await world.close();
    }
  });

  for (const [name, rule] of [
    ['gRPC', grpc()],
    ['HTTP', http()],
  ] as const) {
    it(`nobody listens (${name}): 403; the breaker opens, and closes when the service is back`, async () => {
      const world = await PolicyWorld.start({
        rule,
        objects: service({ name: 'auth', port: 9000, endpoints: [1] }),
      });
      try {
        const reasons = new Set<unknown>();
        for (let i = 0; i < 12; i++) {
          const { answer, entry } = await ask(world);
          assert.equal(answer.status, 403);
          reasons.add(entry['reason']);
        }
        assert.deepEqual([...reasons], ['external_auth_failed', 'external_auth_breaker_open']);
        assert.equal(
          await world.metric('waypoint_external_breakers_total', /service="default\/auth:9000",state="open"/),
          1,
        );
      } finally {
        await world.close();
      }
    });
  }
});

function line(key: string, value: string): { header: { key: string; value: string } } {
  return { header: { key, value } };
}

function denial(value: object): { status: { code: number }; httpResponse: { case: 'deniedResponse'; value: object } } {
  return { status: { code: 7 }, httpResponse: { case: 'deniedResponse', value } };
}
