import assert from 'node:assert/strict';
import { compareHostnames, hostMatches, intersect, parseAuthority } from './host.ts';

const AUTHORITIES: readonly (readonly [raw: string, host: string | null, port?: number])[] = [
  ['example.com', 'example.com'],
  ['EXAMPLE.Com', 'example.com'],
  ['example.com.', 'example.com'],
  ['example.com.:8080', 'example.com', 8080],
  ['example.com:80', 'example.com', 80],
  ['example.com:00080', 'example.com', 80],
  ['localhost:65535', 'localhost', 65535],
  ['my_host-1.svc', 'my_host-1.svc'],
  ['127.0.0.1', '127.0.0.1'],
  ['127.0.0.1:15080', '127.0.0.1', 15080],
  ['[::1]', '[::1]'],
  ['[::1]:80', '[::1]', 80],
  ['[FE80::ABCD]:80', '[fe80::abcd]', 80],
  ['[1:2:3:4:5:6:7:8]', '[1:2:3:4:5:6:7:8]'],
  ['[::ffff:10.0.0.1]', '[::ffff:10.0.0.1]'],
  ['[1:2:3:4:5:6:7::]', '[1:2:3:4:5:6:7::]'],
  ['[::]', '[::]'],
  ['', null],
  ['.', null],
  ['.example.com', null],
  ['example..com', null],
  ['example.com..', null],
  ['example.com:', null],
  ['example.com:0', null],
  ['example.com:65536', null],
  ['example.com:98777', null],
  ['example.com:808080', null],
  ['example.com:80a', null],
  ['example.com:-1', null],
  ['example.com:80:80', null],
  ['example.com: 80', null],
  [':80', null],
  ['user@example.com', null],
  ['user:pass@example.com', null],
  ['a.com,b.com', null],
  ['a.com b.com', null],
  [' example.com', null],
  ['example.com\t', null],
  ['example.com/path', null],
  ['example.com?x', null],
  ['example.com#x', null],
  ['example.com\\x', null],
  ['http://example.com', null],
  ['exämple.com', null],
  ['example.com\0', null],
  ['*.example.com', null],
  ['%65xample.com', null],
  ['[::1', null],
  ['::1', null],
  ['[]', null],
  ['[::1]x', null],
  ['[::1]:', null],
  ['[::1]]', null],
  ['[:1]', null],
  ['[1::2::3]', null],
  ['[:::]', null],
  ['[1:2:3:4:5:6:7]', null],
  ['[1:2:3:4:5:6:7:8:9]', null],
  ['[1:2:3:4:5:6:7:8::]', null],
  ['[12345::]', null],
  ['[::g]', null],
  ['[::1%25eth0]', null],
  ['[::256.0.0.1]', null],
  ['[10.0.0.1]', null],
  ['[10.0.0.1::]', null],
  ['a'.repeat(256), null],
];

describe('parseAuthority', () => {
  for (const [raw, host, port] of AUTHORITIES) {
    const expected = host === null ? null : { host, port: port ?? 0 };
    it(`${JSON.stringify(raw.slice(0, 40))}: ${host}`, () => assert.deepEqual(parseAuthority(raw), expected));
  }
});

describe('hostMatches', () => {
  const rows: readonly (readonly [pattern: string, host: string, expected: boolean])[] = [
    ['a.com', 'a.com', true],
    ['a.com', 'b.a.com', false],
    ['*.a.com', 'b.a.com', true],
    ['*.a.com', 'c.b.a.com', true],
    ['*.a.com', 'a.com', false],
    ['*.a.com', 'ba.com', false],
    ['*.a.com', '.a.com', false],
    ['a.com', '', false],
  ];
  for (const [pattern, host, expected] of rows) {
    it(`${pattern} and ${host}: ${expected}`, () => assert.equal(hostMatches(pattern, host), expected));
  }
});

describe('intersect', () => {
  const rows: readonly (readonly [listener: string | null, routes: string[], expected: string[] | null])[] = [
    [null, [], []],
    [null, ['a.com', '*.b.com'], ['a.com', '*.b.com']],
    ['a.com', [], ['a.com']],
    ['*.a.com', [], ['*.a.com']],
    ['very.specific.com', ['non.com', 'very.specific.com', '*.other.io'], ['very.specific.com']],
    ['very.specific.com', ['*.specific.com', '*.com'], ['very.specific.com']],
    [
      '*.wildcard.io',
      ['foo.wildcard.io', 'bar.foo.wildcard.io', 'wildcard.io'],
      ['foo.wildcard.io', 'bar.foo.wildcard.io'],
    ],
    ['*.a.com', ['*.com'], ['*.a.com']],
    ['*.com', ['*.a.com'], ['*.a.com']],
    ['*.a.com', ['*.a.com'], ['*.a.com']],
    ['*.a.com', ['*.ba.com', 'a.com'], null],
    ['a.com', ['*.a.com'], null],
  ];
  for (const [listener, routes, expected] of rows) {
    it(`${listener} with ${routes.join(' ') || 'any'}: ${expected?.join(' ') ?? 'nothing'}`, () => {
      assert.deepEqual(intersect(listener, routes), expected);
    });
  }
});

describe('compareHostnames', () => {
  it('puts exact before wildcard, longer before shorter, any last', () => {
    const ordered = ['long.example.com', 'a.com', 'b.com', '*.long.example.com', '*.example.com', '*.com', null];
    assert.deepEqual([...ordered].reverse().sort(compareHostnames), ordered);
  });
});
