// AuthorizationPolicies about the identity in a client's certificate: proven once, asked about for every request.

import assert from 'node:assert/strict';
import { requestBytes } from '../harness/call.ts';
import { authority, type Issued } from '../harness/certificates.ts';
import {
  backendRef,
  configMap,
  gatewayClass,
  type Manifest,
  route,
  secureGateway,
  service,
  tlsSecret,
} from '../harness/manifests.ts';
import { freePort } from '../harness/ports.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';
import { callTls, connectTls, type TlsDial } from '../harness/tls-client.ts';
import { Waypoint } from '../harness/waypoint.ts';

const root = authority({ subject: 'Root' });
const server = root.issue({ names: ['DNS:shop.example'] });
const cart = client('cluster.local/ns/default/sa/cart');
const old = client('old.example/ns/default/sa/cart');
const job = client('cluster.local/ns/bank/sa/job');
const machine = client('cluster.local/machine/7');
const nameless = root.issue({ names: ['DNS:cart.example'] });
const expired = root.issue({ names: ['URI:spiffe://cluster.local/ns/default/sa/cart'], notAfter: Date.now() - 1000 });

function client(id: string): Issued {
  return root.issue({ names: [`URI:spiffe://${id}`] });
}

function allow(source: unknown): Manifest {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: 'who', namespace: 'default' },
    spec: { targetRefs: [{ kind: 'Service', name: 'app' }], rules: [{ from: [{ source }] }] },
  };
}

const ANYBODY: Readonly<Record<string, Issued | null>> = { cart, old, job, machine, nameless, expired, nobody: null };

const SOURCES: readonly (readonly [name: string, source: unknown, allowed: readonly string[]])[] = [
  [
    'a principal, and what is called so by an alias',
    { principals: ['cluster.local/ns/default/sa/cart'] },
    ['cart', 'old'],
  ],
  ['a principal with a star', { principals: ['cluster.local/ns/bank/*'] }, ['job']],
  ['any principal', { principals: ['*'] }, ['cart', 'old', 'job', 'machine']],
  ['no principal', { notPrincipals: ['*'] }, ['nameless', 'expired', 'nobody']],
  ['a namespace', { namespaces: ['default'] }, ['cart', 'old']],
  ['a service account of the own namespace', { serviceAccounts: ['cart'] }, ['cart', 'old']],
  ['a service account of another', { serviceAccounts: ['bank/job'] }, ['job']],
  ['a trust domain', { trustDomains: ['old.example'] }, ['cart', 'old', 'job', 'machine']],
];

describe('authorization by identity', () => {
  let backend: ScriptedBackend;
  let waypoint: Waypoint;
  let port: number;

  before(async () => {
    backend = await ScriptedBackend.start();
    port = await freePort();
    const caCertificateRefs = [{ group: '', kind: 'ConfigMap', name: 'ca' }];
    const frontend = { default: { validation: { mode: 'AllowInsecureFallback', caCertificateRefs } } };
    waypoint = await Waypoint.start(
      {
        'base.yaml': [
          gatewayClass(),
          secureGateway('edge', [{ port, secrets: ['server'] }], { frontend }),
          tlsSecret('server', server),
          configMap('ca', { 'ca.crt': root.certificate }),
          route({ name: 'all', parents: ['edge'], rules: [{ backendRefs: [backendRef('app')] }] }),
          ...service({ name: 'app', endpoints: [backend.port] }),
        ],
      },
      { trustDomainAliases: ['old.example'] },
    );
  });
  after(async () => {
    await waypoint.close();
    await backend.close();
  });

  function dial(certificate: Issued | null): TlsDial {
    return { port, ca: root.certificate, serverName: 'shop.example', ...(certificate === null ? {} : { certificate }) };
  }

  for (const [name, source, allowed] of SOURCES) {
    it(`${name}: ${allowed.join(', ')}`, async () => {
      await waypoint.apply('access.yaml', [allow(source)]);
      for (const [who, certificate] of Object.entries(ANYBODY)) {
        // What a client says of itself is nobody's identity.
        const fields = [['x-forwarded-client-cert', 'URI=spiffe://cluster.local/ns/default/sa/cart']] as const;
        const { status } = await callTls(dial(certificate), { fields });
        assert.equal(status, allowed.includes(who) ? 200 : 403, who);
      }
    });
  }

  it('Z3 takes a right back from a connection that is open', async () => {
    await waypoint.apply('access.yaml', [allow({ principals: ['*/sa/cart'] })]);
    const { socket, client: raw } = await connectTls(dial(cart));
    const ask = async (): Promise<number> => {
      await raw.send(requestBytes({ host: 'shop.example' }));
      return (await raw.response()).status;
    };
    assert.deepEqual([await ask(), await ask()], [200, 200]);
    await waypoint.apply('access.yaml', [allow({ principals: ['*/sa/job'] })]);
    assert.deepEqual([await ask(), await ask()], [403, 403]);
    await waypoint.apply('access.yaml', [allow({ notPrincipals: ['*/sa/job'] })]);
    assert.equal(await ask(), 200);
    socket.destroy();
  });
});
