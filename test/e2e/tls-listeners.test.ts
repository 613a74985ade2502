// HTTPS listeners: which certificate is presented, which version is agreed upon, which listener answers.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { call } from '../harness/call.ts';
import { authority } from '../harness/certificates.ts';
import { sentField } from '../harness/echoed.ts';
import { backendRef, gatewayClass, prefix, route, secureGateway, service, tlsSecret } from '../harness/manifests.ts';
import { freePort } from '../harness/ports.ts';
import { RawClient } from '../harness/raw-client.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';
import { callTls, connectTls, outcomeOf, type TlsDial } from '../harness/tls-client.ts';
import { Waypoint } from '../harness/waypoint.ts';

const root = authority();
const between = root.intermediate();
const exact = between.issue({ subject: 'exact', names: ['DNS:shop.example'] });
const wild = root.issue({ subject: 'wild', names: ['DNS:*.example'] });
const any = root.issue({ subject: 'any', names: ['DNS:any.test'] });
const first = root.issue({ subject: 'first', names: ['DNS:first.test'] });
const second = root.issue({ subject: 'second', names: ['DNS:second.test'] });
const rsa = root.issue({ subject: 'rsa', names: ['DNS:first.test'], key: 'RSA' });

describe('HTTPS listeners', () => {
  let backend: ScriptedBackend;
  let waypoint: Waypoint;
  /** Listeners for a host, a wildcard, and anything. */
  let port: number;
  /** Listeners for hosts alone. */
  let closed: number;
  let modern: number;
  let several: number;

  before(async () => {
    backend = await ScriptedBackend.start();
    port = await freePort();
    closed = await freePort();
    modern = await freePort();
    several = await freePort();
    const strict = { certificateRefs: [{ name: 'any' }], options: { 'waypoint.dev/min-tls-version': '1.3' } };
    waypoint = await Waypoint.start({
      'base.yaml': [
        gatewayClass(),
        secureGateway('edge', [
          { name: 'exact', port, hostname: 'shop.example', secrets: ['exact'] },
          { name: 'wild', port, hostname: '*.example', secrets: ['wild'] },
          { name: 'any', port, secrets: ['any'] },
          { name: 'only-exact', port: closed, hostname: 'shop.example', secrets: ['exact'] },
          { name: 'only-wild', port: closed, hostname: '*.wide.example', secrets: ['wild'] },
          { name: 'modern', port: modern, tls: strict },
          { name: 'several', port: several, secrets: ['first', 'second', 'rsa'] },
        ]),
        ...Object.entries({ exact, wild, any, first, second, rsa }).map(([name, pair]) => tlsSecret(name, pair)),
        route({ name: 'all', parents: ['edge'], rules: [{ backendRefs: [backendRef('app')] }] }),
        route({
          name: 'wild',
          parents: [{ name: 'edge', sectionName: 'wild' }],
          rules: [{ matches: [prefix('/wild')], backendRefs: [backendRef('app')] }],
        }),
        ...service({ name: 'app', endpoints: [backend.port] }),
      ],
    });
  });
  after(async () => {
    await waypoint.close();
    await backend.close();
  });

  function dial(serverName: string | null, more: Partial<TlsDial> = {}): TlsDial {
    return { port, ca: null, serverName, ...more };
  }

  /** Common name of what is presented. */
  async function presented(options: TlsDial): Promise<string> {
    const { socket, client } = await connectTls(options);
    const subject = new X509Certificate(socket.getPeerX509Certificate()!.raw).subject;
    client.destroy();
    return subject.replace('CN=', '');
  }

  describe('the certificate', () => {
    const cases: [name: string | null, expected: string][] = [
      ['shop.example', 'exact'],
      ['SHOP.example', 'exact'],
      ['other.example', 'wild'],
      ['a.b.example', 'wild'],
      ['example', 'any'],
      ['elsewhere.test', 'any'],
      [null, 'any'],
    ];
    for (const [name, expected] of cases) {
      it(`for ${name} is that of listener ${expected}`, async () =>
        assert.equal(await presented(dial(name)), expected));
    }

    it('comes with its intermediates', async () => {
      assert.equal((await callTls(dial('shop.example', { ca: root.certificate }))).status, 200);
    });

    const choices: [name: string | null, expected: string][] = [
      ['first.test', 'first'],
      ['second.test', 'second'],
      ['third.test', 'first'],
      [null, 'first'],
    ];
    for (const [name, expected] of choices) {
      it(`of several is for ${name} that of ${expected}`, async () =>
        assert.equal(await presented(dial(name, { port: several })), expected));
    }

    it('of several is of the type that the client takes', async () => {
      const options = dial('first.test', { port: several, maxVersion: 'TLSv1.2' });
      assert.equal(await presented({ ...options, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }), 'rsa');
      assert.equal(await presented({ ...options, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }), 'first');
    });
  });

  describe('a name that no listener has', () => {
    for (const name of ['other.test', 'wide.example', null]) {
      it(`${name} ends the handshake`, async () =>
        assert.equal(await outcomeOf(dial(name, { port: closed })), 'refused'));
    }
    it('leaves the others alone', async () => {
      assert.equal(await outcomeOf(dial('shop.example', { port: closed })), 200);
      assert.equal(await outcomeOf(dial('a.b.wide.example', { port: closed })), 200);
    });
  });

  describe('the version', () => {
    const cases: [name: string, options: Partial<TlsDial>, expected: number | 'refused'][] = [
      ['1.3', { minVersion: 'TLSv1.3' }, 200],
      ['1.2', { maxVersion: 'TLSv1.2' }, 200],
      ['1.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }, 'refused'],
    ];
    for (const [name, options, expected] of cases) {
      it(`${name} is ${expected}`, async () => assert.equal(await outcomeOf(dial('shop.example', options)), expected));
    }
    it('1.2 is refused where 1.3 is the least', async () => {
      assert.equal(await outcomeOf(dial(null, { port: modern, maxVersion: 'TLSv1.2' })), 'refused');
      assert.equal(await outcomeOf(dial(null, { port: modern })), 200);
    });
  });

  describe('ALPN', () => {
    const cases: [offered: string[], expected: string | false | 'refused'][] = [
      [['http/1.1'], 'http/1.1'],
      [['h2', 'http/1.1'], 'http/1.1'],
      [[], false],
    ];
    for (const [offered, expected] of cases) {
      it(`of ${offered.join(', ') || 'nothing'} is ${expected}`, async () => {
        const { socket } = await callTls(dial('shop.example', { protocols: offered }));
        assert.equal(socket.alpnProtocol, expected);
      });
    }
    it('without anything in common ends the handshake (RFC 7301 section 3.2)', async () => {
      assert.equal(await outcomeOf(dial('shop.example', { protocols: ['spdy/1'] })), 'refused');
    });
  });

  describe('the answer for a name and a host', () => {
    // Gateway API: a better listener for the host than the one of the handshake is misdirected, none at all is not found.
    const cases: [port: 'open' | 'closed', name: string | null, host: string, expected: number][] = [
      ['open', 'shop.example', 'shop.example', 200],
      ['open', 'shop.example', 'SHOP.example', 200],
      ['open', 'shop.example', 'other.example', 421],
      ['open', 'shop.example', 'elsewhere.test', 421],
      ['open', 'other.example', 'other.example', 200],
      ['open', 'other.example', 'third.example', 200],
      ['open', 'other.example', 'shop.example', 421],
      ['open', 'elsewhere.test', 'elsewhere.test', 200],
      ['open', 'elsewhere.test', 'shop.example', 421],
      ['open', null, 'elsewhere.test', 200],
      ['open', null, 'shop.example', 421],
      ['closed', 'shop.example', 'shop.example', 200],
      ['closed', 'shop.example', 'a.wide.example', 421],
      ['closed', 'a.wide.example', 'b.wide.example', 200],
      ['closed', 'shop.example', 'elsewhere.test', 404],
    ];
    for (const [which, name, host, expected] of cases) {
      it(`${name} and ${host} is ${expected} (${which})`, async () => {
        const options = dial(name, { port: which === 'open' ? port : closed });
        assert.equal(await outcomeOf(options, { host }), expected);
        const numbered = `${host}:${options.port}`;
        assert.equal(await outcomeOf(options, { host: numbered }), expected);
      });
    }
  });

  describe('the request', () => {
    it('says https to the backend', async () => {
      const answer = await callTls(dial('shop.example'), { fields: [['x-forwarded-proto', 'http']] });
      assert.equal(sentField(answer, 'x-forwarded-proto'), 'https');
    });

    it('has no client certificate that nobody verified', async () => {
      const answer = await callTls(dial('shop.example', { certificate: root.issue() }), {
        fields: [['x-forwarded-client-cert', 'URI=spiffe://cluster.local/ns/a/sa/admin']],
      });
      assert.equal(sentField(answer, 'x-forwarded-client-cert'), undefined);
    });

    it('may be one of many on a connection, and large', async () => {
      const { client } = await connectTls(dial('shop.example'));
      for (const size of [0, 1, 16_384, 1_000_000]) {
        const body = 'x'.repeat(size);
        await client.send(`POST / HTTP/1.1\r\nhost: shop.example\r\ncontent-length: ${size}\r\n\r\n${body}`);
        assert.equal(JSON.parse((await client.response('POST')).body).bodyBytes, size);
      }
    });
  });

  describe('what is no TLS', () => {
    for (const [name, bytes] of [
      ['a request in cleartext', 'GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n'],
      ['noise', '\x16\x03\x01\xff\xffnoise'],
      ['zeros', '\0'.repeat(64)],
    ] as const) {
      it(`${name} is never answered with a request's answer`, async () => {
        const client = await RawClient.connect(port);
        await client.send(bytes);
        client.end();
        await client.closed();
        assert.doesNotMatch(client.received, /HTTP\/1/);
        assert.equal(await outcomeOf(dial('shop.example')), 200);
      });
    }
  });

  it('show no key and no certificate text on any admin page', async () => {
    for (const path of ['/config', '/statuses', '/statuses?format=text', '/metrics', '/endpoints']) {
      const { body } = await waypoint.admin(path);
      assert.doesNotMatch(body, /BEGIN|PRIVATE/, path);
      for (const { key } of [exact, wild, any, rsa]) assert.ok(!body.includes(key.split('\n')[1]!), path);
    }
    const config = await waypoint.admin('/config');
    assert.match(config.body, /"subject": "CN=exact"/);
    assert.equal((await call(Number(new URL(waypoint.running.admin!).port), { host: 'localhost' })).status, 200);
  });
});
