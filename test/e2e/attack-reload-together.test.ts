// Routes, policies, certificates and endpoints that change together under load: every request has one answer, a right one.

import assert from 'node:assert/strict';
import { requestBytes } from '../harness/call.ts';
import { authority, type Issued } from '../harness/certificates.ts';
import { Load } from '../harness/load.ts';
import {
  backendRef,
  configMap,
  gatewayClass,
  type Manifest,
  prefix,
  route,
  secureGateway,
  service,
  tlsSecret,
} from '../harness/manifests.ts';
import { freePort } from '../harness/ports.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';
import { connectTls } from '../harness/tls-client.ts';
import { Waypoint } from '../harness/waypoint.ts';

const NAME = 'shop.example';
const servers = authority({ subject: 'Servers' });
const clients = authority({ subject: 'Clients' });
const others = authority({ subject: 'Others' });
const cart = clients.issue({ names: ['URI:spiffe://cluster.local/ns/shop/sa/cart'], usages: ['clientAuth'] });
const thief = clients.issue({ names: ['URI:spiffe://cluster.local/ns/shop/sa/thief'], usages: ['clientAuth'] });

function targeting(kind: string, name: string, round: number, spec: object): Manifest {
  const target = { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: `all-${round % 2}` };
  return {
    apiVersion: 'waypoint.dev/v1alpha1',
    kind,
    metadata: { name, namespace: 'default' },
    spec: { targetRefs: [target], ...spec },
  };
}

describe('everything that changes at once', () => {
  let backends: ScriptedBackend[];
  let waypoint: Waypoint;
  let port: number;

  beforeEach(async () => {
    backends = await Promise.all([ScriptedBackend.start(undefined, 'a'), ScriptedBackend.start(undefined, 'b')]);
    port = await freePort();
    waypoint = await Waypoint.start({ 'all.yaml': world(0) }, { workers: 2 });
  });
  afterEach(async () => {
    await waypoint.close();
    for (const backend of backends) await backend.close();
  });

  /** No round has an object in common with the one before, but for the class, the Gateway and the Service. */
  function world(round: number): Manifest[] {
    const validation = { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'ca' }] };
    const bundle = [clients, ...(round % 2 === 0 ? [] : [others])].map(({ certificate }) => certificate).join('');
    const filters = [
      { type: 'ResponseHeaderModifier', responseHeaderModifier: { set: [{ name: 'x-round', value: `${round}` }] } },
    ];
    return [
      gatewayClass(),
      secureGateway(
        'edge',
        [
          { port, hostname: NAME, secrets: [`cert-${round % 2}`] },
          { port, name: 'test', hostname: 'test.example', secrets: [`cert-${round % 2}`] },
        ],
        {
          frontend: { default: { validation } },
        },
      ),
      tlsSecret(`cert-${round % 2}`, servers.issue({ names: [`DNS:${NAME}`, 'DNS:test.example'] })),
      configMap('ca', { 'ca.crt': bundle }),
      route({
        name: `all-${round % 2}`,
        parents: ['edge'],
        rules: [{ matches: [prefix('/')], filters, backendRefs: [backendRef('app')] }],
      }),
      targeting('TrafficPolicy', `traffic-${round}`, round, { retry: { attempts: 1 + (round % 3) } }),
      targeting('AuthorizationPolicy', `access-${round}`, round, {
        action: 'ALLOW',
        rules: [{ from: [{ source: { principals: ['cluster.local/ns/shop/sa/cart'] } }] }],
      }),
      ...service({ name: 'app', endpoints: backends.slice(0, 1 + (round % 2)).map((backend) => backend.port) }),
    ];
  }

  async function statusFor(certificate: Issued): Promise<number> {
    const { client } = await connectTls({ port, ca: servers.certificate, serverName: 'test.example', certificate });
    await client.send(requestBytes({ host: 'test.example' }));
    const { status } = await client.response();
    client.destroy();
    return status;
  }

  it('fails no request and lets nobody in', async () => {
    const dial = { port, ca: servers.certificate, serverName: 'test.example', certificate: cart };
    const load = new Load(async () => (await connectTls(dial)).client);
    load.start(4, 2);
    for (let round = 1; round <= 20; round++) {
      await waypoint.apply('all.yaml', world(round));
      assert.equal(await statusFor(thief), 403, `round ${round}`);
    }
    await load.stop();
    assert.deepEqual(load.failures, []);
    assert.ok(load.requests > 100, `${load.requests} requests`);
    assert.deepEqual(
      waypoint.messages.filter((message) => / (error|warn) /.test(message)),
      [],
    );
  });
});
