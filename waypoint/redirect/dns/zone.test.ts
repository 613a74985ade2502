// What is said to each question: names in all their forms, types, and whose business a name is.

import assert from 'node:assert/strict';
import { decide } from './decide.ts';
import { Zone, type ZoneService } from './zone.ts';

const ORDERS: ZoneService = {
  namespace: 'shop',
  name: 'orders',
  isHome: true,
  vips: ['127.0.10.2'],
  addresses: ['127.0.10.1'],
  ports: [
    { name: 'http', port: 8880 },
    { name: 'admin', port: 9000 },
  ],
};
const SERVICES: readonly ZoneService[] = [
  ORDERS,
  { ...ORDERS, name: 'both', vips: ['127.0.10.3', 'fd00::3'], ports: [] },
  { ...ORDERS, name: 'plain', vips: [], addresses: ['127.0.10.1'], ports: [{ name: 'http', port: 15080 }] },
  { ...ORDERS, name: 'six', vips: ['fd00::6'], ports: [] },
  { ...ORDERS, namespace: 'other', name: 'away', isHome: false, vips: ['127.0.10.4'], ports: [] },
  { ...ORDERS, name: 'lodger', vips: ['127.0.10.3'], ports: [] },
  // Short names that would take in what is not theirs.
  { ...ORDERS, namespace: 'local', name: 'cluster', isHome: false, vips: ['127.0.10.5'], ports: [] },
  // The same bare name in the home namespaces of two Gateways.
  { ...ORDERS, name: 'twin', vips: ['127.0.10.6'], ports: [{ name: 'http', port: 80 }] },
  { ...ORDERS, namespace: 'store', name: 'twin', vips: ['127.0.10.7'], ports: [{ name: 'http', port: 80 }] },
];
const FQDN = 'orders.shop.svc.cluster.local';
const DOMAIN = 'cluster.local';

function said(zone: Zone, name: string, type: string, hasUpstream: boolean): string {
  const decision = decide({ name, type, class: 'IN', isPlain: true }, zone, hasUpstream);
  switch (decision.kind) {
    case 'answer':
      return decision.records
        .map((r) => (r.type === 'SRV' ? `SRV ${r.port} ${r.target}` : `${r.type} ${r.data}`))
        .join();
    case 'negative':
      return `${decision.rcode === 0 ? 'nodata' : 'nxdomain'} ${decision.apex}`;
    default:
      return decision.kind;
  }
}

describe('the zone', () => {
  const zone = new Zone(SERVICES, 'cluster.local', 1);

  const ours: readonly (readonly [name: string, type: string, expected: string])[] = [
    [FQDN, 'A', 'A 127.0.10.2'],
    ['orders.shop.svc', 'A', 'A 127.0.10.2'],
    ['orders.shop', 'A', 'A 127.0.10.2'],
    ['orders', 'A', 'A 127.0.10.2'],
    ['away.other', 'A', 'A 127.0.10.4'],
    ['away.other.svc.cluster.local', 'A', 'A 127.0.10.4'],
    [FQDN, 'AAAA', `nodata ${DOMAIN}`],
    ['orders', 'AAAA', 'nodata orders'],
    ['orders.shop', 'MX', 'nodata orders.shop'],
    [FQDN, 'SOA', `nodata ${DOMAIN}`],
    [FQDN, 'UNKNOWN_65', `nodata ${DOMAIN}`],
    [FQDN, 'ANY', 'minimal'],
    [FQDN, 'AXFR', 'refused'],
    [FQDN, 'IXFR', 'refused'],
    ['both.shop', 'A', 'A 127.0.10.3'],
    ['both.shop', 'AAAA', 'AAAA fd00::3'],
    ['six.shop', 'AAAA', 'AAAA fd00::6'],
    ['six.shop', 'A', 'nodata six.shop'],
    ['plain.shop', 'A', 'A 127.0.10.1'],
    [`_http._tcp.${FQDN}`, 'SRV', `SRV 8880 ${FQDN}`],
    ['_admin._tcp.orders', 'SRV', `SRV 9000 ${FQDN}`],
    ['_http._tcp.plain.shop.svc', 'SRV', 'SRV 15080 plain.shop.svc.cluster.local'],
    [`_http._tcp.${FQDN}`, 'A', `nodata ${DOMAIN}`],
    [`_tcp.${FQDN}`, 'SRV', `nodata ${DOMAIN}`],
    ['2.10.0.127.in-addr.arpa', 'PTR', `PTR ${FQDN}`],
    ['3.10.0.127.in-addr.arpa', 'PTR', 'PTR both.shop.svc.cluster.local,PTR lodger.shop.svc.cluster.local'],
    ['2.10.0.127.in-addr.arpa', 'A', 'nodata 2.10.0.127.in-addr.arpa'],
    // Nobody below the name of an enrolled Service leads past the waypoint.
    [`pod-1.${FQDN}`, 'A', `nxdomain ${DOMAIN}`],
    [`_grpc._tcp.${FQDN}`, 'SRV', `nxdomain ${DOMAIN}`],
    [`_http._udp.${FQDN}`, 'SRV', `nxdomain ${DOMAIN}`],
    [`a.b.c.${FQDN}`, 'A', `nxdomain ${DOMAIN}`],
    ['cluster.local.svc.cluster.local', 'A', 'A 127.0.10.5'],
    ['cluster.local.svc', 'A', 'A 127.0.10.5'],
    ['twin.shop', 'A', 'A 127.0.10.6'],
    ['twin.store', 'A', 'A 127.0.10.7'],
  ];
  for (const [name, type, expected] of ours) {
    it(`${name} ${type}`, () => {
      assert.equal(said(zone, name, type, true), expected);
      assert.equal(said(zone, name, type, false), expected, 'without resolvers');
    });
  }

  const others: readonly (readonly [name: string, upstream: string, alone: string])[] = [
    ['example.com', 'forward', 'refused'],
    ['', 'forward', 'refused'],
    ['com', 'forward', 'refused'],
    ['away', 'forward', 'refused'],
    ['twin', 'forward', 'refused'],
    ['_http._tcp.twin', 'forward', 'refused'],
    ['1.10.0.127.in-addr.arpa', 'forward', 'refused'],
    ['unknown.shop.svc.cluster.local', 'forward', `nxdomain ${DOMAIN}`],
    ['orders.nowhere.svc.cluster.local', 'forward', `nxdomain ${DOMAIN}`],
    // What a stub resolver makes of orders.shop and of the full name with its search list, on its way to the right one.
    ['orders.shop.shop.svc.cluster.local', 'forward', `nxdomain ${DOMAIN}`],
    [`${FQDN}.shop.svc.cluster.local`, 'forward', `nxdomain ${DOMAIN}`],
    [`${FQDN}.cluster.local`, 'forward', `nxdomain ${DOMAIN}`],
    ['orders.shop.cluster.local', 'forward', `nxdomain ${DOMAIN}`],
    ['cluster.local', 'forward', `nodata ${DOMAIN}`],
    ['svc.cluster.local', 'forward', `nodata ${DOMAIN}`],
    ['shop.svc.cluster.local', 'forward', `nodata ${DOMAIN}`],
    ['xcluster.local', 'forward', 'refused'],
    ['xorders.shop.svc.cluster.local', 'forward', `nxdomain ${DOMAIN}`],
  ];
  for (const [name, upstream, alone] of others) {
    it(`${name === '' ? '.' : name} is somebody else's`, () => {
      assert.equal(said(zone, name, 'A', true), upstream);
      assert.equal(said(zone, name, 'A', false), alone);
    });
  }

  it('is of class IN alone, and of plain names', () => {
    const asked = { name: 'orders.shop', type: 'A', class: 'IN', isPlain: true };
    assert.deepEqual(decide({ ...asked, class: 'CH' }, zone, true), { kind: 'refused' });
    assert.deepEqual(decide({ ...asked, class: 'ANY' }, zone, true), { kind: 'refused' });
    assert.deepEqual(decide({ ...asked, isPlain: false }, zone, true), { kind: 'forward' });
    assert.deepEqual(decide({ ...asked, isPlain: false }, zone, false), { kind: 'refused' });
  });

  it('takes the cluster domain as it is written', () => {
    const own = new Zone(SERVICES, 'K8s.Example.COM', 1);
    assert.equal(said(own, 'orders.shop.svc.k8s.example.com', 'A', true), 'A 127.0.10.2');
    assert.equal(said(own, FQDN, 'A', true), 'forward');
  });

  it('without Services knows no name', () => {
    assert.equal(said(new Zone([], 'cluster.local', 1), FQDN, 'A', false), `nxdomain ${DOMAIN}`);
  });
});
