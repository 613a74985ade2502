// Names that are not ours: asked elsewhere, for whom, how often, and what is believed.

import assert from 'node:assert/strict';
import { Resolver } from 'node:dns/promises';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { answering, FakeResolver, lines, query, reply, UdpClient } from './harness/dns.ts';
import { Belongings, FQDN, IMPATIENT, Server } from './harness/dns-server.ts';
import { eventually } from './harness/signal.ts';

describe('the DNS server forwards', () => {
  let mine: Belongings;
  const own = <T extends { close(): unknown }>(thing: T): T => mine.own(thing);

  beforeEach(async () => {
    await null;
    mine = new Belongings();
  });

  afterEach(() => mine.close());

  it('other names with a number, a port and a socket of their own, and gives back the question as it was', async () => {
    const resolver = own(await FakeResolver.start());
    const server = own(await Server.with(resolver));
    const client = own(new UdpClient(server.port));
    for (let id = 1; id <= 8; id++) {
      const answer = await client.ask(query('wWw.Example.COM', { id, size: id % 2 === 0 ? 1232 : null }));
      assert.deepEqual([answer.id, answer.questions?.[0]?.name], [id, 'wWw.Example.COM']);
      assert.deepEqual(lines(answer.answers), ['wWw.Example.COM A 192.0.2.1']);
    }
    assert.equal(new Set(resolver.seen.map(({ id }) => id)).size > 6, true);
    assert.equal(new Set(resolver.seen.map(({ from }) => from)).size > 4, true);
    assert.equal(server.counts.get('forwarded'), 8);
    assert.equal(server.counts.get('upstream answered'), 8);
  });

  it('nothing of ours', async () => {
    const resolver = own(await FakeResolver.start());
    const server = own(await Server.with(resolver));
    const client = own(new UdpClient(server.port));
    for (const name of [FQDN, 'orders.shop', `x.${FQDN}`]) await client.ask(query(name, { type: 'AAAA' }));
    assert.deepEqual(resolver.seen, []);
    assert.equal((await client.ask(query('unknown.shop.svc.cluster.local'))).answers?.length, 1);
  });

  it('what only concerns client and server is not handed on: options, AD; RD and CD are', async () => {
    const seen: unknown[] = [];
    const resolver = own(await FakeResolver.start());
    resolver.script = (asked, transport) => {
      seen.push([asked.flag_rd, asked.flag_cd, asked.flag_ad, asked.additionals?.length, transport]);
      return answering('192.0.2.1')(asked, transport);
    };
    const server = own(await Server.with(resolver));
    const client = own(new UdpClient(server.port));
    await client.ask(query('a.test', { flags: 0x0120 }));
    await client.ask(query('a.test', { flags: 0x0010, size: 512, dnssec: true }));
    assert.deepEqual(seen, [
      [true, false, false, 0, 'udp'],
      [false, true, false, 1, 'udp'],
    ]);
  });

  it('to the next resolver when one is silent, and then to that one first', async () => {
    const silent = own(await FakeResolver.start(() => null));
    const well = own(await FakeResolver.start());
    const server = own(await Server.start({ upstream: [silent, well] }));
    const client = own(new UdpClient(server.port));
    const started = performance.now();
    assert.equal((await client.ask(query('a.test'))).rcode, 'NOERROR');
    const tookMs = performance.now() - started;
    assert.ok(tookMs >= 1950, `the first try lasts two seconds, not ${tookMs} ms`);
    assert.equal((await client.ask(query('b.test'))).rcode, 'NOERROR');
    assert.deepEqual([silent.seen.length, well.seen.length], [1, 2]);
    assert.equal(server.counts.get('upstream timeout'), 1);
  });

  it('to the next at once when nobody listens or one fails', async () => {
    const gone = await FakeResolver.start();
    await gone.close();
    const failing = own(await FakeResolver.start((asked) => reply(asked, { flags: 0x0182 })));
    const well = own(await FakeResolver.start());
    for (const first of [gone, failing]) {
      const server = own(await Server.start({ upstream: [first, well] }));
      const client = own(new UdpClient(server.port));
      assert.equal((await client.ask(query('a.test'))).rcode, 'NOERROR');
    }
    assert.equal(well.seen.length, 2);
  });

  it('and says what a resolver said, when no other knows better', async () => {
    const failing = own(await FakeResolver.start((asked) => reply(asked, { flags: 0x0185 })));
    const server = own(await Server.with(failing));
    const client = own(new UdpClient(server.port));
    assert.equal((await client.ask(query('a.test'))).rcode, 'REFUSED');
    assert.equal(failing.seen.length, 2);
  });

  it('SERVFAIL when nobody answers within the time limit; our own names are answered meanwhile', async () => {
    const silent = own(await FakeResolver.start(() => null));
    const server = own(await Server.with(silent));
    const client = own(new UdpClient(server.port));
    const other = own(new UdpClient(server.port));
    const late = client.ask(query('a.test', { id: 9 }));
    assert.equal((await other.ask(query(FQDN))).rcode, 'NOERROR');
    assert.equal(client.received.length, 0);
    const answer = await late;
    assert.deepEqual([answer.id, answer.rcode], [9, 'SERVFAIL']);
    assert.match(server.messages.join(''), /warn .*no answer from 127\.0\.0\.1:\d+.*--dns-upstream/);
    silent.script = answering('192.0.2.1');
    await client.ask(query('b.test'));
    assert.match(server.messages.join(''), /resolvers answer again/);
  });

  it('with a time limit for all tries together', async () => {
    const silent = own(await FakeResolver.start(() => null));
    const server = own(await Server.with(silent, { forwardLimits: { ...IMPATIENT, totalTimeoutMs: 250 } }));
    const client = own(new UdpClient(server.port));
    assert.equal((await client.ask(query('a.test'))).rcode, 'SERVFAIL');
    assert.equal(server.counts.get('upstream timeout'), 1, 'the second was cut short');
  });

  it('over TCP when the answer was cut', async () => {
    const resolver = own(await FakeResolver.start());
    resolver.script = (asked, transport) => {
      if (transport === 'udp') return reply(asked, { flags: 0x0380 });
      const { name } = asked.questions![0]!;
      const count = name.startsWith('large') ? 100 : 1;
      const answers = Array.from({ length: count }, (_, i) => ({
        name,
        type: 'A' as const,
        ttl: 1,
        data: `192.0.2.${i}`,
      }));
      return reply(asked, { answers });
    };
    const server = own(await Server.with(resolver));
    const client = own(new UdpClient(server.port));
    assert.equal((await client.ask(query('small.test'))).answers?.length, 1);
    const cut = await client.ask(query('large.test', { size: 1232 }));
    assert.deepEqual([cut.flag_tc, cut.answers?.length, cut.additionals?.length], [true, 0, 1]);
    const patient = await mine.overTcp(server.port);
    patient.send(query('large.test'));
    await eventually(() => patient.replies[0]?.answers?.length === 100, 'the long answer over TCP');
  });

  it('one question once, however many ask it', async () => {
    const resolver = own(await FakeResolver.start(() => null));
    const server = own(await Server.with(resolver));
    const clients = Array.from({ length: 20 }, () => own(new UdpClient(server.port)));
    const asked = clients.map((client, id) => client.ask(query(id % 2 === 0 ? 'a.test' : 'A.TEST', { id })));
    await eventually(() => resolver.seen.length === 1, 'the question to arrive');
    // The first try gets no answer; the second does.
    resolver.script = answering('192.0.2.1');
    const answers = await Promise.all(asked);
    assert.equal(resolver.seen.length, 2);
    for (const [id, answer] of answers.entries()) {
      assert.deepEqual([answer.id, answer.questions?.[0]?.name], [id, id % 2 === 0 ? 'a.test' : 'A.TEST']);
    }
  });

  it('and believes no answer to another question, with another number or damaged', async () => {
    const resolver = own(await FakeResolver.start());
    resolver.script = (asked) => {
      const right = answering('192.0.2.1')(asked, 'udp') as Buffer;
      const number = Buffer.from(right);
      number.writeUInt16BE((asked.id! + 1) & 0xffff, 0);
      const name = reply({ ...asked, questions: [{ name: 'evil.test', type: 'A' }] });
      const type = reply({ ...asked, questions: [{ name: 'a.test', type: 'AAAA' }] });
      const counts = Buffer.from(right);
      counts.writeUInt16BE(9, 6);
      return [number, name, type, counts, right.subarray(0, 11), Buffer.alloc(0), asked.id === 0 ? right : right];
    };
    const server = own(await Server.with(resolver));
    const client = own(new UdpClient(server.port));
    assert.deepEqual(lines((await client.ask(query('a.test'))).answers), ['a.test A 192.0.2.1']);
  });

  it('over TCP when somebody guesses', async () => {
    const resolver = own(await FakeResolver.start());
    resolver.script = (asked, transport) => {
      if (transport === 'tcp') return answering('192.0.2.1')(asked, transport);
      return Array.from({ length: 40 }, (_, i) => {
        const guess = answering('203.0.113.66')(asked, transport) as Buffer;
        guess.writeUInt16BE((asked.id! + 1 + i) & 0xffff, 0);
        return guess;
      });
    };
    const server = own(await Server.with(resolver));
    const client = own(new UdpClient(server.port));
    assert.deepEqual(lines((await client.ask(query('a.test'))).answers), ['a.test A 192.0.2.1']);
  });

  it('so many different questions at a time, then SERVFAIL', async () => {
    const resolver = own(await FakeResolver.start(() => null));
    const server = own(await Server.with(resolver, { forwardLimits: { ...IMPATIENT, inFlight: 3 } }));
    const client = own(new UdpClient(server.port));
    for (let i = 1; i <= 5; i++) await client.send(query(`n${i}.test`, { id: i }));
    await eventually(() => client.received.length === 2, 'two to be turned away');
    assert.equal(server.counts.get('upstream overflow'), 2);
    await eventually(() => client.received.length === 5, 'the others to give up');
  });

  it('never to itself, as a flag says', async () => {
    const taken = own(await Server.start());
    await taken.close();
    const listen = { host: '127.0.0.1', port: taken.port };
    await assert.rejects(Server.start({ listen, upstream: [listen] }), /is this very server: name another/);
    const everywhere = { host: '0.0.0.0', port: taken.port };
    await assert.rejects(Server.start({ listen: everywhere, upstream: [listen] }), /is this very server: name another/);
  });

  it('as resolv.conf says', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'waypoint-dns-'));
    own({ close: () => rmSync(folder, { recursive: true }) });
    const resolvConf = join(folder, 'resolv.conf');
    writeFileSync(resolvConf, 'search example.com\n');
    const server = own(await Server.start({ upstream: null, resolvConf }));
    const client = own(new UdpClient(server.port));
    assert.match(server.messages.join(''), /others are refused/);
    const alone = await client.ask(query('a.test'));
    assert.deepEqual([alone.rcode, alone.flag_ra], ['REFUSED', false]);
    writeFileSync(resolvConf, 'nameserver 127.255.255.253\n');
    const asked = async (): Promise<boolean> => (await client.ask(query(FQDN))).flag_ra;
    await eventually(asked, 'the file to be read again');
  });

  it('no question in a circle: it ends with SERVFAIL and no storm', async () => {
    const first = own(await FakeResolver.start());
    const server = own(await Server.with(first));
    const back = own(new UdpClient(server.port));
    // A resolver that asks us again what we asked it.
    first.script = (asked) => {
      void back.send(query(asked.questions![0]!.name, { id: asked.id! }));
      return null;
    };
    const client = own(new UdpClient(server.port));
    assert.equal((await client.ask(query('loop.test'))).rcode, 'SERVFAIL');
    assert.equal(first.seen.length, 2, 'two tries, however often it came round');
  });

  it('other names to those who may not ask; never ours', async () => {
    const resolver = own(await FakeResolver.start());
    // Loopback always may: the client comes from another of this host's addresses.
    const outside = outsideAddress();
    if (outside === null) {
      process.stderr.write('      this host has no address but loopback: strangers are not tried\n');
      return;
    }
    for (const [clients, expected] of [
      [[], 'REFUSED'],
      [[`${outside}/32`], 'NOERROR'],
    ] as const) {
      const server: Server = own(await Server.with(resolver, { listen: { host: outside, port: 0 }, clients }));
      const stranger = new Resolver({ timeout: 2000, tries: 1 });
      stranger.setServers([`${outside}:${server.port}`]);
      assert.deepEqual(await stranger.resolve4(FQDN), ['127.0.10.2']);
      const asked = stranger.resolve4('example.com');
      if (expected === 'REFUSED') await assert.rejects(asked, { code: 'EREFUSED' });
      else assert.deepEqual(await asked, ['192.0.2.1']);
      assert.equal(server.counts.get('refused') ?? 0, expected === 'REFUSED' ? 1 : 0);
    }
  });
});

function outsideAddress(): string | null {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? null;
}
