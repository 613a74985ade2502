// Connections between requests: kept, closed, HTTP/1.0, HEAD, and upstream connections used again or found dead.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { echoed } from '../harness/echoed.ts';
import { RawClient } from '../harness/raw-client.ts';
import { type BackendRequest, echo } from '../harness/scripted-backend.ts';
import { probe } from '../harness/verdict.ts';
import { World } from '../harness/world.ts';

const HOST = 'Host: test.example\r\n';

describe('client connections', () => {
  let world: World;
  before(async () => {
    world = await World.start(answering);
  });
  after(() => world.close());

  for (const [name, bytes, kept] of [
    ['HTTP/1.1', `GET / HTTP/1.1\r\n${HOST}\r\n`, true],
    ['HTTP/1.1 with close', `GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, false],
    ['HTTP/1.1 with Close among others', `GET / HTTP/1.1\r\n${HOST}Connection: x, Close\r\n\r\n`, false],
    ['HTTP/1.1 with keep-alive', `GET / HTTP/1.1\r\n${HOST}Connection: keep-alive\r\n\r\n`, true],
    ['HTTP/1.0', `GET / HTTP/1.0\r\n${HOST}\r\n`, false],
    ['HTTP/1.0 with keep-alive', `GET / HTTP/1.0\r\n${HOST}Connection: Keep-Alive\r\n\r\n`, true],
    ['HTTP/1.1 404', `GET / HTTP/1.1\r\n${HOST}X-Any: 1\r\n\r\n`, true],
    ['HTTP/1.1 HEAD', `HEAD / HTTP/1.1\r\n${HOST}\r\n`, true],
    ['HTTP/1.1 POST without a body', `POST / HTTP/1.1\r\n${HOST}\r\n`, true],
    ['HTTP/1.1 POST', `POST / HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\nhi`, true],
  ] as const) {
    it(`${name} is ${kept ? 'kept' : 'closed'}`, async () => {
      const client = await RawClient.connect(world.port);
      const method = bytes.split(' ', 1)[0] as string;
      await client.send(bytes);
      const first = await client.response(method);
      assert.equal(first.get('connection') === 'close', !kept);
      if (!kept) {
        await client.closed();
        assert.equal(client.takeUnread().length, 0);
      } else {
        await client.send(bytes);
        assert.equal((await client.response(method)).status, first.status);
      }
      client.destroy();
    });
  }

  it('HTTP/1.0 without Host is served, the backend gets one', async () => {
    const client = await RawClient.connect(world.port);
    await client.send('GET /old HTTP/1.0\r\n\r\n');
    const answer = await client.response();
    assert.equal(answer.status, 200);
    const hosts = echoed(answer).fields.filter(([name]) => name.toLowerCase() === 'host');
    assert.equal(hosts.length, 1);
    client.destroy();
  });

  it('an HTTP/1.0 client gets no chunks: the end of the connection is the end of the body', async () => {
    const client = await RawClient.connect(world.port);
    await client.send(`GET /chunked HTTP/1.0\r\n${HOST}Connection: keep-alive\r\n\r\n`);
    const answer = await client.response();
    assert.equal(answer.get('transfer-encoding'), undefined);
    assert.equal(answer.body, 'hello world');
    await client.closed();
    client.destroy();
  });

  it('an HTTP/1.1 client gets chunks where the backend sent chunks', async () => {
    const client = await RawClient.connect(world.port);
    await client.send(`GET /chunked HTTP/1.1\r\n${HOST}\r\n`);
    const answer = await client.response();
    assert.equal(answer.framing, 'chunked');
    assert.equal(answer.body, 'hello world');
    client.destroy();
  });

  it('HEAD answers alternate with GET answers on one connection', async () => {
    const client = await RawClient.connect(world.port);
    for (let i = 0; i < 5; i++) {
      await client.send(`HEAD /h HTTP/1.1\r\n${HOST}\r\nGET /g${i} HTTP/1.1\r\n${HOST}\r\n`);
      const head = await client.response('HEAD');
      assert.ok(Number(head.get('content-length')) > 0);
      assert.equal(echoed(await client.response()).target, `/g${i}`);
    }
    client.destroy();
  });

  it('a client that half-closes still gets its answers', async () => {
    const client = await RawClient.connect(world.port);
    await client.send(`GET /a HTTP/1.1\r\n${HOST}\r\nGET /b HTTP/1.1\r\n${HOST}\r\n`);
    client.end();
    assert.equal(echoed(await client.response()).target, '/a');
    const reader = await client.readResponse();
    assert.ok(reader.done, 'the second pipelined answer arrives, too');
    await client.closed();
    client.destroy();
  });

  it('a client that closes between requests disturbs nobody', async () => {
    for (let i = 0; i < 20; i++) {
      const client = await RawClient.connect(world.port);
      if (i % 2 === 0) client.reset();
      else client.destroy();
    }
    await probe(world);
  });
});

/** 11 bytes in two chunks at /chunked, nothing kept at /close, echo otherwise. */
async function answering(request: BackendRequest): Promise<void> {
  const { target } = request.message;
  if (target === '/chunked') {
    return request.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n');
  }
  if (target === '/close') {
    await request.send('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok');
    request.connection.socket.end();
    return;
  }
  if (target === '/old-keep')
    return request.send('HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok');
  if (target === '/old-close') {
    await request.send('HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok');
    request.connection.socket.end();
    return;
  }
  return echo(request);
}

describe('upstream connections', () => {
  let world: World;
  before(async () => {
    world = await World.start(answering);
  });
  after(() => world.close());

  async function get(path: string, method: string = 'GET', body: string = ''): Promise<number> {
    const client = await RawClient.connect(world.port);
    const length = method === 'GET' ? '' : `Content-Length: ${body.length}\r\n`;
    await client.send(`${method} ${path} HTTP/1.1\r\n${HOST}Connection: close\r\n${length}\r\n${body}`);
    const answer = await client.response(method);
    client.destroy();
    return answer.status;
  }

  it('one is used again, over many client connections', async () => {
    await get('/1');
    const before = world.backend.connections.length;
    for (let i = 0; i < 10; i++) assert.equal(await get(`/${i}`), 200);
    assert.equal(world.backend.connections.length, before);
  });

  for (const path of ['/close', '/old-close']) {
    it(`${path}: one that says close is not used again`, async () => {
      assert.equal(await get(path), 200);
      await probe(world);
    });
  }

  it('HTTP/1.0 with keep-alive from the backend is understood', async () => {
    assert.equal(await get('/old-keep'), 200);
    await probe(world);
  });

  it('one that the backend closed while idle costs no request', async () => {
    for (let i = 0; i < 20; i++) {
      await probe(world);
      for (const connection of world.backend.open) connection.socket.end();
    }
    await probe(world);
  });

  for (const [method, status] of [
    ['GET', 200],
    ['PUT', 200],
    ['POST', 503],
  ] as const) {
    it(`A1 one that dies under a ${method} before any response byte: ${status}`, async () => {
      await probe(world);
      const reused = [...world.backend.open];
      const from = world.backend.requests.length;
      const { script } = world.backend;
      let struck = 0;
      world.backend.script = async (request) => {
        if (!reused.includes(request.connection)) return script(request);
        struck++;
        await request.whole();
        request.connection.socket.resetAndDestroy();
      };
      assert.equal(await get('/dies', method, method === 'GET' ? '' : 'hello'), status);
      assert.equal(struck, 1);
      const tries = world.backend.requests.slice(from);
      assert.equal(tries.length, status === 200 ? 2 : 1);
      for (const request of tries) assert.equal(request.message.body, method === 'GET' ? '' : 'hello');
      world.backend.script = script;
    });
  }

  it('A1 a body that came in pieces is repeated byte for byte', async () => {
    await probe(world);
    const reused = [...world.backend.open];
    const from = world.backend.requests.length;
    const { script } = world.backend;
    world.backend.script = async (request) => {
      await request.whole();
      if (reused.includes(request.connection)) request.connection.socket.resetAndDestroy();
      else await script(request);
    };
    const body = randomBytes(50_000);
    const client = await RawClient.connect(world.port);
    const head = Buffer.from(`PUT /pieces HTTP/1.1\r\n${HOST}Content-Length: ${body.length}\r\n\r\n`);
    await client.send(Buffer.concat([head, body]), [head.length, head.length + 1, 1000, 20_000, 40_000]);
    const answer = await client.response('PUT');
    const tries = world.backend.requests.slice(from);
    assert.ok(
      tries.every(
        (request) => request.message.hash === tries[0]?.message.hash && request.message.bodyBytes === body.length,
      ),
    );
    // A body too long to be kept is not repeated; one that is must be answered.
    assert.equal(answer.status, tries.length === 2 ? 200 : 503);
    world.backend.script = script;
    client.destroy();
  });

  it('ten clients at once get ten different answers', async () => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => RawClient.connect(world.port)));
    await Promise.all(clients.map((client, i) => client.send(`GET /at-once-${i} HTTP/1.1\r\n${HOST}\r\n`)));
    const answers = await Promise.all(clients.map((client) => client.response()));
    assert.deepEqual(
      answers.map((answer) => echoed(answer).target),
      clients.map((_, i) => `/at-once-${i}`),
    );
    for (const client of clients) client.destroy();
  });
});
