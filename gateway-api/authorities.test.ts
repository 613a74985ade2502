import assert from 'node:assert/strict';
import { authoritiesOf } from './authorities.ts';
import type { Enrolment } from './enrolment.ts';

function enrolment(name: string, namespace: string, ports: readonly [name: string, port: number][]): Enrolment {
  const all = ports.map(([portName, port]) => ({ id: `${namespace}/${name}:${port}`, port, name: portName }));
  return { name, namespace, ports: all } as unknown as Enrolment;
}

const SCOPE = { home: 'shop', clusterDomain: 'Cluster.Local', port: 15080 };

describe('authorities of enrolled Services', () => {
  const orders = authoritiesOf(
    [
      enrolment('orders', 'shop', [
        ['web', 80],
        ['admin', 81],
      ]),
    ],
    SCOPE,
  );
  const cases: [string, string | undefined][] = [
    ['orders', 'shop/orders:80'],
    ['orders.shop', 'shop/orders:80'],
    ['orders.shop.svc', 'shop/orders:80'],
    ['orders.shop.svc.cluster.local', 'shop/orders:80'],
    ['orders:81', 'shop/orders:81'],
    ['orders.shop.svc.cluster.local:81', 'shop/orders:81'],
    ['orders.shop:15080', 'shop/orders:80'],
    ['orders:82', undefined],
    ['orders.shop.svc.other.domain', undefined],
  ];
  for (const [authority, expected] of cases) it(authority, () => assert.equal(orders.get(authority), expected));

  it('leaves the bare name to the namespace of the Gateway', () => {
    const authorities = authoritiesOf([enrolment('page', 'web', [['http', 80]])], SCOPE);
    assert.equal(authorities.get('page'), undefined);
    assert.equal(authorities.get('page.web'), 'web/page:80');
  });

  const main: [string, [string, number][], number][] = [
    ['the only port', [['x', 9000]], 9000],
    [
      'port 80',
      [
        ['http', 8080],
        ['x', 80],
      ],
      80,
    ],
    [
      'the port named http',
      [
        ['x', 9000],
        ['http', 8080],
      ],
      8080,
    ],
    [
      'the first',
      [
        ['x', 9000],
        ['y', 8000],
      ],
      9000,
    ],
  ];
  for (const [name, ports, expected] of main) {
    it(`means, without a port, ${name}`, () => {
      assert.equal(authoritiesOf([enrolment('s', 'shop', ports)], SCOPE).get('s'), `shop/s:${expected}`);
    });
  }

  it('lets a port of the Service win over the same number of the listener', () => {
    const authorities = authoritiesOf(
      [
        enrolment('s', 'shop', [
          ['http', 80],
          ['x', 15080],
        ]),
      ],
      SCOPE,
    );
    assert.equal(authorities.get('s:15080'), 'shop/s:15080');
  });
});
