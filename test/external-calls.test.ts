// Calls of outside services below the waypoint around them: breakers, stale connections, deadlines, TLS, the end of an endpoint.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { ServerCredentials } from '@grpc/grpc-js';
import type { BackendTlsPlan, CredentialPlan } from '../policies/plan.ts';
import { Breakers } from '../waypoint/external/breakers.ts';
import { Asking } from './harness/asking.ts';
import { authority } from './harness/certificates.ts';
import { GrpcService } from './harness/grpc-service.ts';
import { eventually } from './harness/signal.ts';

const portOf = (server: Server | Http2Server): number => (server.address() as AddressInfo).port;

async function listening<T extends Server | Http2Server>(server: T): Promise<T> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

describe('breakers of outside services', () => {
  it('open after failures, let one probe through, close when it is answered', async () => {
    const asking = new Asking('GRPC', [1]);
    Breakers.of(asking.worker).settings = {
      errorThresholdPercentage: 50,
      volumeThreshold: 3,
      resetTimeout: 100,
      rollingCountTimeout: 10_000,
    };
    for (let i = 0; i < 3; i++) assert.equal((await asking.ask()).reason, 'failed');
    assert.equal((await asking.ask()).reason, 'breaker_open');
    assert.equal((await asking.ask({ failOpen: true })).reason, 'breaker_open_open');
    const service = await GrpcService.start();
    asking.endpoints([service.port]);
    await eventually(async () => (await asking.ask()).allowed, 'the breaker to close');
    const states = asking.counted.map((each) => each.split(' ').at(-1));
    assert.deepEqual(states, ['open', 'half_open', 'closed']);
    assert.equal((await asking.ask()).allowed, true);
    service.close();
    asking.close();
  });

  it('a refusal, and a client that goes away, are no failures', async () => {
    const service = await GrpcService.start({ check: () => ({ status: { code: 7 } }) });
    const asking = new Asking('GRPC', [service.port]);
    for (let i = 0; i < 20; i++) assert.equal((await asking.ask()).reason, 'denied');
    service.scripts.check = () => new Promise<never>(() => {});
    for (let i = 0; i < 30; i++) {
      const seen = service.checks.length;
      const cancel = asking.abandon(() => assert.fail('told though nobody waits'));
      await eventually(() => service.checks.length > seen, 'the question');
      cancel();
    }
    service.scripts.check = () => ({});
    assert.equal((await asking.ask()).reason, 'allowed');
    assert.deepEqual(asking.counted, []);
    service.close();
    asking.close();
  });
});

describe('calls of outside services', () => {
  it('at once are no more than the service’s limits allow; what is too much counts against nobody', async () => {
    const service = await GrpcService.start();
    const asking = new Asking('GRPC', [service.port]);
    asking.limit(2);
    let release = (): void => {};
    const held = new Promise<object>((resolve) => {
      release = () => resolve({});
    });
    service.scripts.check = () => held;
    const both = [asking.ask(), asking.ask()];
    await eventually(() => service.checks.length === 2, 'two questions');
    for (let i = 0; i < 20; i++) assert.equal((await asking.ask()).reason, 'overflow');
    release();
    assert.ok((await Promise.all(both)).every(({ allowed }) => allowed));
    assert.equal((await asking.ask()).allowed, true);
    assert.deepEqual(asking.counted, []);
    service.close();
    asking.close();
  });

  for (const protocol of ['HTTP', 'GRPC'] as const) {
    it(`are made where an endpoint is; ${protocol}`, async () => {
      const asking = new Asking(protocol, []);
      assert.equal((await asking.ask()).reason, 'no_endpoint');
      asking.close();
    });

    it(`end when their time is over; ${protocol}`, async () => {
      const server = await listening(createTcpServer(() => {}));
      const asking = new Asking(protocol, [portOf(server)]);
      const { reason, detail } = await asking.ask({ timeoutMs: 20 });
      assert.equal(reason, 'timeout');
      assert.match(detail, /no answer within 20 ms$/);
      server.close();
      asking.close();
    });
  }

  it('over HTTP survive a connection that closed while it idled', async () => {
    let connections = 0;
    const server = await listening(
      createTcpServer((socket) => {
        connections++;
        // Answers once, and closes without a word when it is asked again.
        let asked = 0;
        socket.on('error', () => {});
        socket.on('data', () => {
          if (asked++ === 0) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
          else socket.destroy();
        });
      }),
    );
    const asking = new Asking('HTTP', [portOf(server)]);
    for (let i = 0; i < 4; i++) assert.equal((await asking.ask()).reason, 'allowed');
    assert.equal(connections, 4);
    server.close();
    asking.close();
  });
});

describe('connections of gRPC calls', () => {
  it('one serves all calls, also those at once', async () => {
    let sessions = 0;
    const server = await listening(createServer());
    server.on('session', () => sessions++);
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.resume();
      stream.on('end', () => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(Buffer.alloc(5));
      });
    });
    const asking = new Asking('GRPC', [portOf(server)]);
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => asking.ask()));
    assert.ok(verdicts.every(({ allowed }) => allowed));
    assert.equal((await asking.ask()).allowed, true);
    assert.equal(sessions, 1);
    server.close();
    asking.close();
  });

  it('one that went away while it idled costs nobody a verdict', async () => {
    const first = await GrpcService.start();
    const asking = new Asking('GRPC', [first.port]);
    assert.equal((await asking.ask()).allowed, true);
    first.close();
    const second = await GrpcService.start({}, ServerCredentials.createInsecure(), first.port);
    assert.equal((await asking.ask()).allowed, true);
    second.close();
    asking.close();
  });

  it('a server that drains costs nobody a verdict', async () => {
    const first = await GrpcService.start();
    const second = await GrpcService.start();
    const asking = new Asking('GRPC', [first.port]);
    let isOver = false;
    const asked = (async () => {
      let count = 0;
      for (; !isOver; count++) assert.equal((await asking.ask()).allowed, true);
      return count;
    })();
    await eventually(() => first.checks.length > 20, 'some checks');
    asking.endpoints([second.port]);
    await first.drain();
    await eventually(() => second.checks.length > 20, 'checks elsewhere');
    isOver = true;
    assert.ok((await asked) > 40);
    second.close();
    asking.close();
  });

  it('a stream that was refused is asked for again, once', async () => {
    let streams = 0;
    const server = await listening(createServer());
    server.on('stream', (stream: ServerHttp2Stream) => {
      streams++;
      stream.on('error', () => {});
      stream.close(7);
    });
    const asking = new Asking('GRPC', [portOf(server)]);
    assert.equal((await asking.ask()).reason, 'failed');
    assert.equal(streams, 2);
    server.close();
    asking.close();
  });

  const answers: readonly (readonly [
    name: string,
    headers: Record<string, string | number>,
    body: Buffer,
    reason: string,
  ])[] = [
    ['another status of HTTP', { ':status': 503 }, Buffer.alloc(0), 'failed'],
    ['a message longer than it says', { ':status': 200 }, Buffer.from([0, 0, 0, 0, 0, 1]), 'malformed'],
    ['a message shorter than it says', { ':status': 200 }, Buffer.from([0, 0, 0, 0, 2, 1]), 'malformed'],
    ['compression that nobody offered', { ':status': 200 }, Buffer.from([1, 0, 0, 0, 0]), 'malformed'],
    ['no message', { ':status': 200 }, Buffer.alloc(0), 'malformed'],
    ['more than a megabyte', { ':status': 200 }, Buffer.alloc(2_000_000), 'malformed'],
  ];
  for (const [name, headers, body, reason] of answers) {
    it(`${name} is no verdict: ${reason}`, async () => {
      const server = await listening(createServer());
      server.on('stream', (stream: ServerHttp2Stream) => {
        stream.on('error', () => {});
        stream.respond({ ...headers, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(body);
      });
      const asking = new Asking('GRPC', [portOf(server)]);
      assert.equal((await asking.ask()).reason, reason);
      server.close();
      asking.close();
    });
  }

  it('a status that comes alone says why', async () => {
    const server = await listening(createServer());
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.respond({ ':status': 200, 'grpc-status': 8, 'grpc-message': 'too busy' }, { endStream: true });
    });
    const asking = new Asking('GRPC', [portOf(server)]);
    const { reason, detail } = await asking.ask();
    assert.equal(reason, 'failed');
    assert.match(detail, /default\/auth:9000 at 127\.0\.0\.1:\d+: grpc-status 8: too busy/);
    server.close();
    asking.close();
  });

  it('what does not speak HTTP/2 gives no verdict', async () => {
    const server = await listening(createTcpServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    const asking = new Asking('GRPC', [portOf(server)]);
    assert.equal((await asking.ask()).reason, 'failed');
    server.close();
    asking.close();
  });

  it('one that never connects is given up after the time to connect', async () => {
    const asking = new Asking('GRPC', [9], { connectTimeoutMs: 50 });
    asking.worker.registry.update(
      'default/auth:9000',
      [
        {
          // TEST-NET-1 (RFC 5737): nobody is there.
          ...{ address: '192.0.2.1', port: 9, name: null, zone: null, hints: [] },
          ...{ ready: true, serving: true, terminating: false },
        },
      ],
      performance.now(),
    );
    assert.match((await asking.ask()).reason, /^(failed|timeout)$/);
    asking.close();
  });

  it('an answer that is late is no reason to connect anew', async () => {
    let sessions = 0;
    const server = await listening(createServer());
    server.on('session', () => sessions++);
    server.on('stream', (stream: ServerHttp2Stream) => stream.on('error', () => {}));
    const asking = new Asking('GRPC', [portOf(server)]);
    assert.equal((await asking.ask({ timeoutMs: 20 })).reason, 'timeout');
    assert.equal((await asking.ask({ timeoutMs: 20 })).reason, 'timeout');
    assert.equal(sessions, 1);
    server.close();
    asking.close();
  });
});

describe('gRPC calls over TLS', () => {
  const root = authority();
  const other = authority();
  const server = root.issue({ names: ['DNS:auth.test'] });
  const client = root.issue({ names: ['URI:spiffe://a/b'] });
  let service: GrpcService;

  before(async () => {
    const pair = { cert_chain: Buffer.from(server.chain), private_key: Buffer.from(server.key) };
    service = await GrpcService.start({}, ServerCredentials.createSsl(Buffer.from(root.certificate), [pair], true));
  });
  after(() => service.close());

  const credential = (id: string, parts: Partial<CredentialPlan>): [string, CredentialPlan] => [
    id,
    { id, certificate: null, key: null, authorities: null, revocations: null, trustDomain: null, ...parts },
  ];
  const credentials = new Map([
    credential('root', { authorities: root.certificate }),
    credential('other', { authorities: other.certificate }),
    credential('client', { certificate: client.chain, key: client.key }),
  ]);
  const tls: BackendTlsPlan = {
    serverName: 'auth.test',
    names: [],
    authorities: ['root'],
    certificate: 'client',
    failure: null,
  };

  const rows: readonly (readonly [name: string, plan: Partial<BackendTlsPlan>, reason: string])[] = [
    ['both prove who they are', {}, 'allowed'],
    ['the wrong name', { serverName: 'other.test' }, 'failed'],
    ['the wrong authority', { authorities: ['other'] }, 'failed'],
    ['no certificate of ours', { certificate: null }, 'failed'],
    ['a plan that failed', { failure: { reason: 'Invalid', message: 'no CA' } }, 'failed'],
  ];
  for (const [name, plan, reason] of rows) {
    it(`${name}: ${reason}`, async () => {
      const asking = new Asking('GRPC', [service.port]);
      asking.secure({ ...tls, ...plan }, credentials);
      const verdict = await asking.ask();
      assert.equal(verdict.reason, reason, verdict.detail);
      asking.close();
    });
  }
});
