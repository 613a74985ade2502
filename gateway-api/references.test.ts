import assert from 'node:assert/strict';
import { coreGroup, indexGrants, isGranted } from './references.ts';
import type { ReferenceGrant } from './resources.ts';

const GROUP = 'gateway.networking.k8s.io';

function grant(name: string, spec: ReferenceGrant['spec']): [string, ReferenceGrant] {
  return [`pay/${name}`, { metadata: { name, namespace: 'pay' }, spec } as unknown as ReferenceGrant];
}

const GRANTS = indexGrants(
  new Map([
    grant('by-name', {
      from: [{ group: GROUP, kind: 'HTTPRoute', namespace: 'shop' }],
      to: [{ group: '', kind: 'Service', name: 'ledger' }],
    }),
    grant('by-kind', {
      from: [
        { group: GROUP, kind: 'GRPCRoute', namespace: 'web' },
        { group: GROUP, kind: 'HTTPRoute', namespace: 'web' },
      ],
      to: [
        { group: '', kind: 'Secret' },
        { group: 'core', kind: 'Service' },
      ],
    }),
  ]),
);

describe('isGranted', () => {
  const cases: [string, string, string, string, string, boolean][] = [
    ['the named target', 'shop', 'HTTPRoute', 'pay', 'ledger', true],
    ['another target', 'shop', 'HTTPRoute', 'pay', 'cards', false],
    ['another kind of referrer', 'shop', 'GRPCRoute', 'pay', 'ledger', false],
    ['any target of a kind, from the second of two', 'web', 'HTTPRoute', 'pay', 'cards', true],
    ['a namespace that grants nothing', 'shop', 'HTTPRoute', 'bank', 'ledger', false],
    ['the own namespace', 'pay', 'HTTPRoute', 'pay', 'cards', true],
  ];
  for (const [name, namespace, kind, target, service, expected] of cases) {
    it(name, () => {
      const to = { group: '', kind: 'Service', namespace: target, name: service };
      assert.equal(isGranted(GRANTS, { group: GROUP, kind, namespace }, to), expected);
    });
  }
});

describe('coreGroup', () => {
  it('reads both spellings of the core group', () => {
    assert.deepEqual(['', 'core', GROUP].map(coreGroup), ['', '', GROUP]);
  });
});
