// Certificates, CAs and revocation lists that change under load: nobody right is refused, nobody wrong gets by on an old session.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { requestBytes } from '../harness/call.ts';
import { type Authority, authority, type Issued } from '../harness/certificates.ts';
import { sentField } from '../harness/echoed.ts';
import { Load } from '../harness/load.ts';
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
import { echo, ScriptedBackend } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';
import { connectTls, outcomeOf, type TlsDial } from '../harness/tls-client.ts';
import { Waypoint } from '../harness/waypoint.ts';

const NAMES = ['URI:spiffe://cluster.local/ns/shop/sa/cart'];
const serverRoot: Authority = authority({ subject: 'Servers' });

function server(): Issued {
  return serverRoot.issue({ names: ['DNS:shop.example'] });
}

interface Answer {
  readonly status: number;
  readonly reused: boolean;
  /** To resume it later; null: none was given. */
  readonly session: Buffer | null;
  readonly clientCert: string | undefined;
}

/** One request; its session's ticket comes behind the handshake (TLS 1.3) or in it. */
async function ask(dial: TlsDial): Promise<Answer> {
  const { socket, client } = await connectTls(dial);
  let session: Buffer | null = null;
  socket.on('session', (fresh: Buffer) => {
    session = fresh;
  });
  try {
    await client.send(requestBytes({ host: 'shop.example' }));
    const message = await client.response();
    if (session === null && socket.getProtocol() === 'TLSv1.2') session = socket.getSession() ?? null;
    const clientCert = sentField({ body: message.body }, 'x-forwarded-client-cert');
    return { status: message.status, reused: socket.isSessionReused(), session, clientCert };
  } finally {
    const closed = once(socket, 'close');
    client.destroy();
    await closed;
  }
}

describe('TLS that changes', () => {
  let backend: ScriptedBackend;
  let waypoint: Waypoint;
  let port: number;
  let bundle: Readonly<Record<string, string>>;

  beforeEach(async () => {
    backend = await ScriptedBackend.start(echo);
    port = await freePort();
  });
  afterEach(async () => {
    await waypoint.close();
    await backend.close();
  });

  async function start(ca: Readonly<Record<string, string>> | null, workers: number): Promise<void> {
    bundle = ca ?? { 'ca.crt': authority().certificate };
    waypoint = await Waypoint.start(
      {
        'base.yaml': [
          gatewayClass(),
          route({ name: 'all', parents: ['edge'], rules: [{ backendRefs: [backendRef('app')] }] }),
          ...service({ name: 'app', endpoints: [backend.port] }),
        ],
        'edge.yaml': [edge(ca === null ? 'anybody' : 'certified')],
        'server.yaml': [tlsSecret('server', server())],
        'ca.yaml': caFile(),
      },
      { workers },
    );
  }

  function edge(clients: 'anybody' | 'certified'): Manifest {
    const validation = { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'ca' }] };
    const tls = clients === 'anybody' ? {} : { frontend: { default: { validation } } };
    return secureGateway('edge', [{ name: 'tls', port, secrets: ['server'] }], tls);
  }

  function caFile(): readonly Manifest[] {
    return [configMap('ca', bundle)];
  }

  async function believe(ca: Readonly<Record<string, string>>): Promise<void> {
    bundle = ca;
    await waypoint.apply('ca.yaml', caFile());
  }

  function dial(certificate: Issued | null, more: Partial<TlsDial> = {}): TlsDial {
    const own = certificate === null ? {} : { certificate };
    return { port, ca: serverRoot.certificate, serverName: 'shop.example', ...own, ...more };
  }

  const connector = (certificate: Issued | null) => async () => (await connectTls(dial(certificate))).client;

  it('a new certificate under load: no request fails, and the next handshake has it', async () => {
    await start(null, 2);
    const load = new Load(connector(null));
    load.start(4, 4);
    for (let round = 0; round < 10; round++) {
      const fresh = server();
      await waypoint.apply('server.yaml', [tlsSecret('server', fresh)]);
      const { socket, client } = await connectTls(dial(null));
      assert.equal(socket.getPeerX509Certificate()?.toString(), fresh.certificate);
      client.destroy();
    }
    await load.stop();
    assert.deepEqual(load.failures, []);
    assert.ok(load.requests > 100, `${load.requests} requests`);
  });

  it('CAs that are exchanged by way of both: no handshake of either fails while both are believed', async () => {
    const old = authority({ subject: 'CA' });
    const next = authority({ subject: 'CA' });
    const oldClient = old.issue({ names: NAMES });
    const nextClient = next.issue({ names: NAMES });
    await start({ 'ca.crt': old.certificate }, 2);
    const oldLoad = new Load(connector(oldClient));
    const nextLoad = new Load(connector(nextClient));
    oldLoad.start(2, 2);
    assert.equal(await outcomeOf(dial(nextClient)), 'refused');
    await believe({ 'ca.crt': old.certificate + next.certificate });
    nextLoad.start(2, 2);
    await eventually(async () => nextLoad.requests > 50 && oldLoad.requests > 50, 'load of both');
    await believe({ 'ca.crt': next.certificate + old.certificate });
    const seen = oldLoad.requests;
    await eventually(async () => oldLoad.requests > seen + 20, 'load of the old');
    await oldLoad.stop();
    await believe({ 'ca.crt': next.certificate });
    assert.equal(await outcomeOf(dial(oldClient)), 'refused');
    await nextLoad.stop();
    assert.deepEqual([oldLoad.failures, nextLoad.failures], [[], []]);
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const only = { minVersion: version, maxVersion: version };

    describe(`sessions of ${version}`, () => {
      const root = authority({ subject: 'Clients' });
      const client = root.issue({ names: NAMES });

      async function established(): Promise<Buffer> {
        const { status, reused, session } = await ask(dial(client, only));
        assert.deepEqual([status, reused], [200, false]);
        assert.ok(session !== null, 'a session to resume');
        return session;
      }

      it('are resumed, on every worker, with the same identity', async () => {
        await start({ 'ca.crt': root.certificate }, 2);
        const session = await established();
        for (let i = 0; i < 8; i++) {
          const { status, reused, clientCert } = await ask(dial(client, { ...only, session }));
          assert.deepEqual([status, reused], [200, true]);
          assert.match(clientCert ?? '', /URI=spiffe:\/\/cluster\.local\/ns\/shop\/sa\/cart/);
        }
      });

      it('are resumed where nobody is asked for a certificate', async () => {
        await start(null, 2);
        const first = await ask(dial(null, only));
        const again = await ask(dial(null, { ...only, session: first.session! }));
        assert.deepEqual([again.status, again.reused], [200, true]);
      });

      it('end when their CA is believed no longer', async () => {
        await start({ 'ca.crt': root.certificate }, 1);
        const session = await established();
        await believe({ 'ca.crt': authority().certificate });
        assert.equal(await outcomeOf(dial(client, { ...only, session })), 'refused');
        assert.equal(await outcomeOf(dial(null, { ...only, session })), 'refused');
      });

      it('are made anew when another CA joins', async () => {
        await start({ 'ca.crt': root.certificate }, 1);
        const session = await established();
        await believe({ 'ca.crt': root.certificate + authority().certificate });
        const { status, reused } = await ask(dial(client, { ...only, session }));
        assert.deepEqual([status, reused], [200, false]);
      });

      it('end when their certificate is revoked', async () => {
        await start({ 'ca.crt': root.certificate, 'ca.crl': root.revoke([]) }, 1);
        const session = await established();
        await believe({ 'ca.crt': root.certificate, 'ca.crl': root.revoke([client]) });
        assert.equal(await outcomeOf(dial(client, { ...only, session })), 'refused');
        assert.equal(await outcomeOf(dial(root.issue({ names: NAMES }), only)), 200);
      });

      it('end when a revocation list comes that has their certificate', async () => {
        await start({ 'ca.crt': root.certificate }, 1);
        const session = await established();
        await believe({ 'ca.crt': root.certificate, 'ca.crl': root.revoke([client]) });
        assert.equal(await outcomeOf(dial(client, { ...only, session })), 'refused');
      });

      it('end with their certificate', async () => {
        await start({ 'ca.crt': root.certificate }, 1);
        // At least a second from now: it must serve before it ends.
        const notAfter = Math.ceil(Date.now() / 1000) * 1000 + 1000;
        const brief = root.issue({ names: NAMES, notAfter });
        const { status, session } = await ask(dial(brief, only));
        assert.deepEqual([status, session === null], [200, false]);
        const refused = async () => (await outcomeOf(dial(brief, { ...only, session: session! }))) === 'refused';
        await eventually(refused, 'the certificate to end', 5000);
        assert.ok(Date.now() >= notAfter);
      });

      it('of clients that are asked for a certificate from now on are not enough', async () => {
        await start(null, 1);
        const { session } = await ask(dial(null, only));
        await waypoint.write('ca.yaml', [configMap('ca', { 'ca.crt': root.certificate })]);
        await waypoint.apply('edge.yaml', [edge('certified')]);
        await eventually(async () => (await outcomeOf(dial(client, only))) === 200, 'the CA to be believed');
        assert.equal(await outcomeOf(dial(null, { ...only, session: session! })), 'refused');
      });
    });
  }
});
