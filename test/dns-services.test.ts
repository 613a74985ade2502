// From resources to names: at which addresses and ports DNS says that an enrolled Service is reached.

import assert from 'node:assert/strict';
import { DEFAULT_ENVIRONMENT } from '../gateway-api/environment.ts';
import { NO_PORTS } from '../gateway-api/service-ports.ts';
import { Store } from '../gateway-api/store.ts';
import { type Environment, translate } from '../gateway-api/translate.ts';
import { zoneInputs, zoneServices } from '../waypoint/cli/zone-services.ts';
import type { ZoneService } from '../waypoint/redirect/dns/zone.ts';
import {
  documents,
  gateway,
  type Manifest,
  namespace,
  route,
  type ServiceSetup,
  service,
} from './harness/manifests.ts';

const USE = { 'waypoint.dev/use-waypoint': 'edge' };
const ELSEWHERE = { ...USE, 'waypoint.dev/use-waypoint-namespace': 'default' };

interface Setup {
  readonly addresses?: readonly string[];
  readonly listeners?: Parameters<typeof gateway>[1];
  readonly services: readonly (Partial<ServiceSetup> & { readonly name: string })[];
  readonly environment?: Partial<Environment>;
  readonly ownAddresses?: readonly string[];
}

function objectsOf({ addresses, listeners = [{ port: 15080 }], services }: Setup): readonly Manifest[] {
  const edge = gateway('edge', listeners);
  if (addresses !== undefined) {
    Object.assign(edge['spec'] as object, { addresses: addresses.map((value) => ({ type: 'IPAddress', value })) });
  }
  return [
    edge,
    namespace('other'),
    ...services.flatMap((setup) => service({ endpoints: [], labels: USE, clusterIP: '127.0.9.1', ...setup })),
  ];
}

function translated(setup: Setup): ReturnType<typeof translate> {
  const store = new Store();
  store.apply('a.yaml', documents(objectsOf(setup)));
  assert.deepEqual(store.findings, []);
  return translate(store.resources, { ...DEFAULT_ENVIRONMENT, ...setup.environment }, null);
}

function line({ namespace: home, name, isHome, vips, addresses, ports }: ZoneService): string {
  const where = vips.length > 0 ? `vip ${vips.join('+')}` : `at ${addresses.join('+')}`;
  return `${home}/${name}${isHome ? '' : ' away'} ${where} ${ports.map(({ name: port, port: number }) => `${port}:${number}`).join()}`.trim();
}

describe('the names of enrolled Services', () => {
  const cases: readonly (readonly [name: string, setup: Setup, expected: readonly string[]])[] = [
    ['lead to the address of the Service', { services: [{ name: 'a' }] }, ['default/a vip 127.0.9.1 p0:80']],
    [
      'without an address of its own to the Gateway, at its port',
      { addresses: ['127.0.9.9'], services: [{ name: 'a', clusterIP: undefined as unknown as string }] },
      ['default/a at 127.0.9.9 p0:15080'],
    ],
    [
      'whose address is not of this host to the Gateway',
      { services: [{ name: 'a', clusterIP: '10.96.0.7' }], environment: { localAddresses: new Set(['10.0.0.1']) } },
      ['default/a at 127.0.0.1 p0:15080'],
    ],
    [
      'whose address an interface of this host has to that',
      { services: [{ name: 'a', clusterIP: '10.96.0.7' }], environment: { localAddresses: new Set(['10.96.0.7']) } },
      ['default/a vip 10.96.0.7 p0:80'],
    ],
    [
      'with a port of its own to that port',
      {
        services: [{ name: 'a', clusterIP: '10.96.0.7', port: 80, morePorts: [81] }],
        environment: { servicePorts: { from: 20_000, to: 20_001, kept: NO_PORTS } },
      },
      ['default/a at 127.0.0.1 p0:20000,p1:20001'],
    ],
    [
      'are left out where the Service is not enrolled or cannot be',
      {
        services: [
          { name: 'a', labels: {} },
          { name: 'b', labels: { 'waypoint.dev/use-waypoint': 'none' } },
          { name: 'c', labels: { 'waypoint.dev/use-waypoint': 'gone' } },
          { name: 'd', clusterIP: 'None' },
          { name: 'e', appProtocol: 'kafka.apache.org/wire' },
        ],
      },
      [],
    ],
    [
      'of another namespace have no bare name',
      {
        listeners: [{ port: 15080, allowedRoutes: { namespaces: { from: 'All' } } }],
        services: [{ name: 'a', namespace: 'other', labels: ELSEWHERE }],
      },
      ['other/a away vip 127.0.9.1 p0:80'],
    ],
    [
      'never lead to an address at which a port is another Service',
      { services: [{ name: 'a' }, { name: 'b', port: 80, morePorts: [81] }, { name: 'c', port: 82 }] },
      ['default/a vip 127.0.9.1 p0:80', 'default/b at 127.0.0.1 p0:15080,p1:15080', 'default/c vip 127.0.9.1 p0:82'],
    ],
    [
      'whose address cannot be listened on to the Gateway',
      { services: [{ name: 'a' }], environment: { bindErrors: new Map([['127.0.9.1:80', 'EADDRINUSE']]) } },
      ['default/a at 127.0.0.1 p0:15080'],
    ],
    [
      'at a Gateway of several addresses lead to all of them',
      { addresses: ['127.0.9.9', '::1'], services: [{ name: 'a', clusterIP: '10.96.0.7' }] },
      ['default/a at 127.0.9.9+::1 p0:15080'],
    ],
    [
      'at a Gateway on every address lead to those of this host',
      {
        addresses: ['0.0.0.0'],
        services: [{ name: 'a', clusterIP: '10.96.0.7' }],
        ownAddresses: ['192.0.2.1', 'fd00::1'],
      },
      ['default/a at 192.0.2.1 p0:15080'],
    ],
    [
      'at a Gateway on every address of both families likewise',
      { addresses: ['::'], services: [{ name: 'a', clusterIP: '10.96.0.7' }], ownAddresses: ['192.0.2.1', 'fd00::1'] },
      ['default/a at 192.0.2.1+fd00::1 p0:15080'],
    ],
  ];
  for (const [name, setup, expected] of cases) {
    it(name, () => assert.deepEqual(zoneServices(translated(setup), setup.ownAddresses ?? []).map(line), expected));
  }

  it('are made anew for Services and Gateways, not for routes', () => {
    const setup: Setup = { services: [{ name: 'a' }] };
    const store = new Store();
    store.apply('a.yaml', documents(objectsOf(setup)));
    const first = translate(store.resources, DEFAULT_ENVIRONMENT, null);
    store.apply('b.yaml', documents([route({ name: 'r', parents: ['edge'], rules: [{}] })]));
    const second = translate(store.resources, DEFAULT_ENVIRONMENT, first);
    assert.notEqual(first.snapshot.tables, second.snapshot.tables);
    assert.deepEqual(
      zoneInputs(second).map((input, at) => input === zoneInputs(first)[at]),
      [true, true, true, true],
    );
    store.apply('c.yaml', documents(service({ name: 'b', endpoints: [], labels: USE, clusterIP: '127.0.9.2' })));
    const third = translate(store.resources, DEFAULT_ENVIRONMENT, second);
    assert.ok(zoneInputs(third).some((input, at) => input !== zoneInputs(second)[at]));
  });
});
