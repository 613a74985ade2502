// Who a client is by its certificate, with certificates from a SPIFFE agent and from a directory: believed, told to the
// backend, renewed, and taken back.

import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { call, requestBytes } from '../harness/call.ts';
import { authority, type CertificateOptions, type Issued } from '../harness/certificates.ts';
import { sentField } from '../harness/echoed.ts';
import { backendRef, gatewayClass, type Manifest, route, secureGateway, service } from '../harness/manifests.ts';
import { freePort } from '../harness/ports.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';
import { callTls, connectTls, outcomeOf, type TlsDial } from '../harness/tls-client.ts';
import { Waypoint } from '../harness/waypoint.ts';
import { WorkloadAgent } from '../harness/workload-agent.ts';

const SELF = 'spiffe://cluster.local/ns/shop/sa/waypoint';
const ORDERS = 'spiffe://cluster.local/ns/shop/sa/orders';
const TILL = 'spiffe://partner.example/ns/bank/sa/till';
const ours = authority();
const between = ours.intermediate();
const next = authority();
const partner = authority();
const orders = between.issue({
  subject: 'orders',
  names: [`URI:${ORDERS}`, 'DNS:orders.example'],
  usages: ['clientAuth'],
});

function credential(name: string): Record<string, string> {
  return { group: 'waypoint.dev', kind: 'Credential', name };
}

function waypointCertificate(): Issued {
  return between.issue({ subject: 'waypoint', names: [`URI:${SELF}`, 'DNS:shop.example'] });
}

function hashOf({ certificate }: Issued): string {
  return createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex');
}

function objects(backend: ScriptedBackend, gateway: Manifest): readonly Manifest[] {
  return [
    gatewayClass(),
    gateway,
    route({ name: 'all', parents: ['edge'], rules: [{ backendRefs: [backendRef('app')] }] }),
    ...service({ name: 'app', endpoints: [backend.port] }),
  ];
}

describe('identity from a SPIFFE agent', () => {
  let directory: string;
  let agent: WorkloadAgent;
  let backend: ScriptedBackend;
  let waypoint: Waypoint;
  let port: number;
  let plain: number;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'waypoint-identity-'));
    agent = new WorkloadAgent(join(directory, 'agent.sock'));
    backend = await ScriptedBackend.start();
    port = await freePort();
    plain = await freePort();
    const validation = { caCertificateRefs: [credential('spiffe'), credential('spiffe.partner.example')] };
    const gateway = secureGateway(
      'edge',
      [
        { name: 'mutual', port, tls: { certificateRefs: [credential('spiffe')] } },
        { name: 'plain', port: plain, protocol: 'HTTP', tls: undefined },
      ],
      { frontend: { default: { validation } } },
    );
    // The agent is not there yet.
    waypoint = await Waypoint.start(
      { 'base.yaml': objects(backend, gateway) },
      { spiffeEndpointSocket: join(directory, 'agent.sock') },
    );
  });
  after(async () => {
    // The agent is a part of this process, and no part of what the waypoint may leave behind.
    agent.stop();
    await waypoint.close();
    await backend.close();
    rmSync(directory, { recursive: true });
  });

  function tell(bundle: readonly (typeof ours)[] = [ours]): void {
    agent.tell({ id: SELF, issued: waypointCertificate(), bundle, federated: { 'partner.example': [partner] } });
  }

  function dial(certificate: Issued | null, more: Partial<TlsDial> = {}): TlsDial {
    const client = certificate === null ? {} : { certificate };
    return { port, ca: ours.certificate, serverName: 'shop.example', ...client, ...more };
  }

  it('other listeners serve while the agent is away; those that need it come with it', async () => {
    assert.equal((await call(plain)).status, 200);
    assert.equal(await outcomeOf(dial(orders)), 'refused');
    tell();
    await agent.start();
    await eventually(async () => (await outcomeOf(dial(orders))) === 200, 'the agent to be asked again');
  });

  it('H4 is told to the backend, and nobody else is heard about it', async () => {
    const fields = [
      ['X-Forwarded-Client-Cert', `URI=${TILL}`],
      ['x_forwarded_client_cert', `URI=${TILL}`],
      ['Connection', 'x-forwarded-client-cert'],
    ] as const;
    const answer = await callTls(dial(orders), { fields });
    const expected = `By=${SELF};Hash=${hashOf(orders)};Subject="CN=orders";URI=${ORDERS};DNS=orders.example`;
    assert.equal(sentField(answer, 'x-forwarded-client-cert'), expected);
    assert.equal(sentField(answer, 'x_forwarded_client_cert'), undefined);
    assert.equal(sentField(await call(plain, { fields }), 'x-forwarded-client-cert'), undefined);
  });

  it('of a federated trust domain is believed, from its own CA', async () => {
    const till = partner.intermediate().issue({ subject: 'till', names: [`URI:${TILL}`] });
    const answer = await callTls(dial(till));
    assert.match(sentField(answer, 'x-forwarded-client-cert') ?? '', new RegExp(`;URI=${TILL}$`));
  });

  const refused: readonly (readonly [name: string, root: typeof ours, options: CertificateOptions])[] = [
    ['of our trust domain from a federated CA', partner, { names: [`URI:${ORDERS}`] }],
    ['of a federated trust domain from our CA', ours, { names: [`URI:${TILL}`] }],
    ['of a trust domain that nobody knows', ours, { names: ['URI:spiffe://third.example/a'] }],
    ['without a SPIFFE id', ours, { names: ['DNS:orders.example'] }],
    ['with two', ours, { names: [`URI:${ORDERS}`, `URI:${ORDERS}2`] }],
    ['with a NUL in it', ours, { names: [`URI:${ORDERS}\0.evil`] }],
    ['as a common name only', ours, { subject: ORDERS }],
    ['of a server', ours, { names: [`URI:${ORDERS}`], usages: ['serverAuth'] }],
    ['that expired', ours, { names: [`URI:${ORDERS}`], notAfter: Date.now() - 1000 }],
    ['of tomorrow', ours, { names: [`URI:${ORDERS}`], notBefore: Date.now() + 3_600_000 }],
    ['from an unknown CA', next, { names: [`URI:${ORDERS}`] }],
  ];
  for (const [name, root, options] of refused) {
    it(`M1 an id ${name} is refused`, async () => {
      assert.equal(await outcomeOf(dial(root.issue(options))), 'refused');
    });
  }

  it('M1 a CA is no client, and no certificate is no identity', async () => {
    assert.equal(await outcomeOf(dial(ours.intermediate({ names: [`URI:${ORDERS}`] }))), 'refused');
    assert.equal(await outcomeOf(dial(null)), 'refused');
    assert.equal(await outcomeOf(dial(orders)), 200);
  });

  it('renews its certificate under connections that go on', async () => {
    const { socket, client } = await connectTls(dial(orders));
    const before = socket.getPeerX509Certificate()?.fingerprint256;
    tell();
    await eventually(async () => {
      const { socket: other, client: closing } = await connectTls(dial(orders));
      const renewed = other.getPeerX509Certificate()?.fingerprint256 !== before;
      closing.destroy();
      return renewed;
    }, 'the renewed certificate to be presented');
    await client.send(requestBytes({ host: 'shop.example' }));
    assert.equal((await client.response()).status, 200);
    client.destroy();
  });

  it('M2 follows its CA: both while it changes, then the new one alone, and no session is resumed past that', async () => {
    const modern = next.issue({ subject: 'orders', names: [`URI:${ORDERS}`] });
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      tell([ours, next]);
      await eventually(
        async () => (await outcomeOf(dial(modern, { maxVersion }))) === 200,
        'the new CA to be believed',
      );
      assert.equal(await outcomeOf(dial(orders, { maxVersion })), 200);
      const session = await sessionOf(dial(orders, { maxVersion }));
      tell([next]);
      await eventually(async () => (await outcomeOf(dial(orders, { maxVersion }))) === 'refused', 'the old CA to go');
      assert.equal(await outcomeOf(dial(orders, { maxVersion, session })), 'refused');
      assert.equal(await outcomeOf(dial(modern, { maxVersion })), 200);
    }
    tell();
  });
});

/** What a client keeps of a connection to begin the next one with. */
async function sessionOf(options: TlsDial): Promise<Buffer> {
  const { socket, client } = await connectTls(options);
  let session = socket.getSession();
  socket.on('session', (fresh) => {
    session = fresh;
  });
  await client.send(requestBytes({ host: 'shop.example' }));
  await client.response();
  client.destroy();
  assert.ok(session !== undefined);
  return session;
}

describe('certificates from a directory', () => {
  it('are presented, and renewed while requests go on', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'waypoint-directory-'));
    const [first, second] = [waypointCertificate(), waypointCertificate()];
    const put = async ({ chain, key }: Issued): Promise<void> => {
      await mkdir(join(directory, 'edge'), { recursive: true });
      for (const [file, text] of [
        ['tls.crt', chain],
        ['tls.key', key],
      ] as const) {
        await writeFile(join(directory, 'fresh'), text);
        await rename(join(directory, 'fresh'), join(directory, 'edge', file));
      }
    };
    await put(first);
    const backend = await ScriptedBackend.start();
    const port = await freePort();
    const gateway = secureGateway('edge', [{ port, tls: { certificateRefs: [credential('edge')] } }]);
    const waypoint = await Waypoint.start({ 'base.yaml': objects(backend, gateway) }, { credentials: directory });
    try {
      const dial: TlsDial = { port, ca: ours.certificate, serverName: 'shop.example' };
      const presented = async (): Promise<string> => {
        const { socket, client } = await connectTls(dial);
        const certificate = socket.getPeerX509Certificate()?.toString() ?? '';
        await client.send(requestBytes({ host: 'shop.example' }));
        assert.equal((await client.response()).status, 200);
        client.destroy();
        return certificate;
      };
      const [before, after] = [first, second].map((one) => new X509Certificate(one.certificate).toString());
      assert.equal(await presented(), before);
      await put(second);
      await eventually(async () => (await presented()) === after, 'the renewed certificate');
    } finally {
      await waypoint.close();
      await backend.close();
      rmSync(directory, { recursive: true });
    }
  });
});
