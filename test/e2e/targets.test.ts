// Request targets and authorities (P2, P6, P7): one normalised view for matching and for the backend, or a refusal.

import assert from 'node:assert/strict';
import { RawClient } from '../harness/raw-client.ts';
import { expectForwarded, expectRejected } from '../harness/verdict.ts';
import { World } from '../harness/world.ts';

function get(target: string, lines: string = 'Host: test.example\r\n', method: string = 'GET'): string {
  return `${method} ${target} HTTP/1.1\r\n${lines}\r\n`;
}

const BAD = [400];

const REFUSED: readonly (readonly [string, string, (readonly number[])?])[] = [
  ['P2 a lone %', get('/a%'), BAD],
  ['P2 %a at the end', get('/%a'), BAD],
  ['P2 %ax', get('/%ax'), BAD],
  ['P2 %00', get('/admin%00'), BAD],
  ['P2 above the root', get('/../admin'), BAD],
  ['P2 above the root, encoded', get('/%2e%2e/admin'), BAD],
  ['P2 far above the root', get('/a/../../admin'), BAD],
  ['P6 no Host', get('/', ''), BAD],
  ['P6 two Hosts', get('/', 'Host: a\r\nHost: b\r\n'), BAD],
  ['P6 two equal Hosts', get('/', 'Host: a\r\nhost: a\r\n'), BAD],
  ['P6 an empty Host', get('/', 'Host:\r\n'), BAD],
  ...[
    'a,b',
    'user@a',
    'user:pass@a',
    'a/b',
    'a?b',
    'a#b',
    'a b',
    '[::1',
    '::1',
    '[::1]x',
    '[::1]:',
    'a:98777',
    'a:65536',
    'a:-1',
    'a:8o',
    'a:80:80',
    'a:0x50',
    ':80',
    'a\\b',
    'a<b',
    'a"b',
    '..',
    'a..b',
    '[g::1]',
    'a%00b',
    'a:99999999999999999999',
  ].map((host): readonly [string, string, readonly number[]] => [
    `P6 Host ${host}`,
    get('/', `Host: ${host}\r\n`),
    BAD,
  ]),
  ['P6 absolute-form with userinfo', get('http://user@test.example/'), BAD],
  ['P6 absolute-form without authority', get('http:///path'), BAD],
  ['P6 absolute-form with a bad port', get('http://test.example:98777/'), BAD],
  ['P6 absolute-form of another scheme', get('ftp://test.example/'), BAD],
  ['P6 absolute-form with two Hosts', get('http://test.example/', 'Host: a\r\nHost: b\r\n'), BAD],
  ['P6 absolute-form without Host', get('http://test.example/', ''), BAD],
  ['P7 GET *', get('*'), BAD],
  ['P7 POST *', get('*', 'Host: test.example\r\n', 'POST'), BAD],
  ['P7 GET admin', get('admin'), BAD],
  ['P7 GET a:80', get('a:80'), BAD],
  ['P7 GET with a backslash', get('\\admin'), BAD],
  ['P7 GET ?query', get('?a=b'), BAD],
  ['P7 a fragment alone', get('#a'), BAD],
  ['P7 OPTIONS **', get('**', 'Host: test.example\r\n', 'OPTIONS'), BAD],
];

/** At the default level: dot segments decoded and removed, slashes merged. */
const NORMALISED: readonly (readonly [sent: string, forwarded: string])[] = [
  ['/', '/'],
  ['/a/b?c=d', '/a/b?c=d'],
  ['//a///b', '/a/b'],
  ['/a/./b', '/a/b'],
  ['/a/../b', '/b'],
  ['/a/%2e%2E/b', '/b'],
  ['/a/%2e/b', '/a/b'],
  ['/app/%2E./admin', '/admin'],
  ['/a/..;/b', '/a/..;/b'],
  ['/admin;a=b', '/admin;a=b'],
  ['/%252e%252e/admin', '/%252e%252e/admin'],
  ['/Admin', '/Admin'],
  ['/a?x=/../y', '/a?x=/../y'],
  ['/a?x=//y', '/a?x=//y'],
  ['/a?', '/a?'],
  ['/a?b?c', '/a?b?c'],
  ['/caf%C3%A9', '/caf%C3%A9'],
  ['/a/', '/a/'],
  ['/a/b/..', '/a/'],
  ['/a/b/.', '/a/b/'],
];

describe('targets and authorities, refused', () => {
  let world: World;
  before(async () => {
    world = await World.start();
  });
  after(() => world.close());

  for (const [name, bytes, statuses] of REFUSED) {
    it(name, async () => {
      await expectRejected(world, bytes, statuses);
    });
  }
});

describe('targets and authorities, forwarded', () => {
  let world: World;
  before(async () => {
    world = await World.start();
  });
  after(() => world.close());

  for (const [sent, forwarded] of NORMALISED) {
    it(`P2 ${sent} → ${forwarded}, the same in the log`, async () => {
      const { request } = await expectForwarded(world, get(sent), { target: forwarded });
      const id = request.message.get('x-request-id');
      const entry = await world.waypoint.log.findOne((e) => e['id'] === id);
      assert.equal(String(entry['path']).split('?', 1)[0], forwarded.split('?', 1)[0]);
    });
  }

  it('P2 a fragment is refused, or cut before matching and forwarding alike', async () => {
    try {
      await expectRejected(world, get('/app#foo'), BAD);
    } catch {
      await expectForwarded(world, get('/app#foo'), { target: '/app' });
    }
  });

  for (const [host, forwarded] of [
    ['test.example', 'test.example'],
    ['TEST.example', 'TEST.example'],
    ['test.example:8080', 'test.example:8080'],
    ['test.example.', 'test.example.'],
    ['127.0.0.1', '127.0.0.1'],
    ['[::1]', '[::1]'],
    ['[::1]:80', '[::1]:80'],
    ['xn--caf-dma.example', 'xn--caf-dma.example'],
    ['under_score.example', 'under_score.example'],
  ] as const) {
    it(`P6 Host ${host} is forwarded as sent`, async () => {
      await expectForwarded(world, get('/', `Host: ${host}\r\n`), { fields: { host: forwarded } });
    });
  }

  it('P6 the authority of an absolute-form target wins and rewrites Host', async () => {
    const bytes = get('http://real.example:81/x?y', 'Host: other.example\r\n');
    try {
      await expectForwarded(world, bytes, { target: '/x?y', fields: { host: 'real.example:81' } });
    } catch {
      await expectRejected(world, bytes, BAD);
    }
  });

  it('P6 absolute-form without a path is /', async () => {
    await expectForwarded(world, get('http://test.example'), { target: '/', fields: { host: 'test.example' } });
  });

  it('P6 absolute-form in capitals', async () => {
    await expectForwarded(world, get('HTTP://test.example/a'), { target: '/a' });
  });

  it('P7 OPTIONS * is well-formed: no path rule takes it, the connection lives on', async () => {
    const client = await RawClient.connect(world.port);
    await client.send(get('*', 'Host: test.example\r\n', 'OPTIONS') + get('/next'));
    assert.equal((await client.response('OPTIONS')).status, 404);
    assert.equal((await client.response()).status, 200);
    client.destroy();
  });
});

describe('path levels', () => {
  for (const [level, sent, forwarded] of [
    ['none', '/a//b/../c/%2e%2e/d', '/a//b/../c/%2e%2e/d'],
    ['base', '/a//b/../c', '/a//c'],
    ['merge-slashes', '/a//b', '/a/b'],
    ['decode-and-merge', '/%5Capp%2f%5c%2F%2e%2e%2fadmin%5c\\abc', '/app/admin/abc'],
  ] as const) {
    it(`${level}: ${sent} → ${forwarded}`, async () => {
      const world = await World.start(undefined, { pathNormalization: level });
      try {
        await expectForwarded(world, get(sent), { target: forwarded });
      } finally {
        await world.close();
      }
    });
  }
});
