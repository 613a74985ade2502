// Bad certificates: the listener says why and serves nobody, its neighbours serve, and mending it is enough.

import assert from 'node:assert/strict';
import { type Authority, authority, type Issued } from '../harness/certificates.ts';
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
import { eventually } from '../harness/signal.ts';
import { outcomeOf } from '../harness/tls-client.ts';
import { Waypoint } from '../harness/waypoint.ts';

const HOUR_MS = 3_600_000;
const root: Authority = authority();
const good: Issued = root.issue({ subject: 'good' });
const other: Issued = root.issue();
const BROKEN = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const expired = root.issue({ notBefore: Date.now() - 9 * HOUR_MS, notAfter: Date.now() - HOUR_MS });
const early = root.issue({ notBefore: Date.now() + HOUR_MS });

interface Shown {
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason: string;
    readonly message: string;
  }[];
}

describe('bad certificates', () => {
  let backend: ScriptedBackend;
  let waypoint: Waypoint;
  let bad: number;
  let fine: number;

  before(async () => {
    backend = await ScriptedBackend.start();
    bad = await freePort();
    fine = await freePort();
    waypoint = await Waypoint.start({
      'base.yaml': [
        gatewayClass(),
        secureGateway('fine', [{ name: 'tls', port: fine, secrets: ['fine'] }]),
        tlsSecret('fine', good),
        route({ name: 'all', parents: ['fine', 'bad'], rules: [{ backendRefs: [backendRef('app')] }] }),
        ...service({ name: 'app', endpoints: [backend.port] }),
      ],
      'bad.yaml': world(tlsSecret('bad', good)),
    });
  });
  after(async () => {
    await waypoint.close();
    await backend.close();
  });

  function world(...more: readonly Manifest[]): readonly Manifest[] {
    return [secureGateway('bad', [{ name: 'tls', port: bad, secrets: ['bad'] }]), ...more];
  }

  function validated(...more: readonly Manifest[]): readonly Manifest[] {
    const validation = { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'ca' }] };
    const tls = { frontend: { default: { validation } } };
    return [secureGateway('bad', [{ name: 'tls', port: bad, secrets: ['bad'] }], tls), tlsSecret('bad', good), ...more];
  }

  /** An address that is new is tried before it is listened on: a configuration is served before that. */
  async function mended(): Promise<void> {
    await waypoint.apply('bad.yaml', world(tlsSecret('bad', other)));
    await eventually(async () => (await outcome(bad)) === 200, 'the listener to serve again');
  }

  async function conditions(): Promise<Readonly<Record<string, string>>> {
    const { body } = await waypoint.admin('/statuses');
    const statuses = JSON.parse(body) as Record<string, { listeners: readonly Shown[] }>;
    const list = statuses['Gateway/default/bad']!.listeners[0]!.conditions;
    return Object.fromEntries(
      list.map(({ type, status, reason, message }) => [type, `${status} ${reason} ${message}`]),
    );
  }

  const outcome = (port: number, certificate?: Issued) =>
    outcomeOf({ port, ca: null, serverName: null, ...(certificate === undefined ? {} : { certificate }) });

  function opaque(data: Readonly<Record<string, string>>): Manifest {
    return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'bad', namespace: 'default' }, stringData: data };
  }

  const cases: [name: string, files: () => readonly Manifest[], condition: string, expected: RegExp][] = [
    ['no Secret', () => world(), 'ResolvedRefs', /^False InvalidCertificateRef There is no Secret default\/bad/],
    [
      'broken PEM',
      () => world(tlsSecret('bad', { chain: BROKEN, key: good.key })),
      'ResolvedRefs',
      /^False InvalidCertificateRef .*cannot be read/,
    ],
    [
      'no PEM',
      () => world(tlsSecret('bad', { chain: 'hello', key: good.key })),
      'ResolvedRefs',
      /^False InvalidCertificateRef .*no PEM certificate/,
    ],
    [
      'missing key',
      () => world(opaque({ 'tls.crt': good.chain })),
      'ResolvedRefs',
      /^False InvalidCertificateRef .*has no tls\.key/,
    ],
    [
      'mismatched pair',
      () => world(tlsSecret('bad', { chain: good.chain, key: other.key })),
      'ResolvedRefs',
      /^False InvalidCertificateRef .*not the key of the certificate/,
    ],
    ['expired', () => world(tlsSecret('bad', expired)), 'ResolvedRefs', /^False InvalidCertificateRef .*expired at/],
    [
      'not yet valid',
      () => world(tlsSecret('bad', early)),
      'ResolvedRefs',
      /^False InvalidCertificateRef .*not valid before/,
    ],
    [
      'CA without certificates',
      () => validated(configMap('ca', { 'ca.crt': '' })),
      'Accepted',
      /^False NoValidCACertificate .*no PEM certificate in ca\.crt/,
    ],
    [
      'CA with a broken one',
      () => validated(configMap('ca', { 'ca.crt': root.certificate + BROKEN })),
      'Accepted',
      /^False NoValidCACertificate .*certificate 2 of 2/,
    ],
    ['no CA', () => validated(), 'Accepted', /^False NoValidCACertificate .*There is no ConfigMap default\/ca/],
    [
      'a broken revocation list',
      () => validated(configMap('ca', { 'ca.crt': root.certificate, 'ca.crl': 'hello' })),
      'Accepted',
      /^False NoValidCACertificate .*no PEM revocation list/,
    ],
  ];
  for (const [name, files, type, expected] of cases) {
    it(`${name}: nobody is served, and the reason is told`, async () => {
      await waypoint.apply('bad.yaml', files());
      const told = await conditions();
      assert.match(told[type]!, expected);
      assert.match(told['Programmed']!, /^False Invalid /);
      assert.equal(await outcome(bad, good), 'refused');
      assert.equal(await outcome(fine), 200);
      await mended();
      assert.match((await conditions())['Programmed']!, /^True Programmed /);
    });
  }

  it('a certificate that ends while it is served is served no longer', async () => {
    const end = Math.ceil(Date.now() / 1000) * 1000 + 1000;
    await waypoint.apply('bad.yaml', world(tlsSecret('bad', root.issue({ notAfter: end }))));
    assert.equal(await outcome(bad), 200);
    await eventually(async () => (await outcome(bad)) === 'refused', 'the certificate to end', 5000);
    assert.ok(Date.now() > end);
    assert.match((await conditions())['ResolvedRefs']!, /expired at/);
    assert.equal(await outcome(fine), 200);
    await mended();
  });
});
