// A waypoint that is reached by name: its DNS server follows the resources, and what it says leads to the Service.

import assert from 'node:assert/strict';
import { Resolver } from 'node:dns/promises';
import { run } from '../../waypoint/main.ts';
import { call } from '../harness/call.ts';
import { answering, FakeResolver, TcpClient } from '../harness/dns.ts';
import { gateway, type Manifest, service } from '../harness/manifests.ts';
import { freePort } from '../harness/ports.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';
import { Waypoint } from '../harness/waypoint.ts';

const USE = { 'waypoint.dev/use-waypoint': 'shop' };
const NET = `127.${130 + (process.pid % 60)}.${process.pid % 250}`;

describe('a waypoint with a DNS server', () => {
  let waypoint: Waypoint;
  let backend: ScriptedBackend;
  let resolver: FakeResolver;
  let port: number;
  let shared: number;
  const client = new Resolver({ timeout: 2000, tries: 1 });

  const objects = (names: readonly string[]): readonly Manifest[] => [
    gateway('shop', [{ port: shared }]),
    ...names.flatMap((name, at) => {
      const clusterIP = name.startsWith('plain') ? {} : { clusterIP: `${NET}.${at + 1}` };
      return service({ name, port, endpoints: [backend.port], labels: USE, ...clusterIP });
    }),
  ];

  before(async () => {
    backend = await ScriptedBackend.start();
    resolver = await FakeResolver.start();
    port = await freePort(`${NET}.1`);
    shared = await freePort();
    const dns = { host: '127.0.0.1', port: 0 };
    const settings = { dns, dnsUpstream: [{ host: resolver.host, port: resolver.port }] };
    waypoint = await Waypoint.start({ 'shop.yaml': objects(['orders', 'plain']) }, settings);
    client.setServers([waypoint.running.dns as string]);
  });

  after(async () => {
    await waypoint.close();
    await backend.close();
    await resolver.close();
  });

  it('leads to the address of a Service, where the Service answers', async () => {
    const [address] = await client.resolve4('orders.default.svc.cluster.local');
    assert.equal(address, `${NET}.1`);
    assert.equal((await call(port, { path: '/', host: 'orders' }, address)).status, 200);
  });

  it('leads to the port that a name says', async () => {
    const [found] = await client.resolveSrv('_p0._tcp.plain.default.svc.cluster.local');
    const [address] = await client.resolve4(found!.name);
    assert.deepEqual([found!.port, address], [shared, '127.0.0.1']);
    assert.equal((await call(found!.port, { path: '/', host: found!.name }, address)).status, 200);
  });

  it('asks others for other names', async () => {
    resolver.script = answering('192.0.2.7');
    assert.deepEqual(await client.resolve4('example.com'), ['192.0.2.7']);
  });

  it('follows the resources on connections that live', async () => {
    const live = new TcpClient(Number(waypoint.running.dns!.split(':')[1]));
    await waypoint.apply('shop.yaml', objects(['other', 'orders']));
    await eventually(async () => (await client.resolve4('orders')).includes(`${NET}.2`), 'the new address');
    assert.deepEqual(await client.resolve4('other'), [`${NET}.1`]);
    resolver.script = answering('192.0.2.7');
    assert.deepEqual(await client.resolve4('plain.default.svc.cluster.local'), ['192.0.2.7'], 'enrolled no longer');
    assert.equal(live.isClosed, false);
    live.socket.destroy();
  });

  it('counts what it did', async () => {
    const { body } = await waypoint.admin('/metrics');
    const count = (name: string, reason: string): number =>
      Number(new RegExp(`^waypoint_${name}_total\\{reason="${reason}"\\} (\\d+)$`, 'm').exec(body)?.[1] ?? 0);
    assert.ok(count('dns_queries', 'answered') >= 5);
    assert.ok(count('dns_queries', 'forwarded') >= 2);
    assert.ok(count('dns_forwards', 'answered') >= 2);
  });

  it('does not start where its port is taken, and leaves nothing open', async () => {
    const [host = '', taken] = waypoint.running.dns!.split(':');
    const options = { ...(await defaults()), dns: { host, port: Number(taken) } };
    await assert.rejects(run(options), /dns 127\.0\.0\.1:\d+: the port is taken \(choose another with --dns/);
  });

  async function defaults(): Promise<Parameters<typeof run>[0]> {
    const { parseRunOptions } = await import('../../waypoint/config.ts');
    const parsed = parseRunOptions(['--config', waypoint.dir, '--admin', '127.0.0.1:0', '--workers', '1'], {});
    if ('errors' in parsed) throw new Error(parsed.errors.join());
    return parsed.options;
  }
});
