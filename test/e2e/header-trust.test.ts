// Which fields a backend may believe (H1 – H5): hop-by-hop ones go, forged ones are replaced, odd names are ordinary.

import assert from 'node:assert/strict';
import { call } from '../harness/call.ts';
import { echoed, sentField } from '../harness/echoed.ts';
import { backendRef, gateway, gatewayClass, route, service } from '../harness/manifests.ts';
import { freePort } from '../harness/ports.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';
import { expectForwarded } from '../harness/verdict.ts';
import { Waypoint } from '../harness/waypoint.ts';
import { World } from '../harness/world.ts';

type FieldRow = readonly [name: string, value: string];

describe('hop-by-hop fields', () => {
  let world: World;
  before(async () => {
    world = await World.start();
  });
  after(() => world.close());

  for (const token of [
    'x-forwarded-for',
    'X-Forwarded-Host',
    ' x-forwarded-proto ',
    'x-request-id',
    'via',
    'host',
    'content-length',
    'Transfer-Encoding',
  ]) {
    for (const spelt of [token, `close, ${token}`, `${token},${token}`, `keep-alive ,\t${token.toUpperCase()}`]) {
      it(`H1 Connection: ${spelt} removes nothing the waypoint adds`, async () => {
        const bytes = `POST /h HTTP/1.1\r\nHost: test.example\r\nConnection: ${spelt}\r\nContent-Length: 5\r\n\r\nhello`;
        const { request } = await expectForwarded(world, bytes, {
          body: 'hello',
          fields: {
            host: 'test.example',
            'content-length': '5',
            'x-forwarded-for': '127.0.0.1',
            'x-forwarded-proto': 'http',
            'x-forwarded-host': 'test.example',
          },
        });
        assert.notEqual(request.message.get('x-request-id') ?? '', '');
        assert.notEqual(request.message.get('via') ?? '', '');
      });
    }
  }

  it('H1 fields that Connection names go, in any case and over several Connection fields', async () => {
    const fields: FieldRow[] = [
      ['Connection', 'X-One, x-TWO'],
      ['x-one', '1'],
      ['X-Two', '2'],
      ['X-Three', '3'],
      ['connection', 'x-four'],
      ['X-Four', '4'],
      ['X-Five', '5'],
    ];
    const answer = await call(world.port, { fields });
    for (const name of ['x-one', 'x-two', 'x-four', 'connection'])
      assert.equal(sentField(answer, name), undefined, name);
    assert.equal(sentField(answer, 'x-three'), '3');
    assert.equal(sentField(answer, 'x-five'), '5');
  });

  it('H1 Connection: transfer-encoding on a chunked request keeps it framed', async () => {
    const bytes =
      'POST /h HTTP/1.1\r\nHost: test.example\r\nConnection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
    await expectForwarded(world, bytes, { body: 'hello' });
  });

  it('H2 always dropped', async () => {
    const names = [
      'Keep-Alive',
      'Proxy-Connection',
      'TE',
      'Upgrade',
      'Proxy-Authenticate',
      'Proxy-Authorization',
      'Trailer',
    ];
    const answer = await call(world.port, { fields: names.map((name): FieldRow => [name, 'x']) });
    for (const name of names.slice(0, -1)) assert.equal(sentField(answer, name.toLowerCase()), undefined, name);
  });
});

const FORGED = [
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'X-Forwarded-Port',
  'X-Forwarded-Prefix',
  'Forwarded',
  'X-Real-IP',
  'X-Forwarded-Client-Cert',
  'X-Envoy-External-Address',
  'X-Envoy-Internal',
];

describe('forged fields', () => {
  let world: World;
  before(async () => {
    world = await World.start();
  });
  after(() => world.close());

  for (const name of FORGED) {
    const spellings = [
      name,
      name.toLowerCase(),
      name.toUpperCase(),
      name.replaceAll('-', '_'),
      name.replaceAll('-', '.'),
      name.replace('-', '_').toLowerCase(),
    ];
    for (const spelling of new Set(spellings)) {
      it(`H3 ${spelling} from an untrusted peer does not survive`, async () => {
        const answer = await call(world.port, {
          fields: [
            [spelling, 'forged.6.6.6.6'],
            ['X-Plain', 'x'],
          ],
        });
        const survived =
          answer.status === 400 ? [] : echoed(answer).fields.filter(([, value]) => value.includes('forged'));
        assert.deepEqual(survived, []);
        if (answer.status !== 400) assert.equal(sentField(answer, 'x-forwarded-for'), '127.0.0.1');
      });
    }
  }

  it('H4 a client-sent XFCC never survives, split over lines or not', async () => {
    const fields: FieldRow[] = [
      ['X-Forwarded-Client-Cert', 'URI=spiffe://a/b'],
      ['x-forwarded-client-cert', 'By=x;URI=spiffe://a/c'],
    ];
    assert.equal(sentField(await call(world.port, { fields }), 'x-forwarded-client-cert'), undefined);
  });

  it('a request id of the client is kept, one is made otherwise', async () => {
    const kept = await call(world.port, { fields: [['X-Request-Id', 'abc-123']] });
    assert.equal(sentField(kept, 'x-request-id'), 'abc-123');
    const made = await call(world.port, {});
    assert.match(sentField(made, 'x-request-id') ?? '', /^[-0-9a-zA-Z]{16,}$/);
  });

  it('Via names this hop behind the ones before it', async () => {
    const answer = await call(world.port, { fields: [['Via', '1.1 before']] });
    assert.match(sentField(answer, 'via') ?? '', /^1\.1 before, ?1\.1 /);
  });

  it('a request that already passed here is refused with 508', async () => {
    const first = await call(world.port, {});
    const answer = await call(world.port, { fields: [['Via', sentField(first, 'via') as string]] });
    assert.equal(answer.status, 508);
  });

  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype']) {
    it(`H5 ${name} is an ordinary name`, async () => {
      const answer = await call(world.port, {
        fields: [
          [name, 'x'],
          [name, 'y'],
        ],
      });
      assert.equal(sentField(answer, name.toLowerCase()), 'x,y');
    });
  }

  it('duplicate fields keep their order, count and case', async () => {
    const fields: FieldRow[] = [
      ['X-A', '1'],
      ['x-b', '2'],
      ['X-A', '3'],
      ['x-a', ''],
    ];
    const sent = echoed(await call(world.port, { fields })).fields.filter(([name]) => /^x-[ab]$/i.test(name));
    assert.deepEqual(sent, fields);
  });
});

describe('trusted peers', () => {
  it('H3 extend what they forward', async () => {
    const world = await World.start(undefined, { trustedProxies: ['127.0.0.0/8'] });
    try {
      const answer = await call(world.port, {
        fields: [
          ['X-Forwarded-For', '10.1.2.3'],
          ['X-Forwarded-Proto', 'https'],
        ],
      });
      assert.match(sentField(answer, 'x-forwarded-for') ?? '', /^10\.1\.2\.3, ?127\.0\.0\.1$/);
      assert.equal(sentField(answer, 'x-forwarded-proto'), 'https');
    } finally {
      await world.close();
    }
  });
});

describe('header matching', () => {
  let backend: ScriptedBackend;
  let waypoint: Waypoint;
  let port: number;
  before(async () => {
    backend = await ScriptedBackend.start();
    port = await freePort();
    const matches = [
      { headers: [{ name: 'X-Role', value: 'admin' }] },
      { headers: [{ name: '__proto__', value: 'x' }] },
      { headers: [{ name: 'X-Set', value: 'a,b' }] },
    ];
    const rules = [{ matches, backendRefs: [backendRef('app')] }];
    waypoint = await Waypoint.start({
      'a.yaml': [
        gatewayClass(),
        gateway('edge', [{ port }]),
        route({ name: 'r', parents: ['edge'], rules }),
        ...service({ name: 'app', endpoints: [backend.port] }),
      ],
    });
  });
  after(async () => {
    await waypoint.close();
    await backend.close();
  });

  for (const [name, fields, status] of [
    ['the exact value', [['x-role', 'admin']], 200],
    ['the name in capitals', [['X-ROLE', 'admin']], 200],
    ['another case of the value', [['x-role', 'Admin']], 404],
    ['an alias with underscores', [['x_role', 'admin']], 404],
    ['white space around the value', [['x-role', ' admin\t']], 200],
    ['__proto__', [['__proto__', 'x']], 200],
    ['no field', [], 404],
    [
      'a set of values compares as a,b',
      [
        ['x-set', 'a'],
        ['x-set', 'b'],
      ],
      200,
    ],
    [
      'a set in another order',
      [
        ['x-set', 'b'],
        ['x-set', 'a'],
      ],
      404,
    ],
  ] as const) {
    it(`H5 ${name} → ${status}`, async () => {
      assert.equal((await call(port, { fields })).status, status);
    });
  }
});
