import assert from 'node:assert/strict';
import {
  type BindPlan,
  EMPTY_SNAPSHOT,
  type ListenerPlan,
  type RoutePlan,
  type ServicePlan,
  type Snapshot,
  type TablePlan,
} from '../policies/plan.ts';
import { NO_REQUEST_POLICY } from '../policies/traffic.ts';
import { parseAuthority } from '../routing/host.ts';
import type { RequestHead } from '../routing/request.ts';
import { peerOf } from '../test/harness/peer.ts';
import { link } from './explain/link.ts';
import { Frontend, resolveFrontend } from './frontend.ts';

const PLAN: RoutePlan = {
  kind: 'HTTPRoute',
  route: 'shop/r',
  rule: '0',
  filters: [],
  backends: [],
  mirrors: [],
  timeouts: null,
  policy: NO_REQUEST_POLICY,
  origins: [],
  failure: null,
};

function listener(name: string, hostname: string | null): ListenerPlan {
  return {
    id: `shop/gw/${name}`,
    gateway: 'shop/gw',
    name,
    hostname,
    table: `shop/gw/${name}`,
    certificates: [],
    minTlsVersion: '1.2',
  };
}

function service(name: string, parts: Partial<ServicePlan>): ServicePlan {
  const id = `shop/${name}:80`;
  const own = { id, namespace: 'shop', name, port: 80, vips: [], gateway: 'shop/gw' };
  return {
    ...own,
    consumers: new Map(),
    producer: null,
    listeners: [],
    fallback: { ...PLAN, kind: 'Default' },
    ...parts,
  };
}

function table(id: string, hostnames: readonly string[] | null): TablePlan {
  const match = { path: { type: 'PathPrefix', value: '/' }, method: null, headers: [], query: [] } as const;
  const entry = {
    key: 'k',
    kind: 'HTTPRoute',
    namespace: 'shop',
    name: 'r',
    createdAt: 0,
    rules: [{ matches: [match], plan: PLAN }],
  };
  return { id, entries: hostnames === null ? new Map() : new Map([['k', { ...entry, hostnames }]]) };
}

const WEB = listener('web', 'web.example');
const ANY_EXAMPLE = listener('wild', '*.example');
const ANY = listener('any', null);
const SERVICES = [
  service('own', { producer: 'own', consumers: new Map([['client', 'consumer']]) }),
  service('gateway', { listeners: [WEB, ANY_EXAMPLE] }),
  service('plain', {}),
];
const TABLES = [
  table('own', []),
  table('consumer', []),
  table(WEB.table, ['other.example']),
  table(ANY_EXAMPLE.table, ['*.example']),
  table(ANY.table, null),
];

function bind(parts: Partial<BindPlan>): BindPlan {
  const plan = { id: '127.0.0.1:80', address: '127.0.0.1', port: 80, gateway: 'shop/gw' };
  const rest = { service: null, listeners: [], destinations: new Map(), authorities: new Map() };
  return { ...plan, protocol: 'HTTP', clientValidation: null, ...rest, ...parts };
}

const SNAPSHOT: Snapshot = {
  ...EMPTY_SNAPSHOT,
  services: new Map(SERVICES.map((each) => [each.id, each])),
  tables: new Map(TABLES.map((each) => [each.id, each])),
};
const SHARED = bind({
  authorities: new Map([
    ['own', 'shop/own:80'],
    ['own:8080', 'shop/plain:80'],
    ['gone', 'shop/gone:80'],
  ]),
  listeners: [WEB, ANY_EXAMPLE],
});

/** `service|listener|table`, or `none`. */
function resolved(plan: BindPlan, authority: string, namespace: string | null): string {
  const { host, port } = parseAuthority(authority) ?? { host: '', port: 0 };
  const head = { authority, host, port } as RequestHead;
  const frontend = new Frontend();
  const peer = peerOf({ address: '192.0.2.1', namespace });
  if (!resolveFrontend({ bind: plan, head, peer }, link(SNAPSHOT, null).live, frontend)) return 'none';
  const { service: found, listener: chosen, tableId } = frontend;
  assert.equal(frontend.table === null, tableId === null);
  return `${found?.plan.id ?? '-'}|${chosen?.name ?? '-'}|${tableId ?? '-'}`;
}

describe('resolveFrontend', () => {
  const vip = (name: string): BindPlan => bind({ service: `shop/${name}:80` });
  const cases: readonly (readonly [
    name: string,
    bind: BindPlan,
    authority: string,
    namespace: string | null,
    expected: string,
  ])[] = [
    ['a VIP, whatever the authority', vip('own'), 'elsewhere', null, 'shop/own:80|-|own'],
    ['a VIP without an authority', vip('own'), '', null, 'shop/own:80|-|own'],
    ['a consumer route before the producer route', vip('own'), 'own', 'client', 'shop/own:80|-|consumer'],
    ['the producer route for other clients', vip('own'), 'own', 'stranger', 'shop/own:80|-|own'],
    ['a Service without a route', vip('plain'), 'plain', null, 'shop/plain:80|-|-'],
    ['routes of the Gateway by hostname', vip('gateway'), 'a.example', null, 'shop/gateway:80|wild|shop/gw/wild'],
    [
      'a listener whose routes are for other hosts is passed over',
      vip('gateway'),
      'web.example',
      null,
      'shop/gateway:80|wild|shop/gw/wild',
    ],
    ['no listener for the host: forwarded to itself', vip('gateway'), 'gateway.shop', null, 'shop/gateway:80|-|-'],
    ['a VIP of a Service that is gone', vip('gone'), 'gone', null, 'none'],
    ['the shared port by host', SHARED, 'own', null, 'shop/own:80|-|own'],
    ['the shared port in any case, with a dot', SHARED, 'OWN.', null, 'shop/own:80|-|own'],
    ['the shared port by host and port', SHARED, 'own:8080', null, 'shop/plain:80|-|-'],
    ['the shared port by host and port in any case', SHARED, 'Own:8080', null, 'shop/plain:80|-|-'],
    ['a port the Service does not have', SHARED, 'own:81', null, 'none'],
    ['an authority of a Service that is gone', SHARED, 'gone', null, 'none'],
    ['the listener of the host', SHARED, 'web.example:80', null, '-|web|shop/gw/web'],
    ['the less specific listener', SHARED, 'x.example', null, '-|wild|shop/gw/wild'],
    ['no listener', SHARED, 'stranger', null, 'none'],
    ['a listener for any host', bind({ listeners: [WEB, ANY] }), 'stranger', null, '-|any|shop/gw/any'],
  ];
  for (const [name, plan, authority, namespace, expected] of cases) {
    it(name, () => assert.equal(resolved(plan, authority, namespace), expected));
  }
});
