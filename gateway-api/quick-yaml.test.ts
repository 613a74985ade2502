// The quick readers may give up, but where they return a value it is the full parser's.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseFully } from './documents.ts';
import { readJsonQuickly } from './quick-json.ts';
import { GIVEN_UP, readQuickly } from './quick-yaml.ts';

const route = `# a route
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute   # a comment
metadata: {name: orders, namespace: "shop", labels: {app.kubernetes.io/name: x}}
spec:
  parentRefs:
  - group: ""
    kind: Service
    name: 'orders'
    port: 80
  hostnames: [a.example, "*.b.example"]
  rules:
    - matches:
      - path: { type: PathPrefix, value: "/a b" }
        headers:
        -   name: x-version
            value: v2
      - method: GET

      backendRefs:
      # two of them
      - name: orders-v2
        weight: -1
      - {name: orders, port: 8080}
      timeouts:
        request: 10s
    - filters: []
      matches:
      -
        path:
          value: /#fragment:x
      - - nested
        - 10.96.0.1
status: {}
empty:
tilde: ~
yes-word: yesterday
`;

describe('quick YAML', () => {
  it('reads a plain manifest', () => {
    assert.notEqual(readQuickly(route), GIVEN_UP);
    assert.deepEqual({ value: readQuickly(route) }, parseFully(route));
  });

  const readable: [string, string, unknown][] = [
    ['nothing', '', null],
    ['comments only', '# nothing\n\n  # here\n', null],
    ['a marker before it', '---\na: 1\n', { a: 1 }],
    ['a marker with a comment', '--- # first\na: 1\n', { a: 1 }],
    ['a sequence at its key’s indent', 'a:\n- 1\n- 2\nb: 3', { a: [1, 2], b: 3 }],
    ['a sequence of mappings', '- a: 1\n  b: 2\n- a: 3\n', [{ a: 1, b: 2 }, { a: 3 }]],
    ['words', 'a: true\nb: FALSE\nc: null\nd: ~\ne: truely', { a: true, b: false, c: null, d: null, e: 'truely' }],
    ['strings that start like numbers', 'a: 10s\nb: 1.2.3.4\nc: 1-2', { a: '10s', b: '1.2.3.4', c: '1-2' }],
    ['a hash inside a word', 'a: b#c\nb: c #d', { a: 'b#c', b: 'c' }],
    ['a colon inside a word', 'a: http://x:80/y', { a: 'http://x:80/y' }],
    ['flow inside flow', 'a: {b: [1, {c: d}], e: {}}', { a: { b: [1, { c: 'd' }], e: {} } }],
    ['quoted words', `a: "true"\nb: '1'\nc: ""`, { a: 'true', b: '1', c: '' }],
  ];
  for (const [name, text, expected] of readable) {
    it(`reads ${name}`, () => {
      assert.deepEqual(readQuickly(text), expected);
      assert.deepEqual(parseFully(text), { value: expected });
    });
  }

  const refused: [string, string][] = [
    ['anchors', 'a: &x 1\nb: *x'],
    ['tags', 'a: !!str 1'],
    ['block scalars', 'a: |\n  text'],
    ['a plain scalar over two lines', 'a: one\n  two'],
    ['a quoted scalar over two lines', 'a: "one\n  two"'],
    ['escapes', 'a: "\\n"'],
    ['doubled single quotes', "a: 'it''s'"],
    ['tabs', 'a:\t1'],
    ['carriage returns', 'a: 1\r\nb: 2\r\n'],
    ['floats', 'a: 1.5'],
    ['hexadecimal', 'a: 0x10'],
    ['YAML 1.1 truth', 'a: on'],
    ['duplicate keys', 'a: 1\na: 2'],
    ['duplicate keys in flow', 'a: {b: 1, b: 2}'],
    ['two colons on a line', 'a: b: c'],
    ['a mapping after a scalar', 'a: b\n  c: d'],
    ['an indent that fits nothing', 'a:\n    b: 1\n  c: 2'],
    ['a second document', 'a: 1\n---\nb: 2'],
    ['the end of a document', 'a: 1\n...\n'],
    ['a directive', '%YAML 1.2\n---\na: 1'],
    ['an open bracket', 'a: [1, 2'],
    ['text after a quote', 'a: "b" c'],
    ['prototype keys', '__proto__: 1'],
    ['a scalar document', 'text'],
    ['merge keys', 'a:\n  <<: {b: 1}'],
  ];
  for (const [name, text] of refused) {
    it(`leaves ${name} to the full parser`, () => assert.equal(readQuickly(text), GIVEN_UP));
  }

  it('agrees with the full parser on whatever is done to a manifest', () => {
    const snippet = fc.constantFrom(
      ...[
        '"',
        "'",
        ':',
        ': ',
        '#',
        ' #',
        '-',
        '- ',
        '{',
        '}',
        '[',
        ']',
        ',',
        '\n',
        ' ',
        '  ',
        '|',
        '>',
        '&a',
        '*a',
        '!',
        '?',
        '%',
      ],
      ...[
        '---',
        '...',
        '0',
        '1.5',
        'true',
        'yes',
        'null',
        '~',
        '\t',
        '\\',
        '@',
        '`',
        'a',
        'a: b',
        '\n- ',
        '\n  ',
        'é',
        '<<',
      ],
    );
    const edit = fc.record({ at: fc.nat(route.length), cut: fc.nat(12), put: snippet });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        let text = route;
        for (const { at, cut, put } of edits) text = text.slice(0, at) + put + text.slice(at + cut);
        const value = readQuickly(text);
        if (value !== GIVEN_UP) assert.deepEqual({ value }, parseFully(text), text);
      }),
      { numRuns: 1500, seed: 1 },
    );
  });
});

describe('quick JSON', () => {
  const rows: [string, string, unknown][] = [
    ['an object', '{"a": [1, {"b": null}], "c": "x"}', { a: [1, { b: null }], c: 'x' }],
    ['the same key in two objects', '[{"a": 1}, {"a": 2}]', [{ a: 1 }, { a: 2 }]],
    ['a string that looks like keys', '{"a": "{\\"b\\": 1, \\"b\\": 2}"}', { a: '{"b": 1, "b": 2}' }],
    ['a duplicate key', '{"a": 1, "a": 2}', GIVEN_UP],
    ['a duplicate key spelled with an escape', '{"a": 1, "\\u0061": 2}', GIVEN_UP],
    ['a duplicate key around an object', '{"a": {"b": 1}, "a": 2}', GIVEN_UP],
    ['a trailing comma', '{"a": 1,}', GIVEN_UP],
  ];
  for (const [name, text, expected] of rows) {
    it(`reads ${name}`, () => assert.deepEqual(readJsonQuickly(text), expected));
  }
});
