// What clients of every sort are answered from the names of enrolled Services, on real sockets.

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { createLog } from '../waypoint/ops/log.ts';
import { NameServer } from '../waypoint/redirect/dns/name-server.ts';
import { FakeResolver, lines, query, UdpClient } from './harness/dns.ts';
import { Belongings, FQDN, MANY, ORDERS, Server } from './harness/dns-server.ts';
import { eventually } from './harness/signal.ts';

describe('the DNS server answers', () => {
  let mine: Belongings;
  const own = <T extends { close(): unknown }>(thing: T): T => mine.own(thing);

  beforeEach(async () => {
    await null;
    mine = new Belongings();
  });

  afterEach(() => mine.close());

  it("Node's resolver, in every form of a name and every type", async () => {
    const server = own(await Server.start());
    const resolver = new Resolver({ timeout: 2000, tries: 1 });
    resolver.setServers([`127.0.0.1:${server.port}`]);
    for (const name of [FQDN, 'orders.shop.svc', 'orders.shop', 'ORDERS.Shop']) {
      assert.deepEqual(await resolver.resolve4(name, { ttl: true }), [{ address: '127.0.10.2', ttl: 5 }], name);
    }
    await assert.rejects(resolver.resolve6(FQDN), { code: 'ENODATA' });
    await assert.rejects(resolver.resolve4(`nobody.${FQDN}`), { code: 'ENOTFOUND' });
    await assert.rejects(resolver.resolve4('example.com'), { code: 'EREFUSED' });
    assert.deepEqual(await resolver.resolveSrv(`_http._tcp.${FQDN}`), [
      { type: 'SRV', name: FQDN, port: 8880, priority: 0, weight: 100 },
    ]);
    assert.deepEqual(await resolver.reverse('127.0.10.2'), [FQDN]);
    // Longer than a packet: asked again over TCP.
    assert.equal((await resolver.resolve4('many.shop')).length, 60);
    assert.equal(server.counts.get('answered'), 8);
  });

  it('dig, with EDNS, over TCP, in the letters of the question', async function () {
    if (spawnSync('dig', ['-v']).status !== 0) {
      process.stderr.write('      dig is not installed: it is not asked (apt-get install bind9-dnsutils)\n');
      this.skip();
    }
    const server = own(await Server.start());
    const { stdout } = await dig(server.port, 'OrDeRs.ShOp', '+qr', '+bufsize=4096');
    assert.match(stdout, /^OrDeRs\.ShOp\.\s+5\s+IN\s+A\s+127\.0\.10\.2$/m);
    assert.match(stdout, /EDNS: version: 0, flags:; udp: 1232/);
    assert.match((await dig(server.port, 'orders.shop', '+noedns')).stdout, /status: NOERROR.*\n.*ADDITIONAL: 0/);
    assert.match((await dig(server.port, 'orders.shop', '+tcp', '+keepopen', 'many.shop')).stdout, /ANSWER: 60/);
    assert.match((await dig(server.port, 'orders.shop', '+edns=1', '+noednsneg')).stdout, /status: BADVERS/);
    assert.match((await dig(server.port, 'orders.shop', '+opcode=4')).stdout, /status: NOTIMP/);
    assert.match((await dig(server.port, 'version.bind', 'CH', 'TXT')).stdout, /status: REFUSED/);
    assert.match((await dig(server.port, 'orders.shop', 'ANY', '+notcp')).stdout, /HINFO\s+"RFC8482" ""/);
    assert.match((await dig(server.port, 'orders.shop', 'AXFR')).stdout, /Transfer failed/);
  });

  it('negatively with an SOA record that says for how long', async () => {
    const server = own(await Server.start());
    const client = own(new UdpClient(server.port));
    const nodata = await client.ask(query(FQDN, { type: 'AAAA' }));
    assert.equal(nodata.rcode, 'NOERROR');
    assert.ok(nodata.flag_aa);
    const [soa] = nodata.authorities as unknown as { name: string; ttl: number; data: { minimum: number } }[];
    assert.deepEqual([soa?.name, soa?.ttl, soa?.data.minimum], ['cluster.local', 5, 5]);
    const nxdomain = await client.ask(query(`x.${FQDN}`));
    assert.deepEqual([nxdomain.rcode, nxdomain.authorities?.length, nxdomain.answers?.length], ['NXDOMAIN', 1, 0]);
  });

  it('within what the client takes, else with TC', async () => {
    const server = own(await Server.start());
    const client = own(new UdpClient(server.port));
    const sizes: readonly (readonly [size: number | null, least: number])[] = [
      [null, 512],
      [1, 512],
      [511, 512],
      [600, 600],
      [1232, 1232],
      [65_535, 1232],
    ];
    for (const [size, most] of sizes) {
      // One Service with as many addresses as fit, and one with one more.
      const fixed = 12 + 'many.shop'.length + 2 + 4 + (size === null ? 0 : 11);
      const each = 'many.shop'.length + 2 + 14;
      const fit = Math.floor((most - fixed) / each);
      for (const [count, isCut] of [
        [fit, false],
        [fit + 1, true],
      ] as const) {
        server.publish([{ ...MANY, vips: MANY.vips.slice(0, count) }]);
        const { flag_tc, answers, questions } = await client.ask(query('many.shop', { size }));
        assert.deepEqual([flag_tc, answers?.length], [isCut, isCut ? 0 : count], `${size}: ${count}`);
        assert.equal(questions?.[0]?.name, 'many.shop');
      }
    }
  });

  it('many queries on one connection, whole, in pieces and all at once', async () => {
    const server = own(await Server.start());
    const client = await mine.overTcp(server.port);
    const ids = Array.from({ length: 500 }, (_, id) => id);
    client.send(...ids.map((id) => query(id % 2 === 0 ? FQDN : 'many.shop', { id })));
    await eventually(() => client.replies.length === 500, 'all answers');
    assert.deepEqual(
      client.replies.map(({ id }) => id).sort((a, b) => a! - b!),
      ids,
    );
    const piecemeal = query(FQDN, { id: 999 });
    for (const byte of [0, piecemeal.length, ...piecemeal]) client.socket.write(Uint8Array.of(byte));
    await eventually(() => client.replies.at(-1)?.id === 999, 'the answer to single bytes');
  });

  it('what was asked before the client ended its side, then ends', async () => {
    const resolver = own(await FakeResolver.start());
    const server = own(await Server.with(resolver));
    const client = await mine.overTcp(server.port);
    client.send(query(FQDN, { id: 1 }), query('example.com', { id: 2 }));
    client.socket.end();
    await once(client.socket, 'close');
    assert.deepEqual(
      client.replies.map(({ id }) => id),
      [1, 2],
    );
  });

  it('nobody before it knows any name', async () => {
    const resolver = own(await FakeResolver.start());
    const server: NameServer = own(
      new NameServer({
        ...{ listen: { host: '127.0.0.1', port: 0 }, flag: '--dns', upstream: [resolver], clients: [], rate: 100 },
        ...{ log: createLog('error'), count: () => {} },
      }),
    );
    await server.listen();
    const client = own(new UdpClient(Number(server.address.split(':')[1])));
    assert.equal((await client.ask(query(FQDN))).rcode, 'SERVFAIL');
    assert.equal((await client.ask(query('example.com'))).rcode, 'SERVFAIL');
    assert.equal(resolver.seen.length, 0);
  });

  it('from the names published last', async () => {
    const server = own(await Server.start());
    const client = own(new UdpClient(server.port));
    server.publish([{ ...ORDERS, vips: ['127.0.10.9'] }]);
    assert.deepEqual(lines((await client.ask(query(FQDN))).answers), [`${FQDN} A 127.0.10.9`]);
    server.publish([]);
    assert.equal((await client.ask(query(FQDN))).rcode, 'NXDOMAIN');
  });

  it('over IPv6', async () => {
    const server = own(await Server.start({ listen: { host: '::1', port: 0 } }));
    const resolver = new Resolver({ timeout: 2000, tries: 1 });
    resolver.setServers([`[::1]:${server.port}`]);
    assert.deepEqual(await resolver.resolve4(FQDN), ['127.0.10.2']);
  });
});

async function dig(port: number, ...args: readonly string[]): Promise<{ stdout: string }> {
  const all = ['@127.0.0.1', '-p', String(port), '+tries=1', '+time=2', ...args];
  return new Promise((resolve) =>
    execFile('dig', all, (_error, stdout, stderr) => resolve({ stdout: stdout + stderr })),
  );
}
