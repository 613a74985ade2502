// Cutting texts into documents, reading them by either parser, and finding places in them.
import assert from 'node:assert/strict';
import { locate, parseDocument, splitDocuments } from './documents.ts';
import type { Path } from './problem.ts';

describe('splitDocuments', () => {
  const rows: [string, string, [number, string][]][] = [
    ['one document', 'a: 1\n', [[1, 'a: 1\n']]],
    [
      'two',
      'a: 1\n---\nb: 2',
      [
        [1, 'a: 1\n'],
        [2, '---\nb: 2'],
      ],
    ],
    [
      'a leading marker',
      '---\na: 1\n--- # b\nb: 2',
      [
        [1, '---\na: 1\n'],
        [3, '--- # b\nb: 2'],
      ],
    ],
    ['a marker in a block scalar', 'a: |\n  x\n  ---\n  y\n', [[1, 'a: |\n  x\n  ---\n  y\n']]],
    [
      'a marker at the start of a line ends even a block scalar',
      'a: |\n  x\n---\ny: 1',
      [
        [1, 'a: |\n  x\n'],
        [3, '---\ny: 1'],
      ],
    ],
    ['longer dashes are text', 'a: |\n ----\n-----BEGIN\n', [[1, 'a: |\n ----\n-----BEGIN\n']]],
    [
      'carriage returns',
      'a: 1\r\n---\r\nb: 2',
      [
        [1, 'a: 1\r\n'],
        [2, '---\r\nb: 2'],
      ],
    ],
    ['a byte order mark', '\ufeffa: 1', [[1, 'a: 1']]],
    ['nothing', '', [[1, '']]],
  ];
  for (const [name, text, expected] of rows) {
    it(`keeps ${name}`, () =>
      assert.deepEqual(
        splitDocuments(text).map((piece) => [piece.line, piece.text]),
        expected,
      ));
  }
});

describe('parseDocument', () => {
  const values: [string, string, unknown][] = [
    ['block scalars', 'a: |\n  one\n  two\n', { a: 'one\ntwo\n' }],
    ['anchors and merge keys', 'a: &x {b: 1}\nc:\n  <<: *x\n  d: *x', { a: { b: 1 }, c: { b: 1, d: { b: 1 } } }],
    ['YAML 1.1 truth, as Kubernetes does', 'a: on\nb: No\nc: "yes"', { a: true, b: false, c: 'yes' }],
    ['JSON', '{"a": [1, null]}', { a: [1, null] }],
    ['almost JSON', '{a: 1, "b": [2,], }', { a: 1, b: [2] }],
    ['keys that are not strings', '1: a\ntrue: b', { 1: 'a', true: 'b' }],
    ['carriage returns', 'a: 1\r\nb: 2\r\n', { a: 1, b: 2 }],
    ['an end marker', 'a: 1\n...\n', { a: 1 }],
  ];
  for (const [name, text, value] of values) {
    it(`reads ${name}`, () => assert.deepEqual(parseDocument(text), { value }));
  }

  const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${'bcdefghi'
    .split('')
    .map((key, index) => `${key}: &${key} [${`*${'abcdefgh'[index]},`.repeat(9)}]`)
    .join('\n')}`;
  const problems: [string, string, RegExp, [number, number]][] = [
    ['a tab in the indentation', 'a:\n\tb: 1', /^a tab in the indentation: use spaces/, [2, 1]],
    ['a duplicate key', 'a: 1\nb: 2\na: 3', /^the key occurs twice/, [3, 1]],
    ['a duplicate key in JSON', '{"a": 1,\n "a": 2}', /^the key occurs twice/, [2, 2]],
    ['a missing quote', 'a: "b\nc: 1', /^a quote, bracket or colon is missing/, [2, 5]],
    ['an open bracket', 'a: [1, 2', /is missing|bracket/, [1, 9]],
    ['two colons', 'a: b: c', /colon/, [1, 4]],
    ['an unknown tag', 'a: !secret x', /^a tag/, [1, 4]],
    ['an alias bomb', bomb, /^more than 100 values through aliases/, [1, 1]],
    ['an alias to nothing', 'a: *b', /alias/, [1, 4]],
    ['text after the end', 'a: 1\n...\nb: 2\n', /^a new document must start with a line of ---$/, [1, 1]],
    ['a document that is too large', `a: ${'x'.repeat(1_048_576)}`, /more than the 1048576 allowed/, [1, 1]],
  ];
  for (const [name, text, message, [line, column]] of problems) {
    it(`refuses ${name}`, () => {
      const parsed = parseDocument(text);
      assert.ok('problem' in parsed);
      assert.match(parsed.problem.message, message);
      assert.deepEqual([parsed.problem.line, parsed.problem.column], [line, column]);
    });
  }
});

describe('locate', () => {
  const text = 'kind: X\nspec:\n  rules:\n  - a: 1\n    b: {c: d}\n  - &x a: 2\nlist: [1, {e: f}]\n';
  const rows: [Path, [number, number]][] = [
    [[], [1, 1]],
    [['spec'], [2, 1]],
    [
      ['spec', 'rules', 0, 'b', 'c'],
      [5, 9],
    ],
    [
      ['spec', 'rules', 1],
      [6, 8],
    ],
    [
      ['spec', 'rules', 7],
      [3, 3],
    ],
    [
      ['spec', 'rules', 0, 'missing', 'c'],
      [4, 5],
    ],
    [
      ['list', 1, 'e'],
      [7, 12],
    ],
  ];
  for (const [path, [line, column]] of rows) {
    it(`finds ${JSON.stringify(path)}`, () => assert.deepEqual(locate(text, path), { line, column }));
  }
});
