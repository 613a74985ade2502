// `waypoint lockdown`: what it prints keeps everybody but the waypoint away, and says what it cannot keep away.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { parseAllDocuments } from 'yaml';
import { command } from './harness/command.ts';

const RESOURCES = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: shop}
spec:
  gatewayClassName: waypoint
  addresses: [{type: IPAddress, value: 10.0.0.5}, {type: IPAddress, value: "fd00::5"}]
  listeners: [{name: http, port: 15080, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec:
  gatewayClassName: waypoint
  addresses: [{type: IPAddress, value: 10.0.0.6}]
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: edge, namespace: shop}
spec: {parentRefs: [{name: edge}], rules: [{backendRefs: [{name: orders, port: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop, labels: {waypoint.dev/use-waypoint: gw}}
spec:
  selector: {app: orders, tier: back}
  ports:
  - {name: http, port: 80, targetPort: web}
  - {name: admin, port: 81, targetPort: 8081}
  - {name: sql, port: 5432, appProtocol: postgresql}
---
apiVersion: v1
kind: Service
metadata: {name: orders-direct, namespace: shop}
spec: {selector: {app: orders}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: catalog, namespace: books, labels: {waypoint.dev/use-waypoint: gw, waypoint.dev/use-waypoint-namespace: shop}}
spec: {selector: {app: catalog}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: legacy, namespace: shop, labels: {waypoint.dev/use-waypoint: gw}}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: out, namespace: shop}
spec: {selector: {app: out}, ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: orders-4, namespace: shop, labels: {kubernetes.io/service-name: orders}}
addressType: IPv4
ports: [{name: http, port: 8080}, {name: admin, port: 8081}]
endpoints: [{addresses: [10.1.0.9]}, {addresses: [10.1.0.10]}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: orders-6, namespace: shop, labels: {kubernetes.io/service-name: orders}}
addressType: IPv6
ports: [{name: http, port: 8080}]
endpoints: [{addresses: ["fd00:1::9"]}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: legacy, namespace: shop, labels: {kubernetes.io/service-name: legacy}}
addressType: IPv4
ports: [{port: 9000}]
endpoints: [{addresses: [10.9.0.1]}]
`;

interface Policy {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly podSelector: unknown; readonly policyTypes: string[]; readonly ingress: unknown[] };
}

function podsOf(name: string): unknown {
  return {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } },
    podSelector: { matchLabels: { 'gateway.networking.k8s.io/gateway-name': name } },
  };
}

describe('waypoint lockdown', function () {
  this.timeout(20_000);

  const printed = async (...flags: string[]): Promise<{ policies: Policy[]; stderr: string }> => {
    const { code, stdout, stderr } = await command(['lockdown', 'FILE', ...flags], RESOURCES);
    assert.equal(code, 0, stderr);
    return { policies: parseAllDocuments(stdout).map((document) => document.toJS() as Policy), stderr };
  };

  it('admits the waypoint to the ports of each workload, and nobody else', async () => {
    const { policies, stderr } = await printed();
    assert.deepEqual(
      policies.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
      ['books/waypoint-catalog', 'shop/waypoint-orders'],
    );
    assert.deepEqual(policies[1]?.spec, {
      podSelector: { matchLabels: { app: 'orders', tier: 'back' } },
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [podsOf('gw')],
          ports: [
            { protocol: 'TCP', port: 'web' },
            { protocol: 'TCP', port: 8081 },
          ],
        },
      ],
    });
    assert.match(stderr, /shop\/legacy has no selector/);
    assert.match(stderr, /shop\/orders: nobody will reach port 5432\/TCP/);
    assert.match(stderr, /shop\/orders: Gateway shop\/edge is refused: --allow-gateway shop\/edge/);
    assert.match(stderr, /shop\/orders: Service shop\/orders-direct selects its pods, too/);
    assert.doesNotMatch(stderr, /shop\/out/);
  });

  it('admits whom the flags name', async () => {
    const exceptions = ['--allow-probes', '10.0.0.0/16,10.9.9.9', '--allow-gateway', 'shop/edge'];
    const { policies, stderr } = await printed(...exceptions, '--allow-scrape', 'monitoring/app=prometheus+a/b=c:9090');
    const ports = [{ protocol: 'TCP', port: 80 }];
    assert.deepEqual(policies[0]?.spec.ingress, [
      { from: [podsOf('gw'), podsOf('edge')], ports },
      { from: [{ ipBlock: { cidr: '10.0.0.0/16' } }, { ipBlock: { cidr: '10.9.9.9/32' } }], ports },
      {
        from: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } },
            podSelector: { matchLabels: { app: 'prometheus', 'a/b': 'c' } },
          },
        ],
        ports: [{ protocol: 'TCP', port: 9090 }],
      },
    ]);
    assert.doesNotMatch(stderr, /shop\/edge/);
  });

  it('prints the same whatever the order of the resources', async () => {
    const documents = RESOURCES.split('---\n');
    const [first, second] = await Promise.all([
      command(['lockdown', 'FILE'], RESOURCES),
      command(['lockdown', 'FILE'], documents.toReversed().join('\n---\n')),
    ]);
    assert.equal(first.stdout, second.stdout);
  });

  it('prints an nftables ruleset that loads', async () => {
    const { code, stdout, stderr } = await command(['lockdown', 'FILE', '--format', 'nftables'], RESOURCES);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /10\.1\.0\.9 \. 8080,\n\s+10\.1\.0\.9 \. 8081,\n\s+10\.9\.0\.1 \. 9000/);
    assert.match(stdout, /fd00:1::9 \. 8080\n/);
    assert.match(stdout, /ip daddr \. tcp dport @workloads_1_ipv4 ip saddr != @waypoint_1_ipv4/);
    assert.match(stdout, /ip6 daddr \. tcp dport @workloads_1_ipv6 ip6 saddr != @waypoint_1_ipv6/);
    assert.match(stderr, /books\/catalog has no endpoints/);
    if (spawnSync('nft', ['--version']).status !== 0 || process.getuid?.() !== 0) {
      process.stderr.write('    nft is not installed, or this is not root: the ruleset is not tried\n');
      return;
    }
    const checked = spawnSync('nft', ['-c', '-f', '-'], { input: stdout, encoding: 'utf8' });
    assert.equal(checked.status, 0, checked.stderr);
  });

  it('asks for the address of a waypoint that has none of its own', async () => {
    const anywhere = RESOURCES.replace('value: 10.0.0.5}, {type: IPAddress, value: "fd00::5"}', 'value: 0.0.0.0}');
    const { code, stderr } = await command(['lockdown', 'FILE', '--format', 'nftables'], anywhere);
    assert.equal(code, 1);
    assert.match(stderr, /Gateway shop\/gw has no address.*--waypoint-address/);
    const flags = ['--format', 'nftables', '--waypoint-address', '10.7.0.0/24', '--allow-probes', '10.8.0.1'];
    const named = await command(['lockdown', 'FILE', ...flags], anywhere);
    assert.equal(named.code, 0);
    assert.match(named.stdout, /10\.7\.0\.0\/24,\n\s+10\.8\.0\.1\n/);
    // IPv6 endpoints stay closed to everybody: no source of that family is named.
    assert.match(named.stdout, /ip6 daddr \. tcp dport @workloads_1_ipv6 counter reject/);
  });

  const refused: [name: string, args: string[], code: number, message: RegExp][] = [
    ['no resources', ['lockdown'], 2, /no file or directory/],
    [
      'a scrape without a port',
      ['lockdown', 'FILE', '--allow-scrape', 'a/b=c'],
      2,
      /must be namespace\/label=value:port/,
    ],
    [
      'pods in nftables',
      ['lockdown', 'FILE', '--format', 'nftables', '--allow-scrape', 'a/b=c:1'],
      2,
      /nftables does not know/,
    ],
  ];
  for (const [name, args, code, message] of refused) {
    it(`refuses ${name}`, async () => {
      const ran = await command(args, RESOURCES);
      assert.equal(ran.code, code);
      assert.match(ran.stderr, message);
      assert.equal(ran.stdout, '');
    });
  }

  it('says that nothing is enrolled', async () => {
    const { code, stderr } = await command(
      ['lockdown', 'FILE'],
      RESOURCES.replaceAll('use-waypoint: gw', 'use-waypoint: none'),
    );
    assert.equal(code, 1);
    assert.match(stderr, /no Service is enrolled/);
  });
});
