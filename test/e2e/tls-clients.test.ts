// Client certificates of every kind, where they are required and where they only count if they are right.

import assert from 'node:assert/strict';
import { authority, type Issued } from '../harness/certificates.ts';
import { sentField } from '../harness/echoed.ts';
import { backendRef, configMap, gatewayClass, route, secureGateway, service, tlsSecret } from '../harness/manifests.ts';
import { freePort } from '../harness/ports.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';
import { callTls, outcomeOf, type TlsDial } from '../harness/tls-client.ts';
import { Waypoint } from '../harness/waypoint.ts';

const HOUR_MS = 3_600_000;
const ID = 'spiffe://cluster.local/ns/shop/sa/cart';
const NAMES = [`URI:${ID}`];
const root = authority({ subject: 'Root' });
const second = authority({ subject: 'Second' });
const between = root.intermediate();
const stranger = authority({ subject: 'Root' });
const listed = authority({ subject: 'Listed' });
const revoked = listed.issue({ names: NAMES });
const server = root.issue({ names: ['DNS:shop.example', 'URI:spiffe://cluster.local/ns/shop/sa/waypoint'] });

/** What comes of it: an identity, a valid certificate without one, or nothing. */
type Outcome = 'identity' | 'certificate' | 'nothing';

const cases: [name: string, certificate: Issued | null, expected: Outcome][] = [
  ['a SPIFFE id', root.issue({ names: NAMES }), 'identity'],
  ['a SPIFFE id of RSA', root.issue({ names: NAMES, key: 'RSA' }), 'identity'],
  ['a SPIFFE id of another root', second.issue({ names: NAMES }), 'identity'],
  ['a SPIFFE id through an intermediate', between.issue({ names: NAMES }), 'identity'],
  ['a SPIFFE id beside a DNS name', root.issue({ names: ['DNS:cart.example', ...NAMES] }), 'identity'],
  ['a SPIFFE id of an alias', root.issue({ names: ['URI:spiffe://old.example/ns/shop/sa/cart'] }), 'identity'],
  ['a SPIFFE id, for clients alone', root.issue({ names: NAMES, usages: ['clientAuth'] }), 'identity'],
  ['a SPIFFE id, for any use', root.issue({ names: NAMES, usages: [] }), 'identity'],
  ['no name', root.issue({ subject: ID }), 'certificate'],
  ['a DNS name', root.issue({ names: ['DNS:cart.example'] }), 'certificate'],
  ['a URI that is no SPIFFE id', root.issue({ names: ['URI:https://cart.example/'] }), 'certificate'],
  ['none', null, 'nothing'],
  [
    'expired',
    root.issue({ names: NAMES, notBefore: Date.now() - 9 * HOUR_MS, notAfter: Date.now() - HOUR_MS }),
    'nothing',
  ],
  ['not yet valid', root.issue({ names: NAMES, notBefore: Date.now() + HOUR_MS }), 'nothing'],
  ['for servers alone', root.issue({ names: NAMES, usages: ['serverAuth'] }), 'nothing'],
  ['an unknown CA', authority({ subject: 'Elsewhere' }).issue({ names: NAMES }), 'nothing'],
  ['an unknown CA of a known name', stranger.issue({ names: NAMES }), 'nothing'],
  ['itself', authority({ subject: 'Self', names: NAMES, usages: ['clientAuth'] }), 'nothing'],
  ['an intermediate that is not sent', withoutIssuers(between.issue({ names: NAMES })), 'nothing'],
  ['a leaf for its issuer', forged(), 'nothing'],
  ['two SPIFFE ids', root.issue({ names: [...NAMES, 'URI:spiffe://cluster.local/ns/shop/sa/admin'] }), 'nothing'],
  ['one SPIFFE id twice', root.issue({ names: [...NAMES, ...NAMES] }), 'nothing'],
  ['a SPIFFE id beside another URI', root.issue({ names: [...NAMES, 'URI:https://a.example/'] }), 'nothing'],
  ['a SPIFFE id with NUL', root.issue({ names: [`URI:${ID}\0.evil`] }), 'nothing'],
  ['a SPIFFE id with an escape', root.issue({ names: ['URI:spiffe://cluster.local/ns/shop%2Fsa/cart'] }), 'nothing'],
  ['a SPIFFE id with a port', root.issue({ names: ['URI:spiffe://cluster.local:1/ns/shop/sa/cart'] }), 'nothing'],
  ['a SPIFFE id with a query', root.issue({ names: [`URI:${ID}?a`] }), 'nothing'],
  ['a SPIFFE id with a fragment', root.issue({ names: [`URI:${ID}#a`] }), 'nothing'],
  ['a SPIFFE id with a user', root.issue({ names: ['URI:spiffe://a@cluster.local/ns/shop/sa/cart'] }), 'nothing'],
  ['a SPIFFE id with dots', root.issue({ names: ['URI:spiffe://cluster.local/ns/shop/../sa/cart'] }), 'nothing'],
  [
    'a SPIFFE id of another trust domain',
    root.issue({ names: ['URI:spiffe://evil.example/ns/shop/sa/cart'] }),
    'nothing',
  ],
  ['a CA with a SPIFFE id', root.intermediate({ names: NAMES, usages: ['clientAuth'] }), 'nothing'],
];

function withoutIssuers(issued: Issued): Issued {
  return { ...issued, chain: issued.certificate };
}

/** Signed by a leaf, which may sign nothing. */
function forged(): Issued {
  const subject = 'Leaf as CA';
  const leaf = root.issue({ subject, names: NAMES });
  const fake = authority({ subject });
  const made = fake.issue({ names: NAMES });
  return { ...made, chain: made.certificate + leaf.certificate };
}

describe('client certificates', () => {
  let backend: ScriptedBackend;
  let waypoint: Waypoint;
  let strict: number;
  let lenient: number;
  let checked: number;
  let unasked: number;

  before(async () => {
    backend = await ScriptedBackend.start();
    strict = await freePort();
    lenient = await freePort();
    checked = await freePort();
    unasked = await freePort();
    const validation = (mode: string, ...names: string[]): unknown => ({
      validation: { mode, caCertificateRefs: names.map((name) => ({ group: '', kind: 'ConfigMap', name })) },
    });
    const perPort = [
      { port: lenient, tls: validation('AllowInsecureFallback', 'ca', 'second') },
      { port: checked, tls: validation('AllowValidOnly', 'listed') },
      { port: unasked, tls: {} },
    ];
    const listeners = [strict, lenient, checked, unasked].map((port) => ({ port, secrets: ['server'] }));
    waypoint = await Waypoint.start(
      {
        'base.yaml': [
          gatewayClass(),
          secureGateway('edge', listeners, {
            frontend: { default: validation('AllowValidOnly', 'ca', 'second'), perPort },
          }),
          tlsSecret('server', server),
          configMap('ca', { 'ca.crt': root.certificate }),
          configMap('second', { 'ca.crt': second.certificate }),
          configMap('listed', { 'ca.crt': listed.certificate, 'ca.crl': listed.revoke([revoked]) }),
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

  function dial(port: number, certificate: Issued | null, more: Partial<TlsDial> = {}): TlsDial {
    return {
      port,
      ca: root.certificate,
      serverName: 'shop.example',
      ...(certificate === null ? {} : { certificate }),
      ...more,
    };
  }

  const LIE: readonly (readonly [string, string])[] = [
    ['X-Forwarded-Client-Cert', 'URI=spiffe://cluster.local/ns/kube-system/sa/admin'],
    ['x-forwarded-client-cert', 'By=a;Hash=lie'],
  ];

  function told(answer: { readonly body: string }): Outcome {
    const value = sentField(answer, 'x-forwarded-client-cert');
    assert.doesNotMatch(value ?? '', /admin|Hash=lie/);
    if (value === undefined) return 'nothing';
    assert.match(value, /^By=spiffe:\/\/cluster\.local\/ns\/shop\/sa\/waypoint;Hash=[0-9a-f]{64}/);
    return value.includes('URI=spiffe://') ? 'identity' : 'certificate';
  }

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    describe(`in ${version}`, () => {
      const only = { minVersion: version, maxVersion: version };
      for (const [name, certificate, expected] of cases) {
        it(`${name}: ${expected}`, async () => {
          const required = dial(strict, certificate, only);
          if (expected === 'nothing') assert.equal(await outcomeOf(required), 'refused');
          else assert.equal(told(await callTls(required, { fields: LIE })), expected);
          assert.equal(told(await callTls(dial(lenient, certificate, only), { fields: LIE })), expected);
          assert.equal(told(await callTls(dial(unasked, certificate, only), { fields: LIE })), 'nothing');
        });
      }
    });
  }

  it('that were revoked count for nothing, their neighbours do', async () => {
    assert.equal(await outcomeOf(dial(checked, revoked)), 'refused');
    assert.equal(told(await callTls(dial(checked, listed.issue({ names: NAMES })))), 'identity');
    assert.equal(await outcomeOf(dial(checked, null)), 'refused');
  });

  it("say who they are in Envoy's words", async () => {
    const certificate = root.issue({ subject: 'cart', names: ['DNS:cart.example', ...NAMES] });
    const value = sentField(await callTls(dial(strict, certificate)), 'x-forwarded-client-cert');
    assert.match(
      value ?? '',
      /;Subject="CN=cart";URI=spiffe:\/\/cluster\.local\/ns\/shop\/sa\/cart;DNS=cart\.example$/,
    );
  });

  it('that are refused are counted by their reason', async () => {
    const wrong: [names: string[], reason: string][] = [
      [[...NAMES, ...NAMES], 'spiffe_id_invalid'],
      [['URI:spiffe://evil.example/ns/shop/sa/cart'], 'trust_domain_foreign'],
    ];
    for (const [names] of wrong) assert.equal(await outcomeOf(dial(strict, root.issue({ names }))), 'refused');
    const { body } = await waypoint.admin('/metrics');
    for (const [, reason] of wrong) assert.match(body, new RegExp(`handshake\\S*\\{[^}]*reason="${reason}"`));
  });
});
