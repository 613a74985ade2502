// Encrypted backends: who is believed, and that nothing is ever sent to anybody else, or in cleartext.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { asked, named, other, type PolicySetup, root, world } from '../harness/backend-tls-world.ts';
import { authority } from '../harness/certificates.ts';
import { freePort } from '../harness/ports.ts';
import { TlsBackend, type TlsServing } from '../harness/tls-backend.ts';
import { Waypoint } from '../harness/waypoint.ts';

const HOUR_MS = 3_600_000;
const SPIFFE = 'spiffe://cluster.local/ns/shop/sa/orders';

describe('verification of backends', () => {
  interface Case {
    readonly name: string;
    readonly serving: TlsServing;
    readonly policy?: PolicySetup;
    /** null: the request is answered. */
    readonly refused: RegExp | null;
  }
  const good = named('DNS:orders.example');
  const intermediate = root.intermediate({ subject: 'Between' });
  const hostname = (value: string) => ({ type: 'Hostname' as const, hostname: value });
  const uri = (value: string) => ({ type: 'URI' as const, uri: value });
  const now = Date.now();
  const cases: readonly Case[] = [
    { name: 'the name', serving: good, refused: null },
    { name: 'a name in capitals', serving: named('DNS:ORDERS.Example'), refused: null },
    { name: 'one of its names', serving: named('DNS:a.example', 'DNS:orders.example'), refused: null },
    {
      name: 'a wildcard',
      serving: named('DNS:*.shop.example'),
      policy: { hostname: 'orders.shop.example' },
      refused: null,
    },
    { name: 'an intermediate', serving: intermediate.issue({ names: ['DNS:orders.example'] }), refused: null },
    { name: 'TLS 1.2', serving: { ...good, maxVersion: 'TLSv1.2' }, refused: null },
    { name: 'an RSA key', serving: root.issue({ names: ['DNS:orders.example'], key: 'RSA' }), refused: null },
    {
      name: 'a SAN of the policy instead of the host name',
      serving: named('DNS:a.example'),
      policy: { names: [hostname('a.example')] },
      refused: null,
    },
    { name: 'a URI', serving: named(`URI:${SPIFFE}`), policy: { names: [uri(SPIFFE)] }, refused: null },
    {
      name: 'the second of several SANs',
      serving: named(`URI:${SPIFFE}`),
      policy: { names: [hostname('a.example'), uri(SPIFFE)] },
      refused: null,
    },
    { name: 'another name', serving: named('DNS:other.example'), refused: /certificate of another .*orders\.example/ },
    { name: 'a longer name', serving: named('DNS:orders.example.evil.test'), refused: /certificate of another/ },
    { name: 'a wildcard for everything', serving: named('DNS:*'), refused: /certificate of another/ },
    { name: 'a wildcard for a top-level domain', serving: named('DNS:*.example'), refused: /certificate of another/ },
    {
      name: 'a wildcard for two labels',
      serving: named('DNS:*.shop.example'),
      policy: { hostname: 'a.orders.shop.example' },
      refused: /certificate of another/,
    },
    { name: 'a name in the subject only', serving: root.issue({ subject: 'orders.example' }), refused: /another/ },
    {
      name: 'the host name where SANs are asked for',
      serving: good,
      policy: { names: [hostname('a.example')] },
      refused: /certificate of another .*a\.example/,
    },
    {
      name: 'another URI',
      serving: named(`URI:${SPIFFE}2`),
      policy: { names: [uri(SPIFFE)] },
      refused: /certificate of another/,
    },
    {
      name: 'a URI where a host name is asked for',
      serving: named('URI:orders.example'),
      policy: { names: [hostname('orders.example')] },
      refused: /certificate of another/,
    },
    {
      name: 'an unknown CA',
      serving: other.issue({ names: ['DNS:orders.example'] }),
      refused: /not believed/,
    },
    { name: 'the CA itself', serving: { chain: root.chain, key: root.key }, refused: /./ },
    {
      name: 'self-signed',
      serving: authority({ names: ['DNS:orders.example'] }),
      refused: /not believed/,
    },
    {
      name: 'expired',
      serving: root.issue({ names: ['DNS:orders.example'], notBefore: now - 2 * HOUR_MS, notAfter: now - HOUR_MS }),
      refused: /EXPIRED/,
    },
    {
      name: 'not yet valid',
      serving: root.issue({ names: ['DNS:orders.example'], notBefore: now + HOUR_MS }),
      refused: /NOT_YET_VALID/,
    },
    {
      name: 'a certificate for clients',
      serving: root.issue({ names: ['DNS:orders.example'], usages: ['clientAuth'] }),
      refused: /./,
    },
    {
      name: 'no client certificate where one is asked for',
      serving: { ...good, clientAuthorities: root.certificate },
      refused: /CERTIFICATE_REQUIRED/,
    },
    { name: 'TLS 1.1', serving: { ...good, maxVersion: 'TLSv1.1' }, refused: /./ },
    { name: 'nobody who could vouch', serving: good, policy: { authorities: ['nowhere'] }, refused: /No CA is left/ },
  ];
  const backends: TlsBackend[] = [];
  let answers: readonly Awaited<ReturnType<typeof asked>>[];
  let waypoint: Waypoint;
  let port: number;

  before(async () => {
    for (const { serving } of cases) backends.push(await TlsBackend.start(serving));
    port = await freePort();
    const behind = cases.map((each, index) => ({
      name: `b${index}`,
      port: backends[index]!.port,
      policy: each.policy ?? {},
    }));
    waypoint = await Waypoint.start({ 'world.yaml': world(port, behind) });
    answers = await Promise.all(cases.map((_, index) => asked(waypoint, port, `/b${index}`)));
  });
  after(async () => {
    await waypoint.close();
    for (const backend of backends) await backend.close();
  });

  for (const [index, { name, refused, policy: setup = {} }] of cases.entries()) {
    it(`${refused === null ? 'believes' : 'refuses'}: ${name}`, () => {
      const answer = answers[index]!;
      const backend = backends[index]!;
      assert.equal(backend.cleartext, 0);
      if (refused === null) {
        assert.equal(answer.status, 200, answer.told);
        assert.equal(backend.arrivals[0]?.serverName, setup.hostname ?? 'orders.example');
        return;
      }
      assert.equal(answer.status, 503);
      // In TLS 1.3 a server refuses certificates only behind the client's part of the handshake.
      assert.match(answer.told, /^upstream_(tls|reset): /);
      assert.match(answer.told, refused);
      assert.deepEqual(backend.arrivals, []);
      // What is wrong is for the operator, not for whoever asks.
      assert.match(answer.body, /^upstream (connect failed|closed the connection before it answered)\n$/);
    });
  }
});

describe('backends that are not what their policy says', () => {
  let server: Server;
  let received: string[];
  /** What becomes of a connection once it has said something. */
  let act: (socket: Socket) => void;
  let waypoint: Waypoint;
  let port: number;
  before(async () => {
    received = [];
    server = createServer((socket) => {
      const index = received.push('') - 1;
      socket.on('error', () => {});
      socket.on('data', (data) => {
        received[index] += data.toString('latin1');
        act(socket);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = await freePort();
    const behind = { name: 'b', port: (server.address() as AddressInfo).port, policy: {} };
    waypoint = await Waypoint.start({ 'world.yaml': world(port, [behind]) });
  });
  after(async () => {
    await waypoint.close();
    server.close();
  });

  /** [name, what it does, what the log says]. */
  const cases: readonly (readonly [string, (socket: Socket) => void, RegExp])[] = [
    [
      'speaks plain HTTP',
      (socket) => socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n'),
      /^upstream_tls: TLS with .*(WRONG_VERSION_NUMBER|PACKET_LENGTH)/,
    ],
    ['sends what is nothing', (socket) => socket.end('\x16\x03\x03\xff\xff'.repeat(9), 'latin1'), /^upstream_tls: /],
    ['closes during the handshake', (socket) => socket.end(), /^upstream_tls: /],
    ['resets during the handshake', (socket) => socket.resetAndDestroy(), /^(upstream_tls|connect_failed): /],
  ];
  for (const [name, does, expected] of cases) {
    it(`one that ${name} gets no request, and the client a 503`, async () => {
      act = does;
      const path = `/b/${encodeURIComponent(name)}`;
      const { status, told } = await asked(waypoint, port, path);
      assert.equal(status, 503);
      assert.match(told, expected);
      for (const each of received) {
        assert.equal(each.charCodeAt(0), 0x16);
        assert.ok(!each.includes('GET'));
      }
    });
  }

  it('one that never answers the handshake is given up', async () => {
    act = () => {};
    const slow = {
      kind: 'TrafficPolicy',
      apiVersion: 'waypoint.dev/v1alpha1',
      metadata: { name: 's', namespace: 'default' },
    };
    const spec = { targetRefs: [{ group: '', kind: 'Service', name: 'b' }], connections: { connectTimeout: '100ms' } };
    await waypoint.apply('slow.yaml', [{ ...slow, spec }]);
    const { status, told } = await asked(waypoint, port, '/b/never');
    assert.equal(status, 503);
    assert.match(told, /^connect_timeout: /);
  });
});
