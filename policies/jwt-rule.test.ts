import assert from 'node:assert/strict';
import { TestIssuer } from '../test/harness/tokens.ts';
import { decodeAuthentication, type JwtRulePlan, reservedFields } from './authentication.ts';

const JWKS = new TestIssuer('i').jwks();
const URI = 'https://issuer.example/jwks.json';

function decode(...jwtRules: readonly unknown[]): { rules: readonly JwtRulePlan[] | null; reports: string[] } {
  const reports: string[] = [];
  const report = { unsupported: (path: string, message: string) => void reports.push(`${path}: ${message}`) };
  return { rules: decodeAuthentication({ jwtRules }, 'spec', report), reports };
}

describe('a JWTRule', () => {
  it('has the defaults of Istio', () => {
    const { rules } = decode({ issuer: 'https://i.example', jwksUri: URI });
    assert.deepEqual(rules, [
      {
        issuer: 'https://i.example',
        audiences: [],
        keys: { uri: URI },
        timeoutMs: 5000,
        locations: [
          { in: 'header', name: 'authorization', prefix: 'Bearer ' },
          { in: 'query', name: 'access_token' },
        ],
        forward: false,
        payloadHeader: null,
        claimHeaders: [],
        spacedClaims: ['scope', 'permission'],
      },
    ]);
  });

  it('says everything that can be said', () => {
    const { rules, reports } = decode({
      issuer: 'i',
      audiences: ['a', 'b'],
      jwks: JWKS,
      fromHeaders: [{ name: 'X-Token' }, { name: 'Authorization', prefix: 'Token ' }],
      fromParams: ['token'],
      fromCookies: ['session'],
      outputPayloadToHeader: 'X-Jwt-Payload',
      outputClaimToHeaders: [
        { header: 'X-Jwt-Sub', claim: 'sub' },
        { header: 'x_role', claim: 'realm.role' },
      ],
      forwardOriginalToken: true,
      timeout: '1s500ms',
      spaceDelimitedClaims: ['roles', 'scope'],
    });
    assert.deepEqual(reports, []);
    assert.deepEqual(rules, [
      {
        issuer: 'i',
        audiences: ['a', 'b'],
        keys: { inline: JWKS },
        timeoutMs: 1500,
        locations: [
          { in: 'header', name: 'x-token', prefix: '' },
          { in: 'header', name: 'authorization', prefix: 'Token ' },
          { in: 'query', name: 'token' },
          { in: 'cookie', name: 'session' },
        ],
        forward: true,
        payloadHeader: 'x-jwt-payload',
        claimHeaders: [
          { header: 'x-jwt-sub', claim: 'sub' },
          { header: 'x_role', claim: 'realm.role' },
        ],
        spacedClaims: ['scope', 'permission', 'roles'],
      },
    ]);
  });

  const keys: readonly (readonly [name: string, rule: object, expected: JwtRulePlan['keys']])[] = [
    ['jwksUri', { issuer: 'i', jwksUri: URI }, { uri: URI }],
    ['jwks_uri', { issuer: 'i', jwks_uri: URI }, { uri: URI }],
    [
      'http, a port, an address',
      { issuer: 'i', jwksUri: 'http://127.0.0.1:8080/k' },
      { uri: 'http://127.0.0.1:8080/k' },
    ],
    ['an IPv6 address', { issuer: 'i', jwksUri: 'http://[::1]:8080/k?x=1' }, { uri: 'http://[::1]:8080/k?x=1' }],
    ['any issuer', { jwksUri: URI }, { uri: URI }],
    ['jwks', { issuer: 'i', jwks: JWKS }, { inline: JWKS }],
    [
      'none: the issuer tells',
      { issuer: 'https://i.example/realm' },
      { uri: 'https://i.example/realm/.well-known/openid-configuration' },
    ],
    [
      'none, and a slash behind the issuer',
      { issuer: 'https://i.example/' },
      { uri: 'https://i.example/.well-known/openid-configuration' },
    ],
  ];
  for (const [name, rule, expected] of keys) {
    it(`finds its keys: ${name}`, () => {
      const { rules, reports } = decode(rule);
      assert.deepEqual(reports, []);
      assert.deepEqual(rules?.[0]?.keys, expected);
    });
  }

  const times: readonly (readonly [text: string, ms: number])[] = [
    ['5s', 5000],
    ['0.5s', 500],
    ['1.250s', 1250],
    ['1m', 60_000],
  ];
  for (const [text, ms] of times) {
    it(`waits ${text}`, () => {
      assert.equal(decode({ issuer: 'i', jwks: JWKS, timeout: text }).rules?.[0]?.timeoutMs, ms);
    });
  }

  const at = 'spec.jwtRules[0]';
  const wrong: readonly (readonly [name: string, rule: unknown, expected: RegExp])[] = [
    ['no object', 'x', /^spec\.jwtRules\[0\]: must be an object/],
    ['an unknown field', { issuer: 'i', jwks: JWKS, audience: 'a' }, /jwtRules\[0\]\.audience: is unknown here/],
    ['no issuer and no keys', {}, /issuer: "" is no https:\/\//],
    ['an issuer that is no URI and no keys', { issuer: 'i' }, /issuer: "i" is no https:\/\//],
    ['an issuer that is no text', { issuer: 7, jwks: JWKS }, /issuer: 7 is no text/],
    ['two kinds of keys', { issuer: 'i', jwks: JWKS, jwksUri: URI }, /jwksUri: and jwks exclude each other/],
    ['two spellings', { issuer: 'i', jwksUri: URI, jwks_uri: URI }, /jwks_uri: and jwksUri exclude each other/],
    ['keys that are none', { issuer: 'i', jwks: '{"keys":[]}' }, /jwks: none of its 0 keys/],
    ['keys that are no JSON', { issuer: 'i', jwks: 'x' }, /jwks: is no JSON/],
    ['a file as URI', { issuer: 'i', jwksUri: 'file:///etc/passwd' }, /jwksUri: .* is no https/s],
    ['a URI without a host', { issuer: 'i', jwksUri: 'https:///x' }, /jwksUri: .* is no https/s],
    ['a URI with a password', { issuer: 'i', jwksUri: 'https://u:p@h/x' }, /jwksUri: .* user or password/],
    ['a URI with a fragment', { issuer: 'i', jwksUri: 'https://h/x#y' }, /jwksUri: .* is no https/s],
    ['a URI with a port too large', { issuer: 'i', jwksUri: 'https://h:65536/' }, /jwksUri: .* names no host/],
    ['a URI with a line break', { issuer: 'i', jwksUri: 'https://h/\r\nx' }, /jwksUri: .* is no https/s],
    ['a URI of 3000 characters', { issuer: 'i', jwksUri: `https://h/${'x'.repeat(3000)}` }, /longer than 2048/],
    ['audiences that are no list', { issuer: 'i', jwks: JWKS, audiences: 'a' }, /audiences: "a" is no list/],
    ['an empty audience', { issuer: 'i', jwks: JWKS, audiences: [''] }, /audiences\[0\]: "" is no text/],
    ['65 audiences', { issuer: 'i', jwks: JWKS, audiences: new Array(65).fill('a') }, /64 are the most/],
    ['a header without name', { issuer: 'i', jwks: JWKS, fromHeaders: [{}] }, /fromHeaders\[0\]\.name: undefined/],
    ['a header with a blank', { issuer: 'i', jwks: JWKS, fromHeaders: [{ name: 'a b' }] }, /no name of a header/],
    ['a framing header', { issuer: 'i', jwks: JWKS, fromHeaders: [{ name: 'TE' }] }, /carries no token/],
    ['Host', { issuer: 'i', jwks: JWKS, fromHeaders: [{ name: 'Host' }] }, /carries no token/],
    [
      'a prefix with a line break',
      { issuer: 'i', jwks: JWKS, fromHeaders: [{ name: 'a', prefix: '\n' }] },
      /prefix: .* no printable text/s,
    ],
    [
      'an unknown member of a header',
      { issuer: 'i', jwks: JWKS, fromHeaders: [{ name: 'a', suffix: 'x' }] },
      /fromHeaders\[0\]\.suffix: is unknown/,
    ],
    [
      'a cookie with a blank',
      { issuer: 'i', jwks: JWKS, fromCookies: ['a b'] },
      /fromCookies\[0\]: .* no name of a cookie/,
    ],
    ['a parameter without name', { issuer: 'i', jwks: JWKS, fromParams: [''] }, /fromParams\[0\]: "" is no text/],
    [
      'forwarding that is no boolean',
      { issuer: 'i', jwks: JWKS, forwardOriginalToken: 'yes' },
      /neither true nor false/,
    ],
    ['a timeout of nothing', { issuer: 'i', jwks: JWKS, timeout: '0s' }, /timeout: must be longer/],
    ['a timeout of less', { issuer: 'i', jwks: JWKS, timeout: '0.0001s' }, /timeout: must be 1ms/],
    ['a timeout that is none', { issuer: 'i', jwks: JWKS, timeout: 'soon' }, /timeout: "soon" is no duration/],
    [
      'a claim without name',
      { issuer: 'i', jwks: JWKS, outputClaimToHeaders: [{ header: 'x-a' }] },
      /outputClaimToHeaders\[0\]\.claim: undefined names no claim/,
    ],
    [
      'one header for two claims',
      {
        issuer: 'i',
        jwks: JWKS,
        outputPayloadToHeader: 'x-a',
        outputClaimToHeaders: [{ header: 'X-A', claim: 'sub' }],
      },
      /outputClaimToHeaders\[0\]\.header: "x-a" is written twice/,
    ],
  ];
  for (const [name, rule, expected] of wrong) {
    it(`is refused: ${name}`, () => {
      const { rules, reports } = decode(rule);
      assert.equal(rules, null);
      assert.equal(reports.length, 1, reports.join('\n'));
      assert.ok(reports[0]!.startsWith(at));
      assert.match(reports[0]!, expected);
    });
  }

  const names = [
    ...['Host', 'connection', 'Content-Length', 'transfer-encoding', 'te', 'upgrade', 'trailer', 'keep-alive'],
    ...['authorization', 'Cookie', 'set-cookie', 'via', 'forwarded', 'x-real-ip', 'x-request-id', 'Date'],
    ...['x-forwarded-for', 'X-Forwarded-Client-Cert', 'X_Forwarded_For', 'x-envoy-peer', 'x-waypoint-hop'],
    ...['a b', 'a:b', 'a\r\nb', '', 'ä', 'a.b'],
  ];
  for (const name of names) {
    it(`lets no token write ${JSON.stringify(name)}`, () => {
      const rule = { issuer: 'i', jwks: JWKS };
      assert.equal(decode({ ...rule, outputPayloadToHeader: name }).rules, null);
      assert.equal(decode({ ...rule, outputClaimToHeaders: [{ header: name, claim: 'sub' }] }).rules, null);
    });
  }
});

describe('a RequestAuthentication', () => {
  const report = { unsupported: (path: string) => assert.fail(path) };

  it('may have no rules, and then believes nobody', () => {
    assert.deepEqual(decodeAuthentication({}, 'spec', report), []);
    assert.deepEqual(decodeAuthentication({ targetRefs: [], selector: {} }, 'spec', report), []);
  });

  it('is refused as a whole when one of its rules is', () => {
    const { rules, reports } = decode({ issuer: 'i', jwks: JWKS }, { issuer: 'i', jwks: JWKS, x: 1 }, { y: 2 });
    assert.equal(rules, null);
    assert.deepEqual(
      reports.map((line) => line.slice(0, line.indexOf(':'))),
      ['spec.jwtRules[1].x', 'spec.jwtRules[2].y'],
    );
  });
});

describe('the fields that tokens write', () => {
  const cases: readonly (readonly [name: string, spec: unknown, expected: readonly string[]])[] = [
    ['of no rules', {}, []],
    [
      'of rules',
      { jwtRules: [{ outputPayloadToHeader: 'X-A', outputClaimToHeaders: [{ header: 'x-b' }] }] },
      ['x-a', 'x-b'],
    ],
    [
      'of rules that are wrong otherwise',
      { jwtRules: [{ issuer: 7, outputPayloadToHeader: 'x-a' }, null, 'x'] },
      ['x-a'],
    ],
    ['each once', { jwtRules: [{ outputPayloadToHeader: 'x-a' }, { outputPayloadToHeader: 'X-a' }] }, ['x-a']],
    ["but never what is no token's to write", { jwtRules: [{ outputPayloadToHeader: 'Host' }] }, []],
    ['of nonsense', { jwtRules: { outputPayloadToHeader: 'x-a' } }, []],
    ['of nothing', null, []],
  ];
  for (const [name, spec, expected] of cases) it(name, () => assert.deepEqual(reservedFields(spec), expected));
});
