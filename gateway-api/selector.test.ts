import assert from 'node:assert/strict';
import type { LabelSelector, ListenerSpec, Namespace } from './resources.ts';
import { admitsNamespace } from './selector.ts';

function listener(from: ListenerSpec['allowedRoutes']['namespaces']['from'], selector?: LabelSelector): ListenerSpec {
  const namespaces = selector === undefined ? { from } : { from, selector };
  return { name: 'l', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces, kinds: [] } };
}

const NAMESPACES = new Map([['web', { metadata: { labels: { team: 'web', tier: 'front' } } } as unknown as Namespace]]);

describe('admitsNamespace', () => {
  const cases: [string, ListenerSpec, string, boolean][] = [
    ['Same admits its own', listener('Same'), 'home', true],
    ['Same refuses others', listener('Same'), 'web', false],
    ['All admits others', listener('All'), 'web', true],
    ['None refuses its own', listener('None'), 'home', false],
    ['an empty selector admits every namespace', listener('Selector', {}), 'unknown', true],
    ['no selector admits none', listener('Selector'), 'web', false],
    ['a label that agrees', listener('Selector', { matchLabels: { team: 'web' } }), 'web', true],
    ['one label of two', listener('Selector', { matchLabels: { team: 'web', tier: 'back' } }), 'web', false],
    [
      'the name of a namespace without an object',
      listener('Selector', { matchLabels: { 'kubernetes.io/metadata.name': 'x' } }),
      'x',
      true,
    ],
    ...(
      [
        ['In', ['web', 'x'], true],
        ['In', ['x'], false],
        ['NotIn', ['x'], true],
        ['NotIn', ['web'], false],
        ['Exists', undefined, true],
        ['DoesNotExist', undefined, false],
      ] as const
    ).map(([operator, values, expected]): [string, ListenerSpec, string, boolean] => [
      `${operator} ${values ?? ''}`,
      listener('Selector', {
        matchExpressions: [{ key: 'team', operator, ...(values === undefined ? {} : { values }) }],
      }),
      'web',
      expected,
    ]),
    [
      'NotIn holds where the label is absent',
      listener('Selector', { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['web'] }] }),
      'unknown',
      true,
    ],
    [
      'a label named like a member of every object is absent',
      listener('Selector', { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] }),
      'web',
      false,
    ],
  ];
  for (const [name, spec, namespace, expected] of cases) {
    it(name, () => assert.equal(admitsNamespace(spec, 'home', namespace, NAMESPACES), expected));
  }
});
