import assert from 'node:assert/strict';
import { authority } from '../../test/harness/certificates.ts';
import { DEFAULT_ENVIRONMENT } from '../environment.ts';
import { analyse } from '../findings.ts';
import { Store } from '../store.ts';
import { type Environment, translate } from '../translate.ts';

const YEAR_MS = 31_536_000_000;
const root = authority({ notAfter: Date.now() + YEAR_MS });
const pair = (name: string): string => {
  const { chain, key } = root.issue({ subject: name, notAfter: Date.now() + YEAR_MS });
  return object(
    'v1',
    'Secret',
    name,
    `type: kubernetes.io/tls, stringData: ${JSON.stringify({ 'tls.crt': chain, 'tls.key': key })}`,
  );
};

/** Fields in flow style. */
function object(apiVersion: string, kind: string, name: string, fields: string): string {
  return `\n---\n{apiVersion: ${apiVersion}, kind: ${kind}, metadata: {name: ${name}, namespace: shop}, ${fields}}`;
}

const API = 'gateway.networking.k8s.io/v1';
const X_API = 'gateway.networking.x-k8s.io/v1alpha1';

function gateway(name: string, port: number, more = ''): string {
  const spec = `{gatewayClassName: waypoint, listeners: [{name: any, port: ${port}, protocol: HTTP}]${more}}`;
  return object(API, 'Gateway', name, `spec: ${spec}`);
}

const showing = (name: string): string => `, tls: {backend: {clientCertificateRef: {name: ${name}}}}`;

function route(name: string, backendRef: string, parents = '{name: web}'): string {
  return object(API, 'HTTPRoute', name, `spec: {parentRefs: [${parents}], rules: [{backendRefs: [${backendRef}]}]}`);
}

const WEB = gateway('web', 8080);
const ORDERS =
  object('v1', 'Service', 'orders', 'spec: {ports: [{name: https, port: 443}]}') +
  `\n---\n{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: orders-1, namespace: shop, labels: {kubernetes.io/service-name: orders}}, addressType: IPv4, endpoints: [{addresses: [127.0.0.1]}], ports: [{name: https, port: 443}]}` +
  route('orders', '{name: orders, port: 443}');
const ROOT = object('v1', 'ConfigMap', 'root', `data: ${JSON.stringify({ 'ca.crt': root.certificate })}`);

interface PolicySetup {
  readonly target?: string;
  readonly validation?: string;
  readonly more?: string;
}

function policy(
  name: string,
  { target = '{group: "", kind: Service, name: orders}', validation, more = '' }: PolicySetup = {},
): string {
  const how = validation ?? 'hostname: orders.example, wellKnownCACertificates: System';
  return object(API, 'BackendTLSPolicy', name, `spec: {targetRefs: [${target}], validation: {${how}}${more}}`);
}

function believing(...names: readonly string[]): string {
  return `hostname: orders.example, caCertificateRefs: [${names.map((name) => `{group: "", kind: ConfigMap, name: ${name}}`).join(', ')}]`;
}

function xBackend(name: string, spec: string, hostname = 'api.example'): string {
  return object(
    X_API,
    'XBackend',
    name,
    `spec: {type: ExternalHostname, externalHostname: {hostname: ${hostname}}, port: {port: 443}${spec}}`,
  );
}

const TO_API = route('api', '{group: gateway.networking.x-k8s.io, kind: XBackend, name: api}');
const SERVER_ONLY = ', tls: {mode: ServerOnly}';
const EXTERNAL_NAME = object(
  'v1',
  'Service',
  'api',
  'spec: {type: ExternalName, externalName: api.example, ports: [{port: 443}]}',
);
const TO_EXTERNAL_NAME = route('api', '{name: api, port: 443}');

function found(text: string, environment: Partial<Environment> = {}): string[] {
  const store = new Store();
  store.apply('x.yaml', text);
  assert.deepEqual(store.findings, []);
  const translation = translate(store.resources, { ...DEFAULT_ENVIRONMENT, now: Date.now(), ...environment }, null);
  return analyse(store.resources, translation).map(
    ({ severity, code, object: name, path, message }) => `${severity} ${code} ${name} ${path}: ${message}`,
  );
}

describe('findings about backends', () => {
  /** [name, configuration, what is found, in order]. */
  const cases: readonly (readonly [string, string, readonly RegExp[], Partial<Environment>?])[] = [
    ['an encrypted Service', WEB + ORDERS + policy('p'), []],
    ['one with a CA of its own', WEB + ORDERS + ROOT + policy('p', { validation: believing('root') }), []],
    [
      'a missing target',
      WEB + ORDERS + policy('p', { target: '{group: "", kind: Service, name: nowhere}' }),
      [/^error dangling_target BackendTLSPolicy shop\/p spec\.targetRefs\[0\]: There is no Service shop\/nowhere/],
    ],
    [
      'a missing port',
      WEB + ORDERS + policy('p', { target: '{group: "", kind: Service, name: orders, sectionName: http}' }),
      [/^error dangling_target .*Service shop\/orders has no port named http; it has https$/],
    ],
    [
      'a target of another kind',
      WEB + ORDERS + policy('p', { target: '{group: gateway.networking.x-k8s.io, kind: XBackend, name: a}' }),
      [/^error unsupported_kind .*XBackend a is no kind of target: name a Service$/],
    ],
    [
      'a Service that nothing leads to',
      WEB +
        ORDERS +
        object('v1', 'Service', 'idle', 'spec: {ports: [{port: 443}]}') +
        policy('p', { target: '{group: "", kind: Service, name: idle}' }),
      [/^warning policy_never_applies .*no request reaches Service shop\/idle/],
    ],
    [
      'two of one target',
      WEB + ORDERS + policy('p') + policy('q'),
      [
        /^warning policy_conflict BackendTLSPolicy shop\/q spec: BackendTLSPolicy shop\/p has the same target and is older$/,
      ],
    ],
    [
      'no CA that is left',
      WEB + ORDERS + policy('p', { validation: believing('nowhere') }),
      [/^error no_valid_ca_certificate .*There is no ConfigMap shop\/nowhere/, /^error invalid_ca_certificate_ref /],
    ],
    [
      'a CA that is missing beside one that is not',
      WEB + ORDERS + ROOT + policy('p', { validation: believing('root', 'nowhere') }),
      [/^error invalid_ca_certificate_ref .*caCertificateRefs: There is no ConfigMap shop\/nowhere/],
    ],
    [
      'an option',
      WEB + ORDERS + policy('p', { more: ', options: {example.com/a: b}' }),
      [/^error invalid_policy .*options example\.com\/a: no option is known here/],
    ],
    [
      'an address for a host name',
      WEB + ORDERS + policy('p', { validation: 'hostname: 10.0.0.1, wellKnownCACertificates: System' }),
      [/^warning hostname_is_address .*spec\.validation\.hostname: 10\.0\.0\.1 is an IP address/],
    ],
    [
      'one backend and two client certificates',
      gateway('web', 8080, showing('one')) +
        gateway('edge', 8081, showing('two')) +
        ORDERS.replace('[{name: web}]', '[{name: web}, {name: edge}]') +
        pair('one') +
        pair('two') +
        policy('p'),
      [
        /^warning client_certificate_conflict Gateway shop\/edge .*is shown the client certificate of Gateway shop\/web/,
      ],
    ],
    ['a name outside', WEB + TO_API + xBackend('api', SERVER_ONLY), []],
    [
      'a name outside in cleartext',
      WEB + TO_API + xBackend('api', ''),
      [/^warning cleartext_egress XBackend shop\/api spec\.tls: .*ServerOnly$/],
    ],
    [
      'a name outside in cleartext on purpose',
      WEB + TO_API + xBackend('api', ', tls: {mode: None}'),
      [/^warning cleartext_egress XBackend shop\/api /],
    ],
    [
      'a name outside that no route names',
      WEB + ORDERS + xBackend('api', SERVER_ONLY),
      [/^warning backend_never_used XBackend shop\/api /],
    ],
    [
      'an address as a name outside',
      WEB + TO_API + xBackend('api', SERVER_ONLY, '10.0.0.1'),
      [
        /^error unsupported_value HTTPRoute shop\/api .*is an IP address/,
        /^error unsupported_value XBackend shop\/api /,
      ],
    ],
    [
      'a protocol that is not forwarded',
      WEB + TO_API + xBackend('api', `${SERVER_ONLY}, protocol: GRPC`),
      [/^error unsupported_protocol HTTPRoute shop\/api /, /^error unsupported_protocol XBackend shop\/api /],
    ],
    [
      'a name outside that shows what is missing',
      WEB + TO_API + xBackend('api', ', tls: {mode: ClientAndServer, clientCertificateRef: {name: nowhere}}'),
      [
        /^error invalid_client_certificate_ref XBackend shop\/api spec\.tls: tls\.clientCertificateRef: There is no Secret/,
      ],
    ],
    [
      'a reference into another namespace, with the grant that would permit it',
      WEB + route('api', '{group: gateway.networking.x-k8s.io, kind: XBackend, name: api, namespace: other}'),
      [/^error missing_grant .*to: \[\{group: gateway\.networking\.x-k8s\.io, kind: XBackend, name: api\}\]/],
    ],
    [
      'an ExternalName that is not allowed',
      WEB + TO_EXTERNAL_NAME + EXTERNAL_NAME,
      [/^error unsupported_kind .*Service shop\/api is an ExternalName.*--allow-external-name$/],
    ],
    [
      'an ExternalName in cleartext',
      WEB + TO_EXTERNAL_NAME + EXTERNAL_NAME,
      [/^warning cleartext_egress Service shop\/api spec\.externalName: .*BackendTLSPolicy$/],
      { allowExternalName: true },
    ],
    [
      'an ExternalName that is encrypted',
      WEB + TO_EXTERNAL_NAME + EXTERNAL_NAME + policy('p', { target: '{group: "", kind: Service, name: api}' }),
      [],
      { allowExternalName: true },
    ],
    [
      'an EndpointSlice of names',
      WEB + ORDERS.replace('addressType: IPv4', 'addressType: FQDN').replace('127.0.0.1', 'api.example'),
      [/^info no_endpoint /, /^warning unread_endpoint_slice EndpointSlice shop\/orders-1 addressType: /],
    ],
  ];
  for (const [name, text, expected, environment] of cases) {
    it(name, () => {
      const all = found(text, environment);
      assert.equal(all.length, expected.length, all.join('\n'));
      for (const [index, pattern] of expected.entries()) {
        assert.ok(
          all.some((line) => pattern.test(line)),
          `${index}: ${pattern} in\n${all.join('\n')}`,
        );
      }
    });
  }
});
