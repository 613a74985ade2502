// Bodies and pipelines (F20 – F22): every request is framed exactly and judged on its own.

import assert from 'node:assert/strict';
import { chunked } from '../harness/chunked.ts';
import { echoed } from '../harness/echoed.ts';
import { backendRef, gateway, gatewayClass, prefix, route, service } from '../harness/manifests.ts';
import { freePort } from '../harness/ports.ts';
import { RawClient } from '../harness/raw-client.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';
import { expectArrived, probe } from '../harness/verdict.ts';
import { Waypoint } from '../harness/waypoint.ts';
import { World } from '../harness/world.ts';

const HOST = 'Host: test.example\r\n';
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

describe('pipelines', () => {
  let world: World;
  before(async () => {
    world = await World.start();
  });
  after(() => world.close());

  for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'POST', 'FOO']) {
    for (const [framing, body] of [
      [`Content-Length: ${SMUGGLED.length}\r\n`, SMUGGLED],
      ['Transfer-Encoding: chunked\r\n', chunked(SMUGGLED)],
    ] as const) {
      it(`F20 ${method} with a body (${framing.split(':', 1)[0]}) and a request behind it`, async () => {
        const from = world.backend.requests.length;
        const client = await RawClient.connect(world.port);
        await client.send(
          `${method} /first HTTP/1.1\r\n${HOST}${framing}\r\n${body}GET /second HTTP/1.1\r\n${HOST}\r\n`,
        );
        const first = await client.response(method);
        const second = await client.response();
        assert.deepEqual([first.status, second.status], [200, 200]);
        assert.equal(echoed(second).target, '/second');
        await expectArrived(world, from, [`${method} /first HTTP/1.1`, 'GET /second HTTP/1.1']);
        assert.equal(world.backend.requests[from]?.message.bodyBytes, SMUGGLED.length);
        client.destroy();
      });
    }
  }

  it('ten pipelined requests in one packet are answered in order', async () => {
    const client = await RawClient.connect(world.port);
    const paths = Array.from({ length: 10 }, (_, i) => `/p${i}`);
    await client.send(paths.map((path) => `GET ${path} HTTP/1.1\r\n${HOST}\r\n`).join(''));
    for (const path of paths) assert.equal(echoed(await client.response()).target, path);
    client.destroy();
  });

  it('two thousand pipelined requests, across the ends of every buffer, each get their own answer', async () => {
    const client = await RawClient.connect(world.port);
    const ids = Array.from({ length: 2000 }, (_, i) => `id-${i}-${'x'.repeat(i % 97)}`);
    const bytes = ids.map((id, i) => {
      const body = i % 3 === 0 ? id : '';
      const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`;
      return `${body === '' ? 'GET' : 'PUT'} /${id} HTTP/1.1\r\n${HOST}X-Test-Id: ${id}\r\n${length}\r\n${body}`;
    });
    const sending = client.send(bytes.join(''));
    for (const id of ids) {
      const answer = await client.response();
      assert.deepEqual([answer.get('x-echo-id'), echoed(answer).target], [id, `/${id}`]);
    }
    await sending;
    client.destroy();
  });

  it('a pipeline cut at every byte is answered alike', async () => {
    const bytes = `GET /a HTTP/1.1\r\n${HOST}\r\nPOST /b HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\nhiGET /c HTTP/1.1\r\n${HOST}\r\n`;
    for (let cut = 1; cut < bytes.length; cut += 3) {
      const client = await RawClient.connect(world.port);
      await client.send(bytes, [cut]);
      for (const path of ['/a', '/b', '/c'])
        assert.equal(echoed(await client.response()).target, path, `cut at ${cut}`);
      client.destroy();
    }
  });

  it('one byte at a time', async () => {
    const client = await RawClient.connect(world.port);
    const bytes = `POST /slow HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`;
    await client.send(
      bytes,
      Array.from(bytes, (_, i) => i),
    );
    const answer = echoed(await client.response());
    assert.deepEqual([answer.target, answer.bodyBytes], ['/slow', 5]);
    client.destroy();
  });

  it('a fault behind a good request: the good one is answered, the bad one refused, nothing behind it served', async () => {
    const from = world.backend.requests.length;
    const client = await RawClient.connect(world.port);
    await client.send(
      `GET /good HTTP/1.1\r\n${HOST}\r\nGET /bad HTTP/1.1\r\nX : y\r\n\r\nGET /never HTTP/1.1\r\n${HOST}\r\n`,
    );
    assert.equal((await client.response()).status, 200);
    const refusal = await client.response();
    assert.equal(refusal.status, 400);
    assert.equal(refusal.get('connection'), 'close');
    await client.closed();
    client.destroy();
    await probe(world);
    await expectArrived(world, from, ['GET /good HTTP/1.1', 'GET /probe HTTP/1.1']);
  });
});

describe('pipelines judged request by request', () => {
  let backend: ScriptedBackend;
  let waypoint: Waypoint;
  let port: number;
  before(async () => {
    backend = await ScriptedBackend.start();
    port = await freePort();
    const rules = [{ matches: [prefix('/open')], backendRefs: [backendRef('app')] }];
    waypoint = await Waypoint.start({
      'a.yaml': [
        gatewayClass(),
        gateway('edge', [{ port }]),
        route({ name: 'some', parents: ['edge'], hostnames: ['test.example'], rules }),
        ...service({ name: 'app', endpoints: [backend.port] }),
      ],
    });
  });
  after(async () => {
    await waypoint.close();
    await backend.close();
  });

  it('F21 three pipelined requests, the middle one has no route', async () => {
    const client = await RawClient.connect(port);
    const from = backend.requests.length;
    await client.send(['/open/1', '/closed', '/open/2'].map((path) => `GET ${path} HTTP/1.1\r\n${HOST}\r\n`).join(''));
    const answers = [await client.response(), await client.response(), await client.response()];
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [200, 404, 200],
    );
    assert.equal(echoed(answers[2] as { body: string }).target, '/open/2');
    assert.deepEqual(
      backend.requests.slice(from).map((request) => request.message.target),
      ['/open/1', '/open/2'],
    );
    client.destroy();
  });

  it('F21 pipelined requests for different hosts are routed each on its own', async () => {
    const client = await RawClient.connect(port);
    await client.send(
      `GET /open HTTP/1.1\r\n${HOST}\r\nGET /open HTTP/1.1\r\nHost: other.example\r\n\r\nGET /open HTTP/1.1\r\n${HOST}\r\n`,
    );
    const statuses = [await client.response(), await client.response(), await client.response()].map((m) => m.status);
    assert.deepEqual(statuses, [200, 404, 200]);
    client.destroy();
  });

  for (const [name, lines, body] of [
    ['a small length', `Content-Length: ${SMUGGLED.length}\r\n`, SMUGGLED],
    ['chunks', 'Transfer-Encoding: chunked\r\n', chunked(SMUGGLED)],
  ] as const) {
    it(`F22 a 404 whose body was not read (${name}): the next request is served or the connection closed`, async () => {
      const client = await RawClient.connect(port);
      const from = backend.requests.length;
      await client.send(`POST /closed HTTP/1.1\r\n${HOST}${lines}\r\n${body}GET /open/next HTTP/1.1\r\n${HOST}\r\n`);
      const refusal = await client.response('POST');
      assert.equal(refusal.status, 404);
      const reader = await client.readResponse();
      if (reader.done) assert.equal(echoed(reader.message).target, '/open/next');
      else assert.equal(refusal.get('connection'), 'close');
      assert.ok(backend.requests.slice(from).every((request) => request.message.target === '/open/next'));
      client.destroy();
    });
  }

  it('F22 a 404 to an endless body is answered and closed, the body never parsed as a request', async () => {
    const client = await RawClient.connect(port);
    const from = backend.requests.length;
    const line = `GET /open/smuggled HTTP/1.1\r\n${HOST}\r\n`;
    await client.send(`POST /closed HTTP/1.1\r\n${HOST}Content-Length: 100000000\r\n\r\n${line}`);
    const refusal = await client.response('POST');
    assert.deepEqual([refusal.status, refusal.get('connection')], [404, 'close']);
    for (let i = 0; i < 64 && client.ended === null; i++) await client.send(line.repeat(200));
    await client.closed();
    assert.equal(backend.requests.length, from);
    client.destroy();
  });
});
