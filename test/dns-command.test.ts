// `waypoint dns` as a process: it answers, follows its files, ends; and prints what other servers understand.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { call } from './harness/call.ts';
import { freePort } from './harness/ports.ts';
import { eventually } from './harness/signal.ts';

const ROOT = join(import.meta.dirname, '..');
const BIN = join(ROOT, 'waypoint/cli/bin.js');
const FQDN = 'orders.shop.svc.cluster.local';

describe('waypoint dns', function () {
  this.timeout(20_000);
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'waypoint-dns-'));
    cpSync(join(ROOT, 'manifests/demo'), join(folder, 'demo'), { recursive: true });
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it('answers, follows its files, and ends with SIGTERM', async () => {
    const [port, admin] = [await freePort(), await freePort()];
    const child = start(['--listen', `127.0.0.1:${port}`, '--admin', `127.0.0.1:${admin}`, '--dns-upstream', 'none']);
    try {
      const client = new Resolver({ timeout: 1000, tries: 1 });
      client.setServers([`127.0.0.1:${port}`]);
      const address = async (): Promise<string> => (await client.resolve4(FQDN).catch(() => [])).join();
      await eventually(async () => (await address()) === '127.0.10.2', 'the name to be known', 10_000);
      const file = join(folder, 'demo/services.yaml');
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll('127.0.10.2\n', '127.0.10.92\n'));
      await eventually(async () => (await address()) === '127.0.10.92', 'the new address');
      await assert.rejects(client.resolve4('unknown.shop.svc.cluster.local'), { code: 'ENOTFOUND' });
      const page = await call(admin, { path: '/metrics', host: `127.0.0.1:${admin}` });
      assert.match(page.body, /waypoint_dns_queries_total\{reason="nxdomain"\} 1/);
      assert.equal((await call(admin, { path: '/ready', host: `127.0.0.1:${admin}` })).status, 200);
      const taken = run(['--listen', `127.0.0.1:${port}`]);
      assert.equal(taken.status, 1);
      assert.match(taken.stderr, /dns 127\.0\.0\.1:\d+: the port is taken \(choose another with --listen/);
    } finally {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    assert.equal(child.exitCode, 0);
  });

  const mistakes: readonly (readonly [args: readonly string[], expected: RegExp])[] = [
    [[], /--config is missing/],
    [['--config', 'x', 'y'], /unexpected argument 'y'/],
    [['--config', 'x', '--dns-upstream', 'dns.example.com'], /--dns-upstream must be an IP address/],
    [['--config', 'x', '--dns-clients', 'everybody'], /--dns-clients must be addresses or CIDRs/],
    [['--config', 'x', '--print', 'bind'], /--print must be one of coredns, hosts, dnsmasq/],
    [['--config', 'x', '--listen', '53'], /--listen must be host:port/],
  ];
  for (const [args, expected] of mistakes) {
    it(`refuses ${args.join(' ') || 'nothing'}`, () => {
      const { status, stderr } = spawnSync(process.execPath, [BIN, 'dns', ...args], { encoding: 'utf8' });
      assert.equal(status, 2);
      assert.match(stderr, expected);
    });
  }

  it('says what to do about a port that needs a right', function () {
    const isRoot = process.getuid?.() === 0;
    const free = readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8');
    if (Number(free) <= 53) {
      process.stderr.write('    port 53 is open to everybody here: its refusal is not tried\n');
      this.skip();
    }
    const nobody = isRoot ? { uid: 65_534, gid: 65_534 } : {};
    if (spawnSync(process.execPath, [BIN, 'version'], nobody).status !== 0) {
      process.stderr.write('    nobody may not read this working copy: port 53 is not tried\n');
      this.skip();
    }
    const args = ['dns', '--config', join(folder, 'none'), '--listen', '127.0.0.1:53'];
    const { status, stderr } = spawnSync(process.execPath, [BIN, ...args], { encoding: 'utf8', ...nobody });
    assert.equal(status, 1);
    assert.match(stderr, /dns 127\.0\.0\.1:53: ports below 1024 need a right .*ip_unprivileged_port_start=53/);
  });

  it('prints its flags', () => {
    const { stdout, status } = spawnSync(process.execPath, [BIN, 'dns', '--help'], { encoding: 'utf8' });
    assert.equal(status, 0);
    assert.match(stdout, /--print coredns\|hosts\|dnsmasq/);
    assert.match(stdout, /--dns-upstream ip\[:port\]\|none/);
  });

  it('prints lines for /etc/hosts', () => {
    const { stdout, status } = run(['--print', 'hosts']);
    assert.equal(status, 0);
    assert.match(
      stdout,
      /^127\.0\.10\.3 payments\.shop\.svc\.cluster\.local payments\.shop\.svc payments\.shop payments$/m,
    );
  });

  it('prints a snippet for CoreDNS: addresses that leave nothing to the plugins behind, and ports', () => {
    const { stdout } = run(['--print', 'coredns', '--cluster-domain', 'k8s.test']);
    const [hosts] = /^hosts \{\n(?: {4}[\d.]+( [\w.]+){4}\n)+ {4}ttl 5\n {4}fallthrough\n\}$/m.exec(stdout) ?? [];
    assert.match(hosts ?? '', /^ {4}127\.0\.10\.3 payments\.shop\.svc\.k8s\.test /m);
    const template = /match "(.*payments.*)"\n {4}answer "(.*)"/.exec(stdout);
    assert.equal(template?.[2], '{{ .Name }} 5 IN SRV 0 100 8880 payments.shop.svc.k8s.test.');
    const pattern = new RegExp(template![1]!.replace('(?i)', ''), 'i');
    for (const name of ['payments.shop.svc.k8s.test.', 'Payments.shop.', 'payments.'])
      assert.match(`_http._tcp.${name}`, pattern);
    for (const name of ['x_http._tcp.payments.', '_http._tcp.paymentsXshop.', '_http._tcp.payments']) {
      assert.doesNotMatch(name, pattern);
    }
  });

  it('prints a file for dnsmasq, which answers with it', async function () {
    const { stdout } = run(['--print', 'dnsmasq']);
    assert.match(stdout, /^local=\/payments\.shop\/\naddress=\/payments\.shop\/127\.0\.10\.3$/m);
    assert.match(stdout, /^ptr-record=3\.10\.0\.127\.in-addr\.arpa,payments\.shop\.svc\.cluster\.local$/m);
    if (spawnSync('dnsmasq', ['--version']).status !== 0) {
      process.stderr.write('    dnsmasq is not installed: it is not asked (apt-get install dnsmasq-base)\n');
      this.skip();
    }
    const port = await freePort();
    const file = join(folder, 'dnsmasq.conf');
    writeFileSync(file, stdout);
    const flags = ['--listen-address=127.0.0.1', '--bind-interfaces', '--no-resolv', '--no-hosts', '--pid-file='];
    const child = spawn('dnsmasq', ['-k', `--conf-file=${file}`, `--port=${port}`, ...flags], { stdio: 'ignore' });
    try {
      const client = new Resolver({ timeout: 1000, tries: 1 });
      client.setServers([`127.0.0.1:${port}`]);
      const address = (): Promise<string> => client.resolve4('payments.shop').then(String, () => '');
      await eventually(async () => (await address()) === '127.0.10.3', 'dnsmasq to answer');
      const full = 'payments.shop.svc.cluster.local';
      assert.deepEqual(await client.reverse('127.0.10.3'), [full]);
      const [found] = await client.resolveSrv(`_http._tcp.${full}`);
      assert.deepEqual([found?.name, found?.port], [full, 8880]);
      await assert.rejects(client.resolve6(full), { code: 'ENODATA' });
    } finally {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
  });

  function run(args: readonly string[]): ReturnType<typeof spawnSync> & { stdout: string; stderr: string } {
    return spawnSync(process.execPath, [BIN, 'dns', '--config', join(folder, 'demo'), ...args], { encoding: 'utf8' });
  }

  function start(args: readonly string[]): ChildProcess {
    return spawn(process.execPath, [BIN, 'dns', '--config', join(folder, 'demo'), ...args], { stdio: 'ignore' });
  }
});
