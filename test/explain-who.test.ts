// What `waypoint explain` says of who asks: over TLS, with a certificate or without one, with a token or a bad one.

import assert from 'node:assert/strict';
import { DEFAULT_ENVIRONMENT } from '../gateway-api/environment.ts';
import { Store } from '../gateway-api/store.ts';
import { translate } from '../gateway-api/translate.ts';
import { parseJwks } from '../policies/jwks.ts';
import type { CredentialPlan, Snapshot } from '../policies/plan.ts';
import { DEFAULT_LIMITS } from '../waypoint/config.ts';
import type { ExplainOptions, ExplainRequest } from '../waypoint/explain/explain.ts';
import type { ExplainReport } from '../waypoint/explain/report.ts';
import { explainText } from '../waypoint/explain/text.ts';
import { explainVerified } from '../waypoint/explain/verified.ts';
import type { KeysNews } from '../waypoint/messages.ts';
import { authority } from './harness/certificates.ts';
import { TestIssuer } from './harness/tokens.ts';

const ca = authority();
const inline = new TestIssuer('https://inline.example');
const remote = new TestIssuer('https://remote.example');
const REMOTE_URI = 'https://remote.example/keys';

const listener = (name: string, port: number, hostname: string): string =>
  `{name: ${name}, port: ${port}, protocol: HTTPS, ${hostname === '' ? '' : `hostname: ${hostname}, `}tls: {certificateRefs: [${OWN}]}}`;
const OWN = '{group: waypoint.dev, kind: Credential, name: own}';

const SHOP = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: shop, namespace: shop}
spec:
  gatewayClassName: waypoint
  listeners:
  - ${listener('one', 443, 'one.example')}
  - ${listener('two', 443, 'two.example')}
  - ${listener('strict', 8443, '')}
  - ${listener('lenient', 9443, '')}
  tls:
    frontend:
      default: {}
      perPort:
      - {port: 8443, tls: {validation: {mode: AllowValidOnly, caCertificateRefs: [${OWN}]}}}
      - {port: 9443, tls: {validation: {mode: AllowInsecureFallback, caCertificateRefs: [${OWN}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop, labels: {waypoint.dev/use-waypoint: shop}}
spec: {clusterIP: 127.0.20.2, ports: [{port: 80, targetPort: 9000}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: orders-1, namespace: shop, labels: {kubernetes.io/service-name: orders}}
addressType: IPv4
ports: [{port: 9000}]
endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: orders, namespace: shop}
spec:
  parentRefs: [{name: shop}, {group: '', kind: Service, name: orders}]
  rules: [{backendRefs: [{name: orders, port: 80}]}]
---
apiVersion: waypoint.dev/v1alpha1
kind: AuthorizationPolicy
metadata: {name: orders, namespace: shop}
spec:
  targetRefs: [{group: '', kind: Service, name: orders}]
  rules:
  - from:
    - source: {principals: [cluster.local/ns/shop/sa/till]}
    - source: {requestPrincipals: ['*']}
  - to: [{operation: {methods: [OPTIONS]}}]
---
apiVersion: waypoint.dev/v1alpha1
kind: RequestAuthentication
metadata: {name: orders, namespace: shop}
spec:
  targetRefs: [{group: '', kind: Service, name: orders}]
  jwtRules:
  - {issuer: ${remote.issuer}, jwksUri: ${REMOTE_URI}, audiences: [shop]}
  - issuer: ${inline.issuer}
    jwks: '${inline.jwks()}'
    outputClaimToHeaders: [{header: x-user, claim: sub}]
`;

const OPTIONS: ExplainOptions = {
  ...{ limits: DEFAULT_LIMITS, pathNormalization: 'merge-slashes', zone: null },
  ...{ sessionKey: 'of sixteen characters', trustDomain: 'cluster.local', trustDomainAliases: ['old.local'] },
  trustedProxies: ['10.0.0.0/8'],
};

describe('waypoint explain, of who asks', () => {
  let snapshot: Snapshot;

  before(() => {
    const store = new Store();
    store.apply('shop.yaml', SHOP);
    assert.deepEqual(store.findings, []);
    const { chain, key } = ca.issue({ names: ['DNS:one.example', 'DNS:two.example'] });
    const own: CredentialPlan = {
      ...{ id: 'Credential own', certificate: chain, key, authorities: ca.certificate },
      ...{ revocations: null, trustDomain: null },
    };
    const environment = { ...DEFAULT_ENVIRONMENT, credentials: new Map([[own.id, own]]), now: Date.now() };
    snapshot = translate(store.resources, environment, null).snapshot;
  });

  async function reported(
    url: string,
    parts: Partial<ExplainRequest> = {},
    known: readonly KeysNews[] = [],
  ): Promise<ExplainReport> {
    const asked = { method: 'GET', url, headers: [], namespace: null, ...parts };
    const report = await explainVerified(asked, snapshot, OPTIONS, known);
    assert.ok(typeof report !== 'string', String(report));
    return report;
  }

  const TILL = 'cluster.local/ns/shop/sa/till';
  const hosts: readonly (readonly [name: string, url: string, parts: Partial<ExplainRequest>, expected: RegExp])[] = [
    [
      'SNI is the host of the URL',
      'https://one.example/',
      {},
      /^TLS {8}for one\.example \(SNI\): shop\/shop\/one presents Credential own$/m,
    ],
    [
      'a name that no listener has',
      'https://127.0.0.1/',
      { headers: [['host', 'one.example']] },
      /^Answer {5}none, tls_handshake: no listener of 127\.0\.0\.1:443 has a certificate for a client that names no host: the handshake fails$/m,
    ],
    [
      'a name of its own',
      'https://127.0.0.1/',
      { serverName: 'one.example', headers: [['host', 'one.example']] },
      /access_denied/,
    ],
    [
      'a host of another listener',
      'https://one.example/',
      { headers: [['host', 'two.example']] },
      /^Answer {5}421 misdirected: the connection was made for one\.example \(SNI\), but listener shop\/shop\/two serves two\.example: .*--sni two\.example/m,
    ],
    [
      'a Service by its name',
      'https://127.0.0.1:8443/',
      { headers: [['host', 'orders.shop']] },
      /^Addressed {2}Service shop\/orders:80$/m,
    ],
  ];
  for (const [name, url, parts, expected] of hosts) {
    it(`tells of ${name}`, async () => assert.match(explainText(await reported(url, parts)), expected));
  }

  const clients: readonly (readonly [
    name: string,
    url: string,
    principal: string | null,
    client: RegExp,
    status: number | null,
  ])[] = [
    [
      'the one that is allowed',
      'https://127.0.0.1:8443/',
      TILL,
      /^spiffe:\/\/cluster\.local\/ns\/shop\/sa\/till, by its cert/,
      null,
    ],
    ['one of an alias', 'https://127.0.0.1:8443/', 'old.local/ns/shop/sa/till', /by its certificate/, null],
    ['another one', 'https://127.0.0.1:8443/', 'cluster.local/ns/shop/sa/web', /by its certificate/, 403],
    [
      'one of another trust domain',
      'https://127.0.0.1:8443/',
      'evil.example/ns/shop/sa/till',
      /nobody knows: no CA/,
      0,
    ],
    [
      'one that is not vouched for, and passes',
      'https://127.0.0.1:9443/',
      'evil.example/ns/shop/sa/till',
      /no CA/,
      403,
    ],
    ['one without SPIFFE id', 'https://127.0.0.1:8443/', null, /valid certificate without SPIFFE id/, 403],
    ['one without a certificate', 'https://127.0.0.1:9443/', null, /shows no certificate/, 403],
    ['one that is not asked', 'https://one.example/', TILL, /are not asked for/, 403],
    ['one in the clear', 'http://127.0.20.2/', TILL, /there is no TLS here that would prove/, 403],
    ['one in the clear, of whom nothing is said', 'http://127.0.20.2/', null, /^$/, 403],
  ];
  for (const [name, url, principal, client, status] of clients) {
    it(`knows ${name}`, async () => {
      const report = await reported(url, { principal });
      assert.match(report.client, client);
      assert.equal(report.answer?.status ?? null, status);
    });
  }

  const now = Math.floor(Date.now() / 1000);
  const known: readonly KeysNews[] = [
    { uri: REMOTE_URI, keys: parseJwks(remote.jwks()) as NonNullable<KeysNews['keys']>, followed: true },
  ];
  const aud = 'shop';
  const tokens: readonly (readonly [
    name: string,
    token: () => string,
    known: readonly KeysNews[],
    expected: RegExp,
    status: number | null,
  ])[] = [
    [
      'a good one',
      () => inline.token(),
      [],
      /^Token {6}verified, of https:\/\/inline\.example\/alice, by Req.* shop\/orders$/m,
      null,
    ],
    ['a forged one', () => `${inline.token().slice(0, -8)}AAAAAAAA`, [], /refused: jwt_signature, by/, 401],
    ['an old one', () => inline.token({ claims: { exp: now - 3600 } }), [], /refused: jwt_expired/, 401],
    ['one of a stranger', () => new TestIssuer('https://x.example').token(), [], /refused: jwt_issuer/, 401],
    ['what is no token', () => 'nonsense', [], /refused: jwt_malformed/, 401],
    [
      'one whose keys are not here',
      () => remote.token({ claims: { aud } }),
      [],
      /NOT verified, .* taken for valid: of https:\/\/remote/,
      null,
    ],
    [
      'one for others whose keys are not here',
      () => remote.token({ claims: { aud: 'x' } }),
      [],
      /refused: jwt_audience/,
      401,
    ],
    [
      'one whose keys were fetched',
      () => remote.token({ claims: { aud } }),
      known,
      /Token {6}verified, of https:\/\/remote/,
      null,
    ],
    [
      'a forged one whose keys were fetched',
      () => `${remote.token({ claims: { aud } }).slice(0, -8)}AAAAAAAA`,
      known,
      /refused: jwt_sig/,
      401,
    ],
  ];
  for (const [name, token, keys, expected, status] of tokens) {
    it(`looks at ${name}`, async () => {
      const headers = [['authorization', `Bearer ${token()}`]] as const;
      const report = await reported('http://127.0.20.2/', { headers }, keys);
      assert.match(explainText(report), expected);
      assert.equal(report.answer?.status ?? null, status);
    });
  }

  it('shows what a believed token leaves in the request', async () => {
    const headers = [
      ['authorization', `Bearer ${inline.token()}`],
      ['x-user', 'root'],
    ] as const;
    const { rule } = await reported('http://127.0.20.2/', { headers });
    assert.ok(rule?.before.includes('x-user: root'));
    assert.deepEqual(rule?.after, ['GET / HTTP/1.1', 'host: 127.0.20.2', 'x-user: alice']);
  });

  it('removes what only a token may write where there is none', async () => {
    const { rule, token } = await reported('http://127.0.20.2/', { headers: [['x-user', 'root']] });
    assert.deepEqual([rule?.after, token], [['GET / HTTP/1.1', 'host: 127.0.20.2'], null]);
  });

  it('takes claims that are told for those of a verified token', async () => {
    const { answer } = await reported('http://127.0.20.2/', { claims: { iss: 'a', sub: 'b' } });
    assert.equal(answer, null);
  });

  const forwarded: readonly (readonly [name: string, address: string, told: string, expected: RegExp])[] = [
    ['a trusted proxy', '10.0.0.9', '198.51.100.7', /^198\.51\.100\.7, as the trusted proxy 10\.0\.0\.9 tells/],
    ['a chain of them', '10.0.0.9', '198.51.100.7, 10.0.0.8', /^198\.51\.100\.7, /],
    ['anybody else', '192.0.2.7', '198.51.100.7', /^$/],
  ];
  for (const [name, address, told, expected] of forwarded) {
    it(`takes x-forwarded-for of ${name} for what it is worth`, async () => {
      const { client } = await reported('http://127.0.20.2/', { address, headers: [['x-forwarded-for', told]] });
      assert.match(client, expected);
    });
  }

  it('says that a name is no SPIFFE id', async () => {
    const asked = { method: 'GET', url: 'http://127.0.20.2/', headers: [], namespace: null, principal: 'till' };
    assert.match(String(await explainVerified(asked, snapshot, OPTIONS, [])), /'till' is no SPIFFE id/);
  });
});
