// Fetching key sets: what is accepted, and where a server may not lead.

import assert from 'node:assert/strict';
import { JwksRequests } from '../waypoint/jwt/jwks-request.ts';
import { type Answer, JwksServer, redirects, says } from './harness/jwks-server.ts';
import { TestIssuer } from './harness/tokens.ts';

const issuer = new TestIssuer('i', 'ES256', 'k');
const GOOD = issuer.jwks();

describe('a request for keys', () => {
  let server: JwksServer;
  let requests: JwksRequests;

  before(async () => {
    server = await JwksServer.start(says(GOOD));
  });
  beforeEach(() => {
    requests = new JwksRequests([]);
    server.answer = says(GOOD);
  });
  afterEach(() => requests.close());
  after(() => server.close());

  async function failure(uri: string = server.uri, timeoutMs: number = 2000): Promise<string> {
    const error = await requests.get(uri, timeoutMs).then(
      () => assert.fail('keys were found'),
      (reason: Error) => reason,
    );
    assert.ok(error.message.startsWith(`GET ${uri}: `), error.message);
    return error.message.slice(`GET ${uri}: `.length);
  }

  it('finds keys, whatever they are declared as', async () => {
    for (const type of ['application/json', 'application/jwk-set+json', 'text/plain', '']) {
      server.answer = says(GOOD, 200, type === '' ? {} : { 'content-type': type });
      const keys = await requests.get(server.uri, 2000);
      assert.deepEqual(
        keys.map(({ kid }) => kid),
        ['k'],
      );
    }
  });

  it('finds them by a name, and under `localhost` since the operator wrote it', async () => {
    assert.equal((await requests.get(`http://localhost:${server.port}/`, 2000)).length, 1);
  });

  const broken: readonly (readonly [name: string, answer: Answer, expected: RegExp])[] = [
    ['an error', says('no', 503), /^answered 503$/],
    ['not found', says('no', 404), /^answered 404$/],
    ['an empty answer', says('', 204), /^answered 204$/],
    ['HTML', says('<html>'), /no JSON/],
    ['no usable key', says('{"keys":[{"kty":"oct","k":"x"}]}'), /^none of its 1 keys can verify/],
    ['101 keys', says(JSON.stringify({ keys: new Array(101).fill(issuer.jwk()) })), /101 keys/],
    ['2 MB', says(`${GOOD}${' '.repeat(2_000_000)}`), /^the answer is larger than 1 MiB$/],
    [
      '2 MB in pieces without an announced length',
      (_, response) => {
        for (let n = 0; n < 2000; n++) response.write(' '.repeat(1000));
        response.end(GOOD);
      },
      /^the answer is larger than 1 MiB$/,
    ],
    ['a body that is compressed', says(GOOD, 200, { 'content-encoding': 'gzip' }), /content-encoding gzip/],
    ['a redirect without an end', redirects('/again'), /.*/],
    ['a redirect without a target', says('', 302), /^answered 302$/],
    ['a redirect to a file', redirects('file:///etc/passwd'), /no https:\/\/ or http:\/\/ URI/],
    ['a redirect to nonsense', redirects('http://[::'), /no https:\/\/ or http:\/\/ URI/],
    [
      'a connection that breaks',
      (request) => {
        request.socket.destroy();
      },
      /closed|socket/,
    ],
    [
      'a body that breaks off',
      (request, response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{', () => request.socket.destroy());
      },
      /closed|aborted|socket|terminated|does not match/,
    ],
  ];
  for (const [name, answer, expected] of broken) {
    it(`fails on ${name}`, async () => {
      server.answer = answer;
      assert.match(await failure(), expected);
    });
  }

  it('fails where nobody listens', async () => {
    const gone = await JwksServer.start(says(''));
    const { uri } = gone;
    await gone.close();
    assert.match(await failure(uri), /ECONNREFUSED/);
  });

  it('fails when its time is over, in the head and in the body', async () => {
    server.answer = () => {};
    assert.equal(await failure(server.uri, 50), 'no answer within 50 ms');
    server.answer = (_, response) => void response.write('{');
    assert.equal(await failure(server.uri, 50), 'no answer within 50 ms');
  });

  describe('J5: addresses', () => {
    const loopback = /which is loopback(, written as IPv6)?: keys are not fetched from there/;
    const targets: readonly (readonly [location: string, expected: RegExp])[] = [
      ['http://127.0.0.1:1/', loopback],
      ['http://127.1:1/', loopback],
      ['http://2130706433/', loopback],
      ['http://0x7f.0.0.1/', loopback],
      ['http://[::1]/', loopback],
      ['http://[::ffff:127.0.0.1]/', loopback],
      ['http://localhost:1/', loopback],
      ['http://LOCALHOST:1/', loopback],
      ['http://0.0.0.0/', /which is unspecified/],
      ['http://169.254.169.254/latest/meta-data/', /which is link-local/],
      ['http://[fe80::1]/', /which is link-local/],
      ['http://[::ffff:169.254.169.254]/', /which is link-local/],
      ['http://[fd00:ec2::254]/', /instance metadata/],
      ['http://100.100.100.200/', /instance metadata/],
      ['/other', loopback],
    ];
    for (const [location, expected] of targets) {
      it(`a server does not lead to ${location}`, async () => {
        for (const status of [301, 302, 303, 307, 308]) {
          server.answer = redirects(location, status);
          assert.match(await failure(), expected);
        }
      });
    }

    for (const host of ['169.254.169.254', '[fe80::1]', '[::ffff:169.254.169.254]', '100.100.100.200', '0.0.0.0']) {
      it(`nor does an operator to ${host}`, async () => {
        assert.match(await failure(`http://${host}/jwks`), /which is (link-local|an instance|unspecified)/);
      });
    }

    it('follows to addresses that are excepted, a few times', async () => {
      requests = new JwksRequests(['127.0.0.0/8']);
      server.answer = (request, response) => {
        const step = Number(/\d+$/.exec(request.url ?? '')?.[0] ?? 0);
        if (step === 3) response.end(GOOD);
        else response.writeHead(302, { location: `/step/${step + 1}` }).end();
      };
      assert.equal((await requests.get(server.uri, 2000)).length, 1);
      server.answer = redirects('/again');
      assert.equal(await failure(), 'more than 3 redirects');
    });
  });

  describe('to an issuer', () => {
    const discovery = (): string => `http://127.0.0.1:${server.port}/realm/.well-known/openid-configuration`;
    const serve = (document: string): void => {
      server.answer = (request, response) => {
        response.end(request.url === '/realm/.well-known/openid-configuration' ? document : GOOD);
      };
    };

    it('goes on to the keys that its discovery document names', async () => {
      requests = new JwksRequests(['127.0.0.1']);
      serve(JSON.stringify({ issuer: 'i', jwks_uri: `http://127.0.0.1:${server.port}/keys` }));
      assert.equal((await requests.get(discovery(), 2000)).length, 1);
      assert.equal(server.asked.at(-1)?.path, '/keys');
    });

    const documents: readonly (readonly [document: string, expected: RegExp])[] = [
      ['x', /discovery document is no JSON/],
      ['null', /names no jwks_uri/],
      ['{"jwks_uri":7}', /names no jwks_uri/],
      ['{"jwks_uri":"http://169.254.169.254/"}', /which is link-local/],
      ['{"jwks_uri":"http://127.0.0.1:1/"}', /which is loopback/],
      ['{"jwks_uri":"data:,x"}', /no https:\/\/ or http:\/\/ URI/],
    ];
    for (const [document, expected] of documents) {
      it(`fails on ${document}`, async () => {
        serve(document);
        assert.match(await failure(discovery()), expected);
      });
    }
  });
});
