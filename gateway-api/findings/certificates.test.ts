import assert from 'node:assert/strict';
import { authority, type Issued } from '../../test/harness/certificates.ts';
import { DEFAULT_ENVIRONMENT } from '../environment.ts';
import { analyse } from '../findings.ts';
import { Store } from '../store.ts';
import { translate } from '../translate.ts';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2030, 0, 1);
const days = (from: number, to: number) => ({ notBefore: NOW + from * DAY_MS, notAfter: NOW + to * DAY_MS });
const root = authority({ subject: 'Root', ...days(-400, 4000) });
const FINE = days(-10, 80);
const fine = root.issue({ names: ['DNS:shop.example', 'DNS:*.shop.example'], ...FINE });

function gateway(listener: string, more = ''): string {
  return `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: shop}
spec:
  gatewayClassName: waypoint${more}
  listeners:
  - ${listener}
`;
}

function https(hostname: string | null = null): string {
  const host = hostname === null ? '' : `hostname: "${hostname}", `;
  return gateway(`{name: tls, port: 8443, ${host}protocol: HTTPS, tls: {certificateRefs: [{name: tls}]}}`);
}

function secret({ chain, key }: { chain: string; key: string }, more: Record<string, string> = {}): string {
  const stringData = { 'tls.crt': chain, 'tls.key': key, ...more };
  return `---\n${JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'tls', namespace: 'shop' }, stringData })}\n`;
}

function bundle(data: Record<string, string>): string {
  return `---\n${JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'ca', namespace: 'shop' }, data })}\n`;
}

const VALIDATED = gateway(
  '{name: tls, port: 8443, protocol: HTTPS, tls: {certificateRefs: [{name: tls}]}}',
  '\n  tls: {frontend: {default: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}}}}',
);

function findings(text: string): string[] {
  const store = new Store();
  store.apply('a.yaml', text);
  assert.deepEqual(store.findings, []);
  const translation = translate(store.resources, { ...DEFAULT_ENVIRONMENT, now: NOW }, null);
  return analyse(store.resources, translation).map(
    ({ severity, code, object, path, message }) => `${severity} ${code} ${object} ${path}: ${message}`,
  );
}

function withChain(leaf: Issued, ...issuers: readonly Issued[]): { chain: string; key: string } {
  return { chain: [leaf, ...issuers].map(({ certificate }) => certificate).join(''), key: leaf.key };
}

describe('findings about certificates', () => {
  const between = root.intermediate({ subject: 'Between', ...FINE });
  const dead = root.intermediate({ subject: 'Dead', ...days(-90, -1) });
  const cases: [name: string, text: string, expected: RegExp[]][] = [
    ['nothing wrong', https('shop.example') + secret(fine), []],
    ['any hostname', https() + secret(fine), []],
    ['a wildcard for one label', https('a.shop.example') + secret(fine), []],
    ['a wildcard listener', https('*.shop.example') + secret(fine), []],
    [
      'a wildcard is not for two labels',
      https('a.b.shop.example') + secret(fine),
      [
        /^warning certificate_hostname Gateway shop\/gw spec\.listeners\[0\]\.tls\.certificateRefs: no certificate covers a\.b\.shop\.example, .*Secret shop\/tls is for shop\.example, \*\.shop\.example$/,
      ],
    ],
    ['another name', https('cart.example') + secret(fine), [/no certificate covers cart\.example/]],
    ['no name at all', https('a.b') + secret(root.issue({ subject: 'a.b', ...FINE })), [/names no host$/]],
    [
      'it ends in 29 days',
      https() + secret(root.issue(days(-10, 29))),
      [/^warning certificate_expires_soon Secret shop\/tls data\["tls\.crt"\]: .*expires at 2030-01-30T00:00:00Z/],
    ],
    ['it ends in 30 days', https() + secret(root.issue(days(-10, 30))), []],
    [
      'it has ended',
      https() + secret(root.issue(days(-10, -1))),
      [/^error invalid_certificate_ref Gateway shop\/gw spec\.listeners\[0\]: .*expired/],
    ],
    ['a chain in order', https() + secret(between.issue(FINE)), []],
    [
      'an issuer that has ended',
      https() + secret(dead.issue(FINE)),
      [/^warning certificate_chain Secret .*sends along the certificate of CN=Dead, which expired/],
    ],
    [
      'a chain that leads elsewhere',
      https() + secret(withChain(between.issue(FINE), root, between)),
      [/^warning certificate_chain Secret .*certificate 2 did not issue certificate 1/],
    ],
    [
      'signed with SHA-1',
      https() + secret(root.issue({ digest: 'sha1', subject: 'Old', ...FINE })),
      [/^warning weak_certificate Secret .*for CN=Old signed with ecdsa-with-SHA1/],
    ],
    [
      'an RSA key of 1024 bits',
      https() + secret(root.issue({ key: 'RSA-1024', ...FINE })),
      [/^error invalid_certificate_ref Gateway .*RSA key of 1024 bits/],
    ],
    ['a sound bundle', VALIDATED + secret(fine) + bundle({ 'ca.crt': root.certificate }), []],
    [
      'a bundle that ends soon',
      VALIDATED +
        secret(fine) +
        bundle({ 'ca.crt': authority(days(-9, 9)).certificate + authority(days(-9, 8)).certificate }),
      [/^warning authority_expires_soon ConfigMap shop\/ca data\["ca\.crt"\]: .*outlasts 2030-01-10/],
    ],
    [
      'a leaf among CAs',
      VALIDATED +
        secret(fine) +
        bundle({ 'ca.crt': root.certificate + root.issue({ subject: 'Leaf', ...FINE }).certificate }),
      [/^warning not_an_authority ConfigMap .*CN=Leaf/],
    ],
    [
      'a weak CA',
      VALIDATED +
        secret(fine) +
        bundle({ 'ca.crt': authority({ subject: 'Weak', key: 'RSA-1024', ...FINE }).certificate }),
      [/^warning weak_certificate ConfigMap .*CN=Weak, whose RSA key has 1024 bits/],
    ],
    [
      'a revocation list for one of two',
      VALIDATED.replace('name: ca}]', 'name: ca}, {group: "", kind: Secret, name: tls}]') +
        secret(fine, { 'ca.crt': root.certificate }) +
        bundle({ 'ca.crt': root.certificate, 'ca.crl': root.revoke([], NOW) }),
      [/^warning revocation_list_missing Gateway shop\/gw spec\.tls\.frontend: .*add ca\.crl to Secret shop\/tls/],
    ],
    [
      'a key in a ConfigMap, used or not',
      bundle({ 'notes.txt': `see below\n${fine.key}` }),
      [/^warning private_key_in_config_map ConfigMap shop\/ca data\["notes\.txt"\]/],
    ],
    ['words about keys', bundle({ a: 'a PRIVATE KEY----- is not here' }), []],
    [
      'options of others',
      gateway(
        '{name: tls, port: 8443, protocol: HTTPS, tls: {certificateRefs: [{name: tls}], options: {example.com/a: b}}}',
      ) + secret(fine),
      [/^warning unknown_tls_option Gateway shop\/gw spec\.listeners\[0\]\.tls\.options: example\.com\/a/],
    ],
    [
      'client validation of no port',
      gateway(
        '{name: clear, port: 8080, protocol: HTTP}',
        '\n  tls: {frontend: {default: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}}, perPort: [{port: 8080, tls: {}}]}}',
      ),
      [
        /client_validation_unused .* spec\.tls\.frontend\.default/,
        /client_validation_unused .* spec\.tls\.frontend\.perPort\[0\]: .*on port 8080/,
      ],
    ],
  ];
  for (const [name, text, expected] of cases) {
    it(name, () => {
      const found = findings(text);
      assert.equal(found.length, expected.length, found.join('\n'));
      for (const [index, pattern] of expected.entries()) assert.match(found[index]!, pattern);
      assert.doesNotMatch(found.join(''), /BEGIN|MI[A-Z]/);
    });
  }
});
