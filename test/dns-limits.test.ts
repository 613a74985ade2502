// Floods, slow and silent clients, garbage, and addresses that cannot be had.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { DEFAULT_TCP_LIMITS } from '../waypoint/redirect/dns/tcp-server.ts';
import { answering, FakeResolver, lines, query, UdpClient } from './harness/dns.ts';
import { Belongings, FQDN, IMPATIENT, Server } from './harness/dns-server.ts';
import { eventually } from './harness/signal.ts';

describe('the DNS server limits', () => {
  let mine: Belongings;
  const own = <T extends { close(): unknown }>(thing: T): T => mine.own(thing);

  beforeEach(async () => {
    await null;
    mine = new Belongings();
  });

  afterEach(() => mine.close());

  it('floods: what is over the rate is dropped or cut to the size of the question', async () => {
    const server = own(await Server.start({ rate: 20 }));
    const client = own(new UdpClient(server.port));
    const asked = query(FQDN, { size: 1232 });
    const started = performance.now();
    for (let i = 0; i < 200; i++) await client.send(asked);
    const total = (): number =>
      ['answered', 'truncated', 'dropped'].reduce((sum, key) => sum + (server.counts.get(key) ?? 0), 0);
    await eventually(() => total() === 200, 'all to arrive');
    const answered = server.counts.get('answered') ?? 0;
    const most = 21 + ((performance.now() - started) / 1000) * 20;
    assert.ok(answered >= 20 && answered <= most, `${answered} answered`);
    await eventually(
      () => client.received.length === answered + (server.counts.get('truncated') ?? 0),
      'what was sent',
    );
    const cut = client.received.filter((message) => (message[2]! & 2) !== 0);
    assert.equal(cut.length, server.counts.get('truncated'));
    assert.ok(cut.every(({ length }) => length <= asked.length));
    assert.ok((server.counts.get('dropped') ?? 0) >= cut.length);
  });

  it('floods over TCP by closing the connection', async () => {
    const server = own(await Server.start({ rate: 20 }));
    const client = await mine.overTcp(server.port);
    client.send(...Array.from({ length: 200 }, (_, id) => query(FQDN, { id })));
    await eventually(() => client.isClosed, 'the connection to be closed');
    assert.ok(client.replies.length < 200);
  });

  it('connections, of one client and of all', async () => {
    const tcpLimits = { ...DEFAULT_TCP_LIMITS, connectionsPerClient: 3 };
    const server = own(await Server.start({ tcpLimits }));
    const clients = await Promise.all([1, 2, 3, 4].map(() => mine.overTcp(server.port)));
    for (const client of clients) client.send(query(FQDN));
    await eventually(() => clients.filter(({ replies }) => replies.length === 1).length === 3, 'three to be served');
    await eventually(() => clients.filter(({ isClosed }) => isClosed).length === 1, 'the fourth to be closed');
  });

  it('silence and single bytes on a connection', async () => {
    const server = own(await Server.start({ tcpLimits: { ...DEFAULT_TCP_LIMITS, idleTimeoutMs: 150 } }));
    const silent = await mine.overTcp(server.port);
    const slow = await mine.overTcp(server.port);
    slow.socket.write(Uint8Array.of(0, 255));
    const drip = setInterval(() => slow.socket.write('\0'), 20);
    own({ close: () => clearInterval(drip) });
    await eventually(() => silent.isClosed && slow.isClosed, 'both to be closed');
  });

  it('queries of one connection under way: it is not read on until one is answered', async () => {
    const resolver = own(await FakeResolver.start(() => null));
    const server = own(await Server.with(resolver, { tcpLimits: { ...DEFAULT_TCP_LIMITS, inFlight: 4 } }));
    const client = await mine.overTcp(server.port);
    client.send(...Array.from({ length: 10 }, (_, id) => query(`n${id}.test`, { id })));
    await eventually(() => resolver.seen.length >= 4, 'four questions');
    const other = own(new UdpClient(server.port));
    await other.ask(query(FQDN));
    assert.equal(resolver.seen.length, 4);
    resolver.script = answering('192.0.2.1');
    await eventually(() => client.replies.length === 10, 'all ten to be answered', 6000);
  });

  it('questions under way at resolvers: a connection is read on after those that are refused for it', async () => {
    const resolver = own(await FakeResolver.start(() => null));
    const forwardLimits = { ...IMPATIENT, totalTimeoutMs: 60_000, tryTimeoutMs: 60_000, inFlight: 0 };
    const tcpLimits = { ...DEFAULT_TCP_LIMITS, inFlight: 4 };
    const server = own(await Server.with(resolver, { tcpLimits, forwardLimits }));
    const client = await mine.overTcp(server.port);
    client.send(...Array.from({ length: 10 }, (_, id) => query(`n${id}.test`, { id })));
    await eventually(() => client.replies.length === 10, 'ten refusals');
    client.socket.end();
    await eventually(() => client.isClosed, 'nothing to be waited for');
  });

  it('questions of one client under way at resolvers, so that there is room for those of others', async () => {
    const resolver = own(await FakeResolver.start(() => null));
    const server = own(await Server.with(resolver, { forwardLimits: { ...IMPATIENT, perClient: 3 } }));
    const greedy = own(new UdpClient(server.port));
    for (let id = 1; id <= 5; id++) await greedy.send(query(`n${id}.test`, { id }));
    await eventually(() => greedy.received.length === 2, 'two to be turned away');
    resolver.script = answering('192.0.2.1');
    await eventually(() => greedy.received.length === 5, 'the others to be answered', 3000);
    assert.equal((await greedy.ask(query('n6.test'))).rcode, 'NOERROR');
  });

  it('a reader that does not read', async () => {
    const server = own(await Server.start({ tcpLimits: { ...DEFAULT_TCP_LIMITS, unsentBytes: 20_000 } }));
    const socket = connect(server.port, '127.0.0.1');
    own({ close: () => socket.destroy() });
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.pause();
    const batch = Buffer.concat(
      Array.from({ length: 300 }, () => Buffer.concat([Buffer.from([0, 27]), query('many.shop')])),
    );
    const pump = (): void => {
      while (!socket.destroyed && socket.write(batch));
      if (!socket.destroyed) socket.once('drain', pump);
    };
    pump();
    await closed;
  });

  it('what may follow a length: no more than a query needs', async () => {
    const server = own(await Server.start());
    const client = await mine.overTcp(server.port);
    client.socket.write(Uint8Array.of(0xff, 0xff, 0));
    await eventually(() => client.isClosed, 'the connection to be closed');
    assert.equal(server.counts.get('dropped'), 1);
  });

  it('survives garbage and goes on', async () => {
    const server = own(await Server.start());
    const client = own(new UdpClient(server.port));
    for (const hex of ['', '00', 'ffffffffffffffffffffffff', '000001000001000000000000c00c00010001']) {
      await client.send(Buffer.from(hex, 'hex'));
    }
    const broken = await mine.overTcp(server.port);
    broken.socket.write(Buffer.from('0000ffff', 'hex'));
    const rude = await mine.overTcp(server.port);
    rude.socket.resetAndDestroy();
    await eventually(() => client.received.length >= 1, 'the answer to the loop');
    assert.equal(lines((await client.ask(query(FQDN, { id: 5 }))).answers).length, 1);
  });

  describe('cannot start', () => {
    it('where the port is taken over TCP or UDP: says so and what next', async () => {
      const server = own(await Server.start());
      const listen = { host: '127.0.0.1', port: server.port };
      await assert.rejects(
        Server.start({ listen }),
        /dns 127\.0\.0\.1:\d+: the port is taken \(choose another with --dns; ss -lunpt/,
      );
      const web = createServer().listen(0, '127.0.0.1');
      own({ close: () => new Promise((resolve) => web.close(resolve)) });
      await once(web, 'listening');
      const { port } = web.address() as { port: number };
      await assert.rejects(Server.start({ listen: { host: '127.0.0.1', port } }), /the port is taken/);
    });

    it('on an address that this host does not have', async () => {
      await assert.rejects(Server.start({ listen: { host: '192.0.2.1', port: 0 } }), /ip addr add 192\.0\.2\.1 dev lo/);
    });
  });
});
