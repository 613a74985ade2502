// Listeners of protocol waypoint.dev/PROXY: who is believed, what a header tells, and which Service was dialled.

import assert from 'node:assert/strict';
import { proxyHeader } from '../../waypoint/redirect/proxy-header.ts';
import { type ProxyAddress, TLV_IDENTITY } from '../../waypoint/redirect/proxy-protocol.ts';
import { requestBytes } from '../harness/call.ts';
import { sentField } from '../harness/echoed.ts';
import { backendRef, gateway, gatewayClass, type Manifest, route, service } from '../harness/manifests.ts';
import { freePort } from '../harness/ports.ts';
import { RawClient } from '../harness/raw-client.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';
import { type Settings, Waypoint } from '../harness/waypoint.ts';

const CLIENT: ProxyAddress = { address: '10.1.2.3', port: 51_000 };
const ORDERS: ProxyAddress = { address: '10.96.0.7', port: 80 };
const CATALOG: ProxyAddress = { address: '10.96.0.8', port: 80 };
const ORDERS_V6: ProxyAddress = { address: 'fd00:96::7', port: 80 };
const STRANGER: ProxyAddress = { address: '10.96.0.9', port: 80 };
const CART = 'spiffe://cluster.local/ns/shop/sa/cart';
const LABELS = { 'waypoint.dev/use-waypoint': 'shop' };

class Proxied {
  readonly backends: ReadonlyMap<string, ScriptedBackend>;
  readonly waypoint: Waypoint;
  readonly port: number;

  private constructor(backends: ReadonlyMap<string, ScriptedBackend>, waypoint: Waypoint, port: number) {
    this.backends = backends;
    this.waypoint = waypoint;
    this.port = port;
  }

  static async start(objects: readonly Manifest[] = [], settings: Settings = {}): Promise<Proxied> {
    const backends = new Map<string, ScriptedBackend>();
    for (const name of ['orders', 'catalog', 'beta', 'edge']) {
      backends.set(name, await ScriptedBackend.start(undefined, name));
    }
    const port = await freePort();
    const waypoint = await Waypoint.start(
      { 'shop.yaml': [...manifests(backends, port), ...objects] },
      { proxyProtocolFrom: ['127.0.0.1'], ...settings },
    );
    return new Proxied(backends, waypoint, port);
  }

  /** Who answers a request behind these bytes; a number is a status of our own. */
  async ask(header: Buffer, host: string = 'lies.example'): Promise<string | number> {
    const client = await RawClient.connect(this.port);
    await client.send(Buffer.concat([header, Buffer.from(requestBytes({ host }), 'latin1')]));
    return this.answered(client);
  }

  async answered(client: RawClient): Promise<string | number> {
    const { status, body } = await client.response();
    if (status !== 200) return status;
    const { backend } = JSON.parse(body) as { backend: number };
    return [...this.backends.values()].find(({ port }) => port === backend)?.name ?? 'nobody';
  }

  async close(): Promise<void> {
    await this.waypoint.close();
    for (const backend of this.backends.values()) await backend.close();
  }
}

function manifests(backends: ReadonlyMap<string, ScriptedBackend>, port: number): Manifest[] {
  const endpoints = (name: string): number[] => [(backends.get(name) as ScriptedBackend).port];
  const [orders, ...slices] = service({ name: 'orders', labels: LABELS, endpoints: endpoints('orders') });
  const spec = { ...(orders!['spec'] as object), clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7', 'fd00:96::7'] };
  return [
    gatewayClass(),
    gateway('shop', [{ port, protocol: 'waypoint.dev/PROXY' }]),
    { ...orders!, spec },
    ...slices,
    ...service({ name: 'catalog', labels: LABELS, clusterIP: '10.96.0.8', endpoints: endpoints('catalog') }),
    ...service({ name: 'stranger', clusterIP: '10.96.0.9', endpoints: endpoints('catalog') }),
    ...service({ name: 'beta', endpoints: endpoints('beta') }),
    ...service({ name: 'edge', endpoints: endpoints('edge') }),
    route({
      name: 'edge',
      parents: ['shop'],
      hostnames: ['edge.example'],
      rules: [{ backendRefs: [backendRef('edge')] }],
    }),
    // For clients that live in this namespace, and in no other.
    route({
      name: 'beta',
      namespace: 'early',
      parents: [{ group: '', kind: 'Service', name: 'orders', namespace: 'default' }],
      rules: [{ backendRefs: [backendRef('beta', { namespace: 'default' })] }],
    }),
    {
      apiVersion: 'gateway.networking.k8s.io/v1beta1',
      kind: 'ReferenceGrant',
      metadata: { name: 'early', namespace: 'default' },
      spec: {
        from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'early' }],
        to: [{ group: '', kind: 'Service' }],
      },
    },
  ];
}

function identified(uri: string): Buffer {
  return proxyHeader(2, CLIENT, ORDERS, [{ type: TLV_IDENTITY, value: Buffer.from(uri) }]);
}

describe('listeners of protocol PROXY', () => {
  describe('from a trusted source', () => {
    let world: Proxied;
    before(async () => {
      world = await Proxied.start([], { clientNamespaces: [{ cidr: '10.7.0.0/16', namespace: 'early' }] });
    });
    after(async () => world.close());

    const rows: [name: string, header: Buffer, host: string, expected: string | number][] = [
      ['v1: the destination chooses the Service', proxyHeader(1, CLIENT, ORDERS, []), 'catalog.default', 'orders'],
      ['v2: the destination chooses the Service', proxyHeader(2, CLIENT, CATALOG, []), 'orders.default', 'catalog'],
      ['IPv6 of both families', proxyHeader(2, CLIENT, ORDERS_V6, []), 'lies.example', 'orders'],
      ['v1 with IPv6', proxyHeader(1, { ...CLIENT, address: 'fd00::1' }, ORDERS_V6, []), 'lies.example', 'orders'],
      ['a port that the Service has not', proxyHeader(2, CLIENT, { ...ORDERS, port: 81 }, []), 'orders.default', 404],
      ['a Service that is not enrolled', proxyHeader(2, CLIENT, STRANGER, []), 'orders.default', 404],
      ['LOCAL: nobody was dialled', proxyHeader(2, null, ORDERS, []), 'orders.default', 404],
      ['UNKNOWN: nobody was dialled', proxyHeader(1, null, ORDERS, []), 'orders.default', 404],
      ['another address: routes of the Gateway', proxyHeader(1, CLIENT, STRANGER, []), 'edge.example', 'edge'],
      [
        'an identity of the namespace of a consumer route',
        identified('spiffe://cluster.local/ns/early/sa/x'),
        'a.b',
        'beta',
      ],
      ['an identity of another namespace', identified(CART), 'a.b', 'orders'],
      ['a foreign trust domain', identified('spiffe://elsewhere/ns/early/sa/x'), 'a.b', 'orders'],
      ['an identity that is none', identified('https://cluster.local/ns/early/sa/x'), 'a.b', 'orders'],
      [
        'an address of the namespace of a consumer route',
        proxyHeader(1, { address: '10.7.1.1', port: 1 }, ORDERS, []),
        'a.b',
        'beta',
      ],
    ];
    for (const [name, header, host, expected] of rows) {
      it(`${name}: ${expected}`, async () => assert.equal(await world.ask(header, host), expected));
    }

    it('the client is who the header says', async () => {
      const client = await RawClient.connect(world.port);
      await client.send(
        Buffer.concat([identified(CART), Buffer.from(requestBytes({ fields: [['x-request-id', 'told']] }))]),
      );
      const answer = await client.response();
      assert.equal(sentField(answer, 'x-forwarded-for'), CLIENT.address);
      const { entries } = world.waypoint.log;
      await world.waypoint.log.findOne((entry) => entry['principal'] === CART);
      const entry = entries.find((each) => each['principal'] === CART);
      assert.deepEqual([entry?.['peer'], entry?.['peer_port']], [CLIENT.address, CLIENT.port]);
    });

    it('a header speaks for all requests of its connection', async () => {
      const client = await RawClient.connect(world.port);
      await client.send(Buffer.concat([proxyHeader(2, CLIENT, CATALOG, []), Buffer.from(requestBytes({}).repeat(2))]));
      assert.equal(await world.answered(client), 'catalog');
      assert.equal(await world.answered(client), 'catalog');
      await client.send(requestBytes({ host: 'orders.default' }));
      assert.equal(await world.answered(client), 'catalog');
    });

    for (const version of [1, 2] as const) {
      it(`v${version}: may come in any pieces`, async () => {
        const header = proxyHeader(version, CLIENT, ORDERS, []);
        const bytes = Buffer.concat([header, Buffer.from(requestBytes({}))]);
        for (let at = 1; at <= header.length + 1; at++) {
          const client = await RawClient.connect(world.port);
          await client.send(bytes, [at]);
          assert.equal(await world.answered(client), 'orders', `split at ${at}`);
          client.destroy();
        }
        const client = await RawClient.connect(world.port);
        await client.send(
          bytes,
          [...bytes.keys()].filter((at) => at <= header.length),
        );
        assert.equal(await world.answered(client), 'orders');
      });
    }

    const refused: [name: string, bytes: string | Buffer][] = [
      ['HTTP', requestBytes({})],
      ['a TLS handshake', Buffer.from('16030100', 'hex')],
      [
        'a header cut off by a second one',
        Buffer.concat([Buffer.from('PROXY TCP4 1.1'), proxyHeader(1, CLIENT, ORDERS, [])]),
      ],
      ['a line that is malformed', 'PROXY TCP4 1.1.1.1 1.1.1.1 1 01\r\n'],
      ['a line without an end', `PROXY UNKNOWN ${'a'.repeat(200)}`],
      ['AF_UNIX', Buffer.from(`0d0a0d0a000d0a515549540a213100d8${'00'.repeat(216)}`, 'hex')],
      ['an identity told twice', proxyHeader(2, CLIENT, ORDERS, [tlv(CART), tlv(CART)])],
    ];
    for (const [name, bytes] of refused) {
      it(`closes at ${name}, without a word`, async () => {
        const client = await RawClient.connect(world.port);
        await client.send(bytes);
        await client.closed();
        assert.equal(client.received, '');
      });
    }

    it('two headers are one header and a malformed request', async () => {
      const client = await RawClient.connect(world.port);
      const header = proxyHeader(1, CLIENT, ORDERS, []);
      await client.send(Buffer.concat([header, header, Buffer.from(requestBytes({}))]));
      assert.equal((await client.response()).status, 400);
      await client.closed();
    });

    it('counts introductions that failed, and serves on', async () => {
      const { body } = await world.waypoint.admin('/metrics');
      const failures = body.split('\n').filter((line) => /^waypoint_proxy_protocol_failures\w*\{/.test(line));
      const reasons = failures.map((line) => /reason="([^"]*)"/.exec(line)?.[1]);
      assert.ok(reasons.includes('no_header') && reasons.includes('v2_repeated_identity'), failures.join('\n'));
      assert.equal(await world.ask(proxyHeader(1, CLIENT, ORDERS, [])), 'orders');
    });
  });

  it('gives a slow header its time and no more', async () => {
    const world = await Proxied.start([], { limits: { requestHeadTimeoutMs: 150 } });
    try {
      const client = await RawClient.connect(world.port);
      await client.send('PROXY TCP4 10.1');
      const began = performance.now();
      await client.closed();
      assert.ok(performance.now() - began >= 100);
      assert.equal(client.received, '');
      const silent = await RawClient.connect(world.port);
      await silent.closed();
    } finally {
      await world.close();
    }
  });

  it('closes when the client does in the middle of a header', async () => {
    const world = await Proxied.start();
    try {
      const client = await RawClient.connect(world.port);
      await client.send('PROXY TCP4 10.1');
      client.end();
      await client.closed();
      assert.equal(client.received, '');
    } finally {
      await world.close();
    }
  });

  it('does not listen to an untrusted source', async () => {
    const world = await Proxied.start([], { proxyProtocolFrom: ['10.0.0.0/8', '127.0.0.2'] });
    try {
      const client = await RawClient.connect(world.port);
      await client.send(Buffer.concat([identified(CART), Buffer.from(requestBytes({}))]));
      await client.closed();
      assert.equal(client.received, '');
      assert.deepEqual(
        [...world.backends.values()].map(({ requests }) => requests.length),
        [0, 0, 0, 0],
      );
    } finally {
      await world.close();
    }
  });

  it('an AuthorizationPolicy reads the identity that a header tells', async () => {
    const policy: Manifest = {
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: 'orders', namespace: 'default' },
      spec: {
        targetRefs: [{ group: '', kind: 'Service', name: 'orders' }],
        action: 'ALLOW',
        rules: [{ from: [{ source: { principals: ['cluster.local/ns/shop/sa/cart'] } }] }],
      },
    };
    const world = await Proxied.start([policy]);
    try {
      await eventually(async () => (await world.ask(proxyHeader(2, CLIENT, ORDERS, []))) === 403, 'the policy to deny');
      assert.equal(await world.ask(identified(CART)), 'orders');
      assert.equal(await world.ask(identified('spiffe://cluster.local/ns/shop/sa/other')), 403);
      assert.equal(await world.ask(identified('spiffe://elsewhere/ns/shop/sa/cart')), 403);
      assert.equal(await world.ask(proxyHeader(2, CLIENT, CATALOG, [])), 'catalog');
    } finally {
      await world.close();
    }
  });
});

function tlv(uri: string): { readonly type: number; readonly value: Buffer } {
  return { type: TLV_IDENTITY, value: Buffer.from(uri) };
}
