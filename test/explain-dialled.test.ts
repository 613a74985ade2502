import assert from 'node:assert/strict';
import { DEFAULT_ENVIRONMENT } from '../gateway-api/environment.ts';
import { NO_PORTS } from '../gateway-api/service-ports.ts';
import { Store } from '../gateway-api/store.ts';
import { translate } from '../gateway-api/translate.ts';
import { chooseBind } from '../waypoint/explain/dialled.ts';

const RESOURCES = `
kind: Gateway
apiVersion: gateway.networking.k8s.io/v1
metadata: {name: gw, namespace: shop}
spec: {gatewayClassName: waypoint, listeners: [{name: http, port: 15080, protocol: HTTP}]}
---
kind: Gateway
apiVersion: gateway.networking.k8s.io/v1
metadata: {name: proxied, namespace: shop}
spec: {gatewayClassName: waypoint, listeners: [{name: http, port: 15088, protocol: waypoint.dev/PROXY}]}
---
kind: Service
apiVersion: v1
metadata: {name: orders, namespace: shop, labels: {waypoint.dev/use-waypoint: gw}}
spec: {clusterIP: 127.0.0.10, clusterIPs: [127.0.0.10, "fd00::7"], ports: [{port: 80}]}
---
kind: Service
apiVersion: v1
metadata: {name: catalog, namespace: shop, labels: {waypoint.dev/use-waypoint: proxied}}
spec: {clusterIP: 10.96.0.8, clusterIPs: [10.96.0.8, "fd00::8"], ports: [{port: 80}]}
`;

describe('whom a URL leads to', () => {
  const store = new Store();
  store.apply('shop.yaml', RESOURCES);
  const plain = translate(store.resources, DEFAULT_ENVIRONMENT, null).snapshot;
  const servicePorts = { from: 20_000, to: 29_999, kept: NO_PORTS };
  const ported = translate(store.resources, { ...DEFAULT_ENVIRONMENT, servicePorts }, null).snapshot;

  const rows: [authority: string, snapshot: typeof plain, service: string | null, found: string][] = [
    ['127.0.0.10', plain, 'shop/orders:80', 'the address of Service shop/orders:80'],
    ['orders.shop', plain, 'shop/orders:80', 'the name of Service shop/orders:80, which has this address'],
    ['127.0.0.1:15080', plain, null, 'its address'],
    ['10.96.0.8', plain, 'shop/catalog:80', 'the address of Service shop/catalog:80, if a proxy tells it'],
    ['[fd00::8]:80', plain, 'shop/catalog:80', 'the address of Service shop/catalog:80, if a proxy tells it'],
    ['catalog.shop.svc', plain, 'shop/catalog:80', 'the address of Service shop/catalog:80, if a proxy tells it'],
    [
      '[fd00::7]:80',
      ported,
      'shop/orders:80',
      'the port of Service shop/orders:80, if what is sent there is led to it',
    ],
    [
      '10.96.0.8:80',
      ported,
      'shop/catalog:80',
      'the port of Service shop/catalog:80, if what is sent there is led to it',
    ],
  ];
  for (const [authority, snapshot, service, found] of rows) {
    it(`${authority}: ${found}`, () => {
      const dialled = chooseBind(authority, snapshot);
      assert.ok(typeof dialled === 'object', String(dialled));
      assert.deepEqual([dialled.bind.service, dialled.found], [service, found]);
    });
  }

  for (const authority of ['10.96.0.9', '10.96.0.8:81', 'fd00::7']) {
    it(`${authority}: nobody`, () => assert.equal(typeof chooseBind(authority, plain), 'string'));
  }
});
