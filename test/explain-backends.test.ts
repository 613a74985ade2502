// What `waypoint explain` says of encrypted backends and of names outside.

import assert from 'node:assert/strict';
import { DEFAULT_ENVIRONMENT } from '../gateway-api/environment.ts';
import { Store } from '../gateway-api/store.ts';
import { translate } from '../gateway-api/translate.ts';
import { DEFAULT_LIMITS } from '../waypoint/config.ts';
import { explain } from '../waypoint/explain/explain.ts';
import { explainText } from '../waypoint/explain/text.ts';
import { authority } from './harness/certificates.ts';

const root = authority();
const X_BACKEND = '{group: gateway.networking.x-k8s.io, kind: XBackend, name: api}';

function world(backendRefs: string, validation: string): string {
  return `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, namespace: shop}
spec: {gatewayClassName: waypoint, listeners: [{name: any, port: 8080, protocol: HTTP}]}
---
{apiVersion: v1, kind: Service, metadata: {name: orders, namespace: shop}, spec: {ports: [{port: 443}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: orders-1, namespace: shop, labels: {kubernetes.io/service-name: orders}}
addressType: IPv4
ports: [{port: 443}]
endpoints: [{addresses: [10.0.0.1]}]
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: root, namespace: shop}, data: ${JSON.stringify({ 'ca.crt': root.certificate })}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: orders, namespace: shop}
spec:
  targetRefs: [{group: "", kind: Service, name: orders}]
  validation: {hostname: orders.example, ${validation}}
---
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XBackend
metadata: {name: api, namespace: shop}
spec: {type: ExternalHostname, externalHostname: {hostname: api.example}, port: {port: 8443}, tls: {mode: ServerOnly}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: all, namespace: shop}
spec: {parentRefs: [{name: web}], rules: [{backendRefs: [${backendRefs}]}]}
`;
}

function told(text: string, addresses: Readonly<Record<string, readonly string[]>> = {}): string {
  const store = new Store();
  store.apply('x.yaml', text);
  assert.deepEqual(store.findings, []);
  const environment = { ...DEFAULT_ENVIRONMENT, now: Date.now(), addresses: new Map(Object.entries(addresses)) };
  const { snapshot } = translate(store.resources, environment, null);
  const asked = { method: 'GET', url: 'http://127.0.0.1:8080/', headers: [], namespace: null };
  const options = { limits: DEFAULT_LIMITS, pathNormalization: 'base' as const, zone: null, sessionKey: null };
  const report = explain(asked, snapshot, options);
  if (typeof report === 'string') assert.fail(report);
  return explainText(report);
}

describe('waypoint explain, of backends', () => {
  const ca = 'caCertificateRefs: [{group: "", kind: ConfigMap, name: root}]';
  const orders = '{name: orders, port: 443}';

  it('says whom an encrypted Service has to be', () => {
    const text = told(world(orders, ca));
    assert.match(text, /\n +TLS with orders\.example, certified by ConfigMap shop\/root\n/);
    assert.match(text, /\nAnswer +forwarded\n/);
  });

  it('says which names count instead', () => {
    const names = 'subjectAltNames: [{type: Hostname, hostname: a.example}, {type: URI, uri: "spiffe://a/b"}]';
    const text = told(world(orders, `${ca}, ${names}`));
    assert.match(
      text,
      /TLS with orders\.example, certified by ConfigMap shop\/root for a\.example or spiffe:\/\/a\/b\n/,
    );
  });

  it('says why no connection is made', () => {
    const text = told(world(orders, ca.replace('root', 'nowhere')));
    assert.match(text, /never connected, NoValidCACertificate: .*There is no ConfigMap shop\/nowhere/);
    assert.match(text, /\nAnswer +503 upstream_tls: upstream connect failed: No CA is left/);
  });

  it('says what a name outside is told, and where it leads', () => {
    const text = told(world(X_BACKEND, ca), { 'api.example': ['192.0.2.1'] });
    assert.match(text, /Backend +100 % +XBackend shop\/api:8443\n +outside, Host says api\.example:8443\n/);
    assert.match(text, /\n +TLS with api\.example, certified by System\n/);
    assert.match(text, /\n +- 192\.0\.2\.1:8443 +ready +api\.example\n/);
  });

  it('says that a name outside has no address', () => {
    const text = told(world(X_BACKEND, ca), { 'api.example': [] });
    assert.match(text, /\n +no address: DNS gave none\n/);
    assert.match(text, /\nAnswer +503 no_endpoint/);
  });
});
