// AuthorizationPolicies with action CUSTOM: extension providers from ConfigMaps, with every field that Istio gives them.

import assert from 'node:assert/strict';
import type { Answered, Call } from '../harness/call.ts';
import { GrpcService } from '../harness/grpc-service.ts';
import { type Manifest, service } from '../harness/manifests.ts';
import { PolicyWorld, SERVICE } from '../harness/policy-world.ts';
import { type BackendRequest, ScriptedBackend } from '../harness/scripted-backend.ts';

const HOST = 'auth.default.svc.cluster.local';

function custom(name: string, provider: string, rules: readonly object[] = [{}]): Manifest {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace: 'default' },
    spec: { targetRefs: [SERVICE], action: 'CUSTOM', provider: { name: provider }, rules },
  };
}

function providers(list: readonly object[]): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'waypoint', namespace: 'default' },
    data: { mesh: JSON.stringify({ extensionProviders: list }) },
  };
}

const http = (port: number, more: object = {}): object => ({
  name: 'web',
  envoyExtAuthzHttp: { service: HOST, port, timeout: '1s', ...more },
});
const grpc = (port: number, more: object = {}): object => ({
  name: 'rpc',
  envoyExtAuthzGrpc: { service: HOST, port, timeout: '1s', ...more },
});

function headOf({ message }: BackendRequest): readonly string[] {
  return [message.startLine, ...message.fields.map(([name, value]) => `${name}: ${value}`)];
}

describe('CUSTOM authorization', () => {
  let web: ScriptedBackend;
  let rpc: GrpcService;
  let world: PolicyWorld;
  let applied = '';

  /** Asks with this provider, the first of the list. */
  async function asks(provider: object, more: readonly Manifest[] = []): Promise<void> {
    const { name } = provider as { readonly name: string };
    const objects = [providers([provider]), custom('guard', name), ...more];
    if (applied === JSON.stringify(objects)) return;
    applied = JSON.stringify(objects);
    await world.waypoint.apply('access.yaml', objects);
  }

  async function call(request: Call = {}): Promise<Answered> {
    return world.call(request);
  }

  before(async () => {
    web = await ScriptedBackend.start((request) => request.respond(), 'auth');
    rpc = await GrpcService.start();
    world = await PolicyWorld.start({
      objects: [
        ...service({ name: 'auth', port: 9000, endpoints: [web.port] }),
        ...service({ name: 'rpc', port: 9000, endpoints: [rpc.port] }),
      ],
    });
  });
  after(async () => {
    await world.close();
    await web.close();
    rpc.close();
  });
  beforeEach(() => {
    web.script = (request) => request.respond();
    rpc.scripts = {};
    rpc.checks.length = 0;
  });

  it('asks over HTTP with the headers of the lists, fixed ones in place of the request’s', async () => {
    await asks(
      http(9000, {
        pathPrefix: '/check',
        includeRequestHeadersInCheck: ['x-one', 'x-p-*', '*-end'],
        includeAdditionalHeadersInCheck: { 'X-Fixed': 'ours', 'x-one': 'ours' },
      }),
    );
    const answer = await call({
      path: '/a',
      fields: [
        ['x-one', 'theirs'],
        ['x-fixed', 'theirs'],
        ['X-P-a', '1'],
        ['the-end', '2'],
        ['other', '3'],
      ],
    });
    assert.equal(answer.status, 200);
    assert.deepEqual(headOf(web.requests.at(-1)!), [
      'GET /check/a HTTP/1.1',
      'host: test.example',
      'content-length: 0',
      'x-p-a: 1',
      'the-end: 2',
      'x-fixed: ours',
      'x-one: ours',
    ]);
  });

  it('what consent and refusal say goes where the lists have it', async () => {
    await asks(
      http(9000, {
        headersToUpstreamOnAllow: ['x-user'],
        headersToDownstreamOnAllow: ['x-session', 'content-type'],
        headersToDownstreamOnDeny: ['x-why'],
      }),
    );
    const said = [
      ['x-user', 'ada'],
      ['x-other', '1'],
      ['x-session', 's'],
      ['x-why', 'w'],
      ['location', '/login'],
      ['content-type', 'text/html'],
    ] as const;
    web.script = (request) => request.respond({ fields: said });
    const allowed = await call();
    assert.deepEqual([allowed.message.get('x-session'), allowed.message.get('x-why')], ['s', undefined]);
    const upstream = world.backend.requests.at(-1)!.message;
    assert.deepEqual([upstream.get('x-user'), upstream.get('x-other')], ['ada', undefined]);
    web.script = (request) => request.respond({ status: 302, fields: said, body: '<a>' });
    const { status, body, message } = await call();
    assert.deepEqual([status, body, message.get('x-why'), message.get('location')], [302, '<a>', 'w', '/login']);
    assert.deepEqual([message.get('x-user'), message.get('x-session')], [undefined, undefined]);
  });

  it('a part of the body is told where parts are allowed', async () => {
    await asks(http(9000, { includeRequestBodyInCheck: { maxRequestBytes: 4, allowPartialMessage: true } }));
    assert.equal((await call({ method: 'POST', body: '123456' })).status, 200);
    const { message } = web.requests.at(-1)!;
    assert.deepEqual([message.body, message.get('x-envoy-auth-partial-body')], ['1234', 'true']);
    assert.equal(world.backend.requests.at(-1)!.message.body, '123456');
    assert.equal((await call({ method: 'POST', body: '1234' })).status, 200);
    assert.equal(web.requests.at(-1)!.message.get('x-envoy-auth-partial-body'), 'false');
  });

  it('asks over gRPC, with bytes where they are wanted', async () => {
    const body = { maxRequestBytes: 4, allowPartialMessage: true, packAsBytes: true };
    await asks({
      name: 'rpc',
      envoyExtAuthzGrpc: { service: 'rpc.default', port: 9000, includeRequestBodyInCheck: body },
    });
    await call({ method: 'POST', body: '\xff\x00abc' });
    const { body: text, rawBody, headers } = rpc.checks[0]!.attributes!.request!.http!;
    assert.deepEqual([text, Buffer.from(rawBody).toString('latin1')], ['', '\xff\x00ab']);
    assert.equal(headers['x-envoy-auth-partial-body'], 'true');
    rpc.scripts.check = () => ({ status: { code: 7 } });
    assert.equal((await call()).status, 403);
  });

  it('only what the rules match is asked about', async () => {
    const rules = [{ to: [{ operation: { paths: ['/admin*'] } }] }];
    applied = 'rules';
    await world.waypoint.apply('access.yaml', [providers([http(9000)]), custom('guard', 'web', rules)]);
    const before = web.requests.length;
    assert.equal((await call({ path: '/open' })).status, 200);
    assert.equal(web.requests.length, before);
    web.script = (request) => request.respond({ status: 401 });
    assert.equal((await call({ path: '/admin/x' })).status, 401);
    assert.equal((await call({ path: '/open' })).status, 200);
  });

  for (const [name, more, status] of [
    ['fails closed', {}, 403],
    ['with a status of its own', { statusOnError: '503' }, 503],
    ['fails open', { failOpen: true }, 200],
  ] as const) {
    it(`a service that answers 5xx, or nothing in time: ${name}`, async () => {
      await asks(http(9000, { ...more, timeout: '0.1s' }));
      web.script = (request) => request.respond({ status: 500 });
      assert.equal((await call()).status, status);
      web.script = () => {};
      assert.equal((await call()).status, status);
    });
  }

  it('a provider that nobody knows refuses everything, until it is there', async () => {
    applied = '';
    await world.waypoint.apply('access.yaml', [custom('guard', 'web')]);
    const before = world.backend.requests.length;
    const { answer, entry } = await world.logged();
    assert.deepEqual([answer.status, world.backend.requests.length], [403, before]);
    assert.match(String(entry['detail']), /no extension provider "web"/);
    await asks(http(9000));
    assert.equal((await call()).status, 200);
  });

  it('one that is broken refuses everything, though it says to fail open', async () => {
    await asks(http(9000, { failOpen: true, failureMode: 'x' }));
    const { answer, entry } = await world.logged();
    assert.equal(answer.status, 403);
    assert.match(String(entry['detail']), /extensionProviders\[0\]\.envoyExtAuthzHttp\.failureMode/);
  });

  it('one whose Service goes refuses everything', async () => {
    await asks(grpc(9001));
    const { answer, entry } = await world.logged();
    assert.equal(answer.status, 403);
    assert.match(String(entry['detail']), /has no port 9001/);
  });
});
