// TLS towards endpoints over real sockets: whom we believe, on resumed sessions as on new ones.

import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { BackendTlsPlan, CredentialPlan } from '../policies/plan.ts';
import type { Endpoint } from '../routing/endpoint.ts';
import { BackendTls } from '../waypoint/tls/backend-tls.ts';
import { type Authority, authority, type Issued } from './harness/certificates.ts';

const ID = 'spiffe://cluster.local/ns/shop/sa/orders';
const PLAN: BackendTlsPlan = {
  serverName: 'shop.example',
  names: [],
  authorities: ['ConfigMap shop/ca'],
  certificate: null,
  failure: null,
};

function believing(id: string, root: Authority, trustDomain: string | null = null): CredentialPlan {
  return { id, certificate: null, key: null, authorities: root.certificate, revocations: null, trustDomain };
}

function credentials(...all: readonly CredentialPlan[]): ReadonlyMap<string, CredentialPlan> {
  return new Map(all.map((one) => [one.id, one]));
}

describe('TLS to a backend', () => {
  const root = authority();
  const ca = believing('ConfigMap shop/ca', root);
  // Only an object's identity counts here: sessions are kept by it.
  const endpoint = {} as Endpoint;
  let servers: Server[] = [];

  async function serve({ chain, key }: Issued): Promise<number> {
    const server = createServer({ cert: chain, key }, (socket) => socket.on('error', () => {}).end('hello'));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  afterEach(() => {
    for (const server of servers) server.close();
    servers = [];
  });

  /** What is found about the server, and whether a session was resumed; the answer is read, with it come tickets. */
  async function visit(tls: BackendTls, port: number): Promise<{ problem: string; resumed: boolean }> {
    const socket: TLSSocket = tls.connect(endpoint, { host: '127.0.0.1', port });
    return new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('secureConnect', () => {
        const outcome = { problem: tls.problem(socket), resumed: socket.isSessionReused() };
        socket.resume().on('close', () => resolve(outcome));
      });
    });
  }

  it('believes the name it wants, and knows it again in a resumed session', async () => {
    const port = await serve(root.intermediate().issue({ names: ['DNS:shop.example'] }));
    const tls = new BackendTls(PLAN, credentials(ca));
    assert.deepEqual(await visit(tls, port), { problem: '', resumed: false });
    assert.deepEqual(await visit(tls, port), { problem: '', resumed: true });
    assert.deepEqual(await visit(tls, port), { problem: '', resumed: true });
  });

  it('goes on refusing another name in a resumed session', async () => {
    const port = await serve(root.issue({ names: ['DNS:other.example'] }));
    const tls = new BackendTls(PLAN, credentials(ca));
    for (let visits = 0; visits < 3; visits++) {
      assert.match((await visit(tls, port)).problem, /certificate of another \(wanted: shop\.example\)/);
    }
  });

  it('M2 refuses in a resumed session what is valid no longer', async () => {
    const soon = Math.ceil(Date.now() / 1000) * 1000 + 1000;
    const port = await serve(root.issue({ names: ['DNS:shop.example'], notAfter: soon }));
    const tls = new BackendTls(PLAN, credentials(ca));
    assert.deepEqual(await visit(tls, port), { problem: '', resumed: false });
    const { now } = Date;
    Date.now = () => now() + 3_600_000;
    try {
      assert.match((await visit(tls, port)).problem, /certificate expired/);
    } finally {
      Date.now = now;
    }
  });

  it('tells federated CAs from our own', async () => {
    const theirs = authority();
    const plan: BackendTlsPlan = {
      ...PLAN,
      names: [{ type: 'URI', value: ID }],
      authorities: ['Credential spiffe', 'Credential spiffe.partner.example'],
    };
    const known = credentials(
      believing('Credential spiffe', root, 'cluster.local'),
      believing('Credential spiffe.partner.example', theirs, 'partner.example'),
    );
    const [honest, forged] = [
      await serve(root.intermediate().issue({ names: [`URI:${ID}`] })),
      await serve(theirs.intermediate().issue({ names: [`URI:${ID}`] })),
    ];
    const tls = new BackendTls(plan, known);
    for (let visits = 0; visits < 2; visits++) {
      assert.equal((await visit(tls, honest)).problem, '');
      assert.match((await visit(tls, forged)).problem, /trust domain foreign/);
    }
  });

  it('does not believe another CA', async () => {
    const port = await serve(authority().issue({ names: ['DNS:shop.example'] }));
    assert.match((await visit(new BackendTls(PLAN, credentials(ca)), port)).problem, /is not believed/);
  });
});
