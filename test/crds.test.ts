import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { list, object, type Schema, text } from '../gateway-api/schemas/schema.ts';
import { structural } from './crds/definition.ts';
import { CRDS } from './crds/published.ts';

const FOLDER = new URL('../manifests/crds/', import.meta.url);

describe('CRDs', () => {
  it('are those that follow from the schemas (npm run crds writes them)', () => {
    const committed = readdirSync(FOLDER).map((file) => [file, readFileSync(new URL(file, FOLDER), 'utf8')]);
    assert.deepEqual(Object.fromEntries(committed), Object.fromEntries(CRDS));
  });

  for (const [file, text] of CRDS) {
    it(`${file} is a structural schema`, () => {
      const { spec } = parse(text) as { spec: { versions: { schema: { openAPIV3Schema: Node } }[] } };
      for (const { schema } of spec.versions) assertStructural(schema.openAPIV3Schema, '');
    });
  }

  const cases: [string, Schema, object][] = [
    ['unknown fields need no word', object({ a: text }), { type: 'object', properties: { a: { type: 'string' } } }],
    [
      'unique items are a set',
      list(text, { uniqueItems: true, maxItems: 2 }),
      { type: 'array', maxItems: 2, items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
    ],
    [
      'keyed items are a map',
      list(object({ a: text }, { required: ['a'] }), { listMapKeys: ['a'] }),
      {
        type: 'array',
        items: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['a'],
      },
    ],
    [
      'rules are validations, without what only we can run',
      { ...text, rules: [{ message: 'm', rule: 'r' }], sure: () => true },
      { type: 'string', 'x-kubernetes-validations': [{ message: 'm', rule: 'r' }] },
    ],
    [
      'what a pattern means is a description',
      { ...text, description: 'a name' },
      { description: 'Must be a name.', type: 'string' },
    ],
  ];
  for (const [name, schema, expected] of cases) {
    it(name, () => assert.deepEqual(structural(schema), expected));
  }

  it('a check in code is not left out in silence', () => {
    const schema = object({}, { checks: [{ message: 'odd', holds: () => true }] });
    assert.throws(() => structural(schema), /odd/);
  });
});

interface Node {
  readonly [field: string]: unknown;
}

/** What apiextensions.k8s.io/v1 refuses, as far as our schemas could run into it. */
function assertStructural(node: Node, path: string): void {
  assert.equal(typeof node['type'], 'string', `${path} has no type`);
  assert.notEqual(node['additionalProperties'], false, path);
  assert.ok(
    !('properties' in node && 'additionalProperties' in node),
    `${path} has properties and additionalProperties`,
  );
  assert.ok(!('uniqueItems' in node), `${path} has uniqueItems`);
  // The cost of a rule is estimated from the sizes that are possible.
  const hasRules = JSON.stringify(node).includes('x-kubernetes-validations');
  if (node['type'] === 'array' && hasRules) assert.ok('maxItems' in node, `${path} has rules inside and no maxItems`);
  const keys = (node['x-kubernetes-list-map-keys'] ?? []) as readonly string[];
  const required = ((node['items'] as Node | undefined)?.['required'] ?? []) as readonly string[];
  for (const key of keys) assert.ok(required.includes(key), `${path} is keyed by ${key}, which may be absent`);
  for (const [name, below] of Object.entries((node['properties'] ?? {}) as Record<string, Node>)) {
    if (path !== '' || name !== 'metadata') assertStructural(below, `${path}.${name}`);
  }
  for (const name of ['items', 'additionalProperties']) {
    if (node[name] !== undefined) assertStructural(node[name] as Node, `${path}[]`);
  }
}
