// Redirection without a cluster, on a network of hosts: by name, by address, without a way around, and for one client alone.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AccessLog, type LogEntry } from './harness/access-log.ts';
import { Network, whyNoNetwork } from './harness/network.ts';
import { eventually } from './harness/signal.ts';

const BIN = join(import.meta.dirname, '../waypoint/cli/bin.js');
const HOSTS = { waypoint: 2, client: 11, other: 12, first: 21, second: 22 };
const CLIENT = Network.address(HOSTS.client);
const WAYPOINT = Network.address(HOSTS.waypoint);
const ORDERS = '10.96.0.7';
const CATALOG = '10.96.0.8';

const RESOURCES = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: shop, namespace: shop}
spec:
  gatewayClassName: waypoint
  listeners: [{name: services, port: 80, protocol: HTTP}]
---
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop, labels: {waypoint.dev/use-waypoint: shop}}
spec: {clusterIP: ${ORDERS}, selector: {app: orders}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: catalog, namespace: shop, labels: {waypoint.dev/use-waypoint: shop}}
spec: {clusterIP: ${CATALOG}, selector: {app: catalog}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: orders, namespace: shop, labels: {kubernetes.io/service-name: orders}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints: [{addresses: [${Network.address(HOSTS.first)}]}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: catalog, namespace: shop, labels: {kubernetes.io/service-name: catalog}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints: [{addresses: [${Network.address(HOSTS.second)}]}]
---
# For clients of the namespace early alone, which is where the host "client" lives.
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: orders, namespace: early}
spec:
  parentRefs: [{group: "", kind: Service, name: orders, namespace: shop}]
  rules:
  - filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: x-early, value: "yes"}]}}]
    backendRefs: [{name: orders, namespace: shop, port: 80}]
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: early, namespace: shop}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: early}]
  to: [{group: "", kind: Service}]
`;

/** Says who it is and who came. */
const SERVER = `require('node:http').createServer((request, response) => {
  const { remoteAddress } = request.socket;
  response.end(JSON.stringify({ name: process.argv[1], from: remoteAddress, via: request.headers.via ?? '' }));
}).listen(8080, '0.0.0.0')`;

interface Answer {
  readonly name: string;
  readonly from: string;
  readonly via: string;
}

describe('redirection on a network', function () {
  this.timeout(60_000);
  let network: Network;
  let folder = '';
  const log = new AccessLog();

  before(async function () {
    const why = whyNoNetwork();
    if (why !== '') {
      process.stderr.write(`    skipped: ${why}\n`);
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'waypoint-netns-'));
    writeFileSync(join(folder, 'shop.yaml'), RESOURCES);
    network = new Network(HOSTS);
    for (const host of ['first', 'second']) network.start(host, [process.execPath, '-e', SERVER, host]);
    startWaypoint();
    for (const host of ['client', 'other']) {
      network.resolver(host, WAYPOINT);
      network.must(host, ['ip', 'route', 'add', '10.96.0.0/16', 'via', WAYPOINT]);
    }
    await eventually(() => curl('waypoint', 'http://127.0.0.1:15000/ready').code === 0, 'the waypoint', 20_000);
    for (const host of ['first', 'second']) {
      await eventually(() => curl('waypoint', direct(host)).code === 0, `${host} to serve`, 10_000);
    }
  });

  after(async () => {
    await network?.close();
    if (folder !== '') rmSync(folder, { recursive: true });
  });

  function startWaypoint(): void {
    const flags = ['--config', join(folder, 'shop.yaml'), '--bind', WAYPOINT, '--workers', '1', '--log-level', 'error'];
    const lead = ['--service-ports', '20000-29999', '--state-dir', join(folder, 'state'), '--dns', `${WAYPOINT}:53`];
    const namespaces = ['--client-namespaces', `${CLIENT}=early`];
    const child = network.start('waypoint', [process.execPath, BIN, 'run', ...flags, ...lead, ...namespaces]);
    child.stdout?.on('data', (chunk: Buffer) => log.add(chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => process.stderr.write(chunk));
  }

  function curl(host: string, url: string, ...more: string[]): { code: number | null; stdout: string } {
    return network.run(host, ['curl', '-s', '-m', '5', '--fail-with-body', ...more, url]);
  }

  function ask(host: string, url: string, ...more: string[]): Answer {
    const { code, stdout } = curl(host, url, ...more);
    assert.equal(code, 0, `${host}: ${url}: curl ${code}: ${stdout}`);
    return JSON.parse(stdout) as Answer;
  }

  function direct(host: 'first' | 'second' | string): string {
    return `http://${Network.address(HOSTS[host as keyof typeof HOSTS])}:8080/`;
  }

  /** What is allocated to it, as the waypoint says on its admin page. */
  function portOf(name: string): number {
    const { stdout } = curl('waypoint', 'http://127.0.0.1:15000/statuses');
    const text = JSON.stringify(JSON.parse(stdout)[`Service/shop/${name}`]);
    return Number(new RegExp(`port 80 at ${WAYPOINT}:(\\d+)`).exec(text)?.[1] ?? assert.fail(text));
  }

  /** As whoever redirects on the client's side would write it. */
  function redirect(host: string): void {
    const rules = [[ORDERS, portOf('orders')] as const, [CATALOG, portOf('catalog')] as const]
      .map(([vip, port]) => `ip daddr ${vip} tcp dport 80 dnat to ${WAYPOINT}:${port};`)
      .join('\n');
    const chain = `chain output { type nat hook output priority -100;\n${rules}\n}`;
    network.must(host, ['nft', '-f', '-'], `table ip cluster {\n${chain}\n}\n`);
  }

  async function logged(fits: (entry: LogEntry) => boolean): Promise<LogEntry> {
    return log.findOne(fits);
  }

  it('a client that asks our DNS reaches the waypoint by name', async () => {
    const answer = ask('other', 'http://orders.shop.svc.cluster.local/by-name');
    assert.deepEqual([answer.name, answer.from], ['first', WAYPOINT]);
    assert.match(answer.via, /waypoint-shop\.shop/);
    assert.equal(ask('other', 'http://catalog.shop/').name, 'second');
    // The name leads to the waypoint, which knows nothing of what is not enrolled.
    assert.match(
      network.must('other', ['getent', 'hosts', 'orders.shop.svc.cluster.local']),
      new RegExp(`^${WAYPOINT} `),
    );
  });

  it('addresses of Services lead there by nftables, whatever a request says', () => {
    assert.notEqual(curl('client', `http://${ORDERS}/`, '-m', '1').code, 0);
    redirect('client');
    const lie = ['-H', 'Host: catalog.shop'];
    assert.equal(ask('client', `http://${ORDERS}/`, ...lie).name, 'first');
    assert.equal(ask('client', `http://${CATALOG}/`, '-H', 'Host: orders.shop').name, 'second');
    assert.notEqual(curl('client', `http://${ORDERS}:81/`, '-m', '1').code, 0);
  });

  it('the waypoint sees the address of the client', async () => {
    ask('client', `http://${ORDERS}/seen`);
    const entry = await logged(({ path }) => path === '/seen');
    assert.deepEqual([entry['peer'], entry['service']], [CLIENT, 'shop/orders:80']);
  });

  it('a consumer route is for the clients of its namespace', () => {
    redirect('other');
    const early = (host: string): boolean => /^x-early: yes/m.test(curl(host, `http://${ORDERS}/`, '-i').stdout);
    assert.deepEqual([early('client'), early('other')], [true, false]);
  });

  it('an address that this host is given is served from then on', async () => {
    assert.equal(network.run('other', ['nft', 'delete', 'table', 'ip', 'cluster']).code, 0);
    network.must('waypoint', ['ip', 'addr', 'add', `${CATALOG}/32`, 'dev', 'lo']);
    await eventually(
      () => curl('other', `http://${CATALOG}/`, '-m', '1').code === 0,
      'the address to be served',
      15_000,
    );
    assert.equal(ask('other', `http://${CATALOG}/`, '-H', 'Host: orders.shop').name, 'second');
    network.must('waypoint', ['ip', 'addr', 'del', `${CATALOG}/32`, 'dev', 'lo']);
  });

  it('who goes around the waypoint is found, and refused once the workloads are locked down', async () => {
    const around = ask('client', direct('first'));
    assert.deepEqual([around.from, around.via], [CLIENT, '']);
    const verify = [process.execPath, BIN, 'verify', join(folder, 'shop.yaml'), '--bind', WAYPOINT, '--timeout', '1s'];
    const before = network.run('client', verify);
    assert.equal(before.code, 1, before.stderr);
    assert.match(before.stdout, /shop\/orders:80 +endpoint +10\.200\.0\.21:8080 +open/);
    assert.match(before.stdout, /shop\/orders:80 +address +10\.96\.0\.7:80 +waypoint/);
    const lockdown = [process.execPath, BIN, 'lockdown', join(folder, 'shop.yaml'), '--format', 'nftables'];
    const rules = network.must('client', [...lockdown, '--bind', WAYPOINT]);
    for (const host of ['first', 'second']) network.must(host, ['nft', '-f', '-'], rules);
    for (const host of ['first', 'second']) assert.equal(curl('client', direct(host)).code, 7, 'refused');
    assert.equal(ask('client', `http://${ORDERS}/`).name, 'first');
    assert.equal(ask('client', `http://${CATALOG}/`).name, 'second');
    const after = network.run('client', verify);
    assert.equal(after.code, 0, after.stdout + after.stderr);
    assert.match(after.stdout, /none around the waypoint/);
  });
});
