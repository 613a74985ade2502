import assert from 'node:assert/strict';
import { filterContext, requestHead, responseHead } from '../test/harness/heads.ts';
import { requestHeaderModifier, responseHeaderModifier } from './header-modifier.ts';

type Line = readonly [name: string, value: string];

const line = (name: string, value: string) => ({ name, value });

const EDITED: readonly (readonly [name: string, settings: object, before: readonly Line[], after: readonly Line[]])[] =
  [
    ['set, absent', { set: [line('X-Set', 'new')] }, [], [['x-set', 'new']]],
    [
      'set, in place of all',
      { set: [line('X-Set', 'new')] },
      [
        ['x-SET', '1'],
        ['X-Set', '2'],
      ],
      [['x-set', 'new']],
    ],
    ['add, absent', { add: [line('X-Add', 'b')] }, [], [['x-add', 'b']]],
    [
      'add, behind what is there',
      { add: [line('X-Add', 'b')] },
      [['X-ADD', 'a']],
      [
        ['X-ADD', 'a'],
        ['x-add', 'b'],
      ],
    ],
    [
      'add a list',
      { add: [line('x-add', 'b,c')] },
      [['x-add', 'a']],
      [
        ['x-add', 'a'],
        ['x-add', 'b,c'],
      ],
    ],
    [
      'remove every one, in any case',
      { remove: ['X-Gone'] },
      [
        ['x-gone', '1'],
        ['X-GONE', '2'],
        ['x', '3'],
      ],
      [['x', '3']],
    ],
    ['remove, absent', { remove: ['X-Gone'] }, [['x', '1']], [['x', '1']]],
    [
      'all three',
      { set: [line('A', '1')], add: [line('B', '2')], remove: ['C'] },
      [
        ['a', 'x'],
        ['c', 'z'],
      ],
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    ['outer blanks are no part of a value', { set: [line('A', ' 1\t')] }, [], [['a', '1']]],
    ['names of Object.prototype', { set: [line('__proto__', '1')], remove: ['constructor'] }, [], [['__proto__', '1']]],
  ];

const REFUSED: readonly (readonly [name: string, settings: object, at: readonly string[]])[] = [
  ['CR LF in a value', { set: [line('a', 'b\r\nx: y')] }, ['f.set[0].value']],
  ['LF at the end of a value', { add: [line('a', 'b\n')] }, ['f.add[0].value']],
  ['NUL in a value', { add: [line('a', '\0')] }, ['f.add[0].value']],
  ['DEL in a value', { add: [line('a', '\x7f')] }, ['f.add[0].value']],
  ['a letter whose low byte is LF', { set: [line('a', '\u010a')] }, ['f.set[0].value']],
  ['beyond ASCII', { set: [line('a', 'é')] }, ['f.set[0].value']],
  ['CR LF in a name', { set: [line('a\r\nb', 'c')] }, ['f.set[0].name']],
  ['colon in a name', { remove: [':path'] }, ['f.remove[0]']],
  ['blank in a name', { remove: ['a b'] }, ['f.remove[0]']],
  ['empty name', { set: [line('', 'c')] }, ['f.set[0].name']],
  ['host', { set: [line('Host', 'b')] }, ['f.set[0].name']],
  ['content-length', { set: [line('Content-Length', '0')] }, ['f.set[0].name']],
  ['transfer-encoding', { remove: ['Transfer-Encoding'] }, ['f.remove[0]']],
  ['connection', { add: [line('Connection', 'x-trusted')] }, ['f.add[0].name']],
  ['upgrade', { add: [line('upgrade', 'h2c')] }, ['f.add[0].name']],
  ['set twice', { set: [line('X-A', '1'), line('x-a', '2')] }, ['f.set[1].name']],
  ['set and remove', { set: [line('X-A', '1')], remove: ['x-A'] }, ['f.remove[0]']],
  [
    'every mistake at once',
    { set: [line('te', '\n')], remove: ['host'] },
    ['f.set[0].value', 'f.set[0].name', 'f.remove[0]'],
  ],
];

describe('header modifier', () => {
  for (const [name, settings, before, after] of EDITED) {
    it(`of a request: ${name}`, () => {
      const filter = requestHeaderModifier.decode(settings, 'f', { unsupported: assert.fail })!;
      const head = requestHead({ headers: before });
      assert.equal(requestHeaderModifier.request!(filter, filterContext(head)), null);
      assert.deepEqual(head.fields.entries(), after);
    });

    it(`of a response: ${name}`, () => {
      const filter = responseHeaderModifier.decode(settings, 'f', { unsupported: assert.fail })!;
      const head = responseHead(200, before);
      responseHeaderModifier.response!(filter, filterContext(requestHead({})), head);
      assert.deepEqual(head.fields.entries(), after);
    });
  }

  for (const [name, settings, at] of REFUSED) {
    it(`refuses: ${name}`, () => {
      for (const kind of [requestHeaderModifier, responseHeaderModifier]) {
        const paths: string[] = [];
        assert.equal(kind.decode(settings, 'f', { unsupported: (path) => paths.push(path) }), null);
        assert.deepEqual(paths, at);
      }
    });
  }

  it('joins what was there and what was added without a blank', () => {
    const filter = requestHeaderModifier.decode({ add: [line('a', 'y')] }, 'f', { unsupported: assert.fail })!;
    const head = requestHead({ headers: [['A', 'x']] });
    requestHeaderModifier.request!(filter, filterContext(head));
    assert.equal(head.fields.get('a'), 'x,y');
  });

  it('describes itself', () => {
    const settings = { set: [line('A', '1')], add: [line('B', '2')], remove: ['C'] };
    const filter = responseHeaderModifier.decode(settings, 'f', { unsupported: assert.fail })!;
    assert.equal(responseHeaderModifier.describe(filter), 'ResponseHeaderModifier: set a: 1, add b: 2, remove c');
    const empty = requestHeaderModifier.decode({}, 'f', { unsupported: assert.fail })!;
    assert.equal(requestHeaderModifier.describe(empty), 'RequestHeaderModifier: nothing');
  });
});
