// Answers that end where they say (R3 – R7): extra bytes, bodiless answers, interim ones, early ones.

import assert from 'node:assert/strict';
import { call } from '../harness/call.ts';
import { RawClient } from '../harness/raw-client.ts';
import { type BackendRequest, echo } from '../harness/scripted-backend.ts';
import { probe } from '../harness/verdict.ts';
import { World } from '../harness/world.ts';

const HOST = 'Host: test.example\r\n';
const EVIL = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL';

describe('responses that end where they say', () => {
  let answer = '';
  let world: World;
  before(async () => {
    world = await World.start(async (request: BackendRequest) => {
      if (!request.message.target.startsWith('/raw')) return echo(request);
      await request.send(answer);
    });
  });
  after(() => world.close());

  for (const [name, raw, body] of [
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 'ok'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n', 'ok'],
    ['no body', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', ''],
  ] as const) {
    for (const extra of [EVIL, `Z${EVIL}`]) {
      it(`R3 ${extra[0]} behind ${name} is dropped, the connection not used again`, async () => {
        answer = raw + extra;
        const from = world.backend.requests.length;
        const got = await call(world.port, { path: '/raw' });
        assert.equal(got.body, body);
        await (await world.backend.request(from)).connection.closed();
        await probe(world);
        await probe(world);
      });
    }
  }

  it('R3 an answer that nobody waits for, on an idle connection, goes to nobody', async () => {
    await probe(world);
    const idle = [...world.backend.open];
    for (const connection of idle) await connection.send(EVIL);
    for (const connection of idle) await connection.closed();
    await probe(world);
    await probe(world);
  });

  for (const [name, method, raw] of [
    ['HEAD with a body', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL'],
    ['HEAD with chunks', 'HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nEVIL\r\n0\r\n\r\n'],
    ['204 with a body', 'GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nEVIL'],
    ['304 with a body', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nEVIL'],
    ['204 with chunks', 'GET', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nEVIL\r\n0\r\n\r\n'],
  ] as const) {
    it(`R4 ${name}: no body is relayed, the next request on the connection is served`, async () => {
      answer = raw;
      const client = await RawClient.connect(world.port);
      await client.send(`${method} /raw HTTP/1.1\r\n${HOST}\r\n`);
      const got = await client.response(method);
      if (got.status >= 500) {
        assert.equal(got.status, 502);
      } else {
        await client.send(`GET /next HTTP/1.1\r\n${HOST}\r\n`);
        assert.match((await client.response()).body, /"\/next"/);
      }
      assert.doesNotMatch(client.received, /EVIL/);
      await probe(world);
      client.destroy();
    });
  }

  for (const [name, method, raw, fields] of [
    [
      'HEAD keeps content-length',
      'HEAD',
      'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n',
      { 'content-length': '1234' },
    ],
    ['304 may carry a content-length', 'GET', 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n', { etag: '"x"' }],
    [
      '204 carries none',
      'GET',
      'HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n',
      { 'x-a': 'b', 'content-length': undefined, 'transfer-encoding': undefined },
    ],
  ] as const) {
    it(`R4 ${name}, and the connections live on`, async () => {
      answer = raw;
      const client = await RawClient.connect(world.port);
      const connections = world.backend.connections.length;
      for (let i = 0; i < 3; i++) {
        await client.send(`${method} /raw HTTP/1.1\r\n${HOST}\r\n`);
        const got = await client.response(method);
        for (const [field, value] of Object.entries(fields)) assert.equal(got.get(field), value);
      }
      assert.ok(world.backend.connections.length - connections <= 1, 'upstream connections are used again');
      client.destroy();
    });
  }

  it('R5 103 is relayed or dropped, the final response arrives', async () => {
    answer = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    assert.equal((await call(world.port, { path: '/raw' })).body, 'ok');
  });

  it('R5 sixteen interim responses are allowed', async () => {
    answer = `${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(16)}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`;
    assert.equal((await call(world.port, { path: '/raw' })).body, 'ok');
  });

  it('R5 100 is not relayed to a client that did not ask', async () => {
    answer = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    const client = await RawClient.connect(world.port);
    await client.send(`GET /raw HTTP/1.1\r\n${HOST}\r\n`);
    assert.equal((await client.response()).body, 'ok');
    assert.deepEqual(
      client.interim.map((message) => message.status),
      [],
    );
    client.destroy();
  });

  it('R5 interim responses are not sent to HTTP/1.0', async () => {
    answer = 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    const client = await RawClient.connect(world.port);
    await client.send(`GET /raw HTTP/1.0\r\n${HOST}\r\n`);
    assert.equal((await client.response()).body, 'ok');
    assert.equal(client.interim.length, 0);
    client.destroy();
  });

  for (const status of [400, 413, 401]) {
    it(`R7 an early ${status} while the body uploads is relayed at once, nothing hangs`, async () => {
      answer = `HTTP/1.1 ${status} Early\r\nContent-Length: 5\r\n\r\nearly`;
      const from = world.backend.requests.length;
      const client = await RawClient.connect(world.port);
      await client.send(`POST /raw HTTP/1.1\r\n${HOST}Content-Length: 1000000\r\n\r\npart`);
      const got = await client.response('POST');
      assert.deepEqual([got.status, got.body], [status, 'early']);
      assert.equal(got.get('connection'), 'close', 'more than 64 KiB are left unread');
      await client.send('x'.repeat(100_000));
      const request = await world.backend.request(from);
      client.destroy();
      await request.connection.closed();
      assert.equal(request.message.complete, false);
      await probe(world);
    });
  }

  it('R7 an early answer, then the rest of the body: the client connection goes on or is closed cleanly', async () => {
    answer = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly';
    const client = await RawClient.connect(world.port);
    await client.send(`POST /raw HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\n12345`);
    const got = await client.response('POST');
    assert.equal(got.body, 'early');
    await client.send(`67890GET /next HTTP/1.1\r\n${HOST}\r\n`);
    const reader = await client.readResponse();
    if (reader.done) assert.match(reader.message.body, /"\/next"/);
    else assert.equal(got.get('connection'), 'close');
    client.destroy();
    await probe(world);
  });

  it('an ordinary trailer goes on, a framing one does not', async () => {
    answer =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: abc\r\nContent-Length: 9\r\nSet-Cookie: a=b\r\n\r\n';
    const { message } = await call(world.port, { path: '/raw' });
    assert.deepEqual(message.trailers, [['x-sum', 'abc']]);
    await probe(world);
  });

  it('duplicate fields keep their order and count, values their bytes', async () => {
    answer = 'HTTP/1.1 200 Fine By Me\r\nSet-Cookie: a=1\r\nX: \xe9\r\nset-cookie: b=2\r\nContent-Length: 0\r\n\r\n';
    const { message } = await call(world.port, { path: '/raw' });
    assert.deepEqual(message.values('set-cookie'), ['a=1', 'b=2']);
    assert.equal(message.get('x'), '\xe9');
  });

  it('hop-by-hop fields of the response go no further', async () => {
    answer =
      'HTTP/1.1 200 OK\r\nConnection: X-Gone, keep-alive\r\nKeep-Alive: timeout=5\r\nX-Gone: x\r\nProxy-Authenticate: Basic\r\nX-Kept: y\r\nContent-Length: 0\r\n\r\n';
    const { message } = await call(world.port, { path: '/raw' });
    assert.deepEqual(
      [message.get('x-gone'), message.get('keep-alive'), message.get('x-kept')],
      [undefined, undefined, 'y'],
    );
  });
});
