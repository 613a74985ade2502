import assert from 'node:assert/strict';
import { filterContext, requestHead } from '../test/harness/heads.ts';
import { peerOf } from '../test/harness/peer.ts';
import type { VerifiedToken } from './authentication.ts';
import type { AccessContext } from './authorization.ts';
import { decodeRateLimit, describeRateLimit } from './rate-limit.ts';
import { decodeGlobalLimit, descriptorsOf, type GlobalRateLimitPlan } from './rate-limit-global.ts';

const LIMIT = {
  domain: 'd',
  service: { name: 's', namespace: 'n', port: 8081 },
  descriptors: [[{ key: 'k', value: 'v' }]],
};

function read(more: object = {}): GlobalRateLimitPlan {
  const report = { unsupported: (path: string, message: string) => assert.fail(`${path}: ${message}`) };
  return decodeGlobalLimit({ ...LIMIT, ...more }, 'g', report)!;
}

const TOKEN: VerifiedToken = {
  principal: 'i/s',
  audiences: [],
  presenter: '',
  claims: { sub: 's', 'a.b': 'dotted', realm: { role: 'admin' }, n: 7, list: ['x'] },
};

function context(): AccessContext {
  const head = requestHead({
    method: 'PUT',
    path: '/p',
    query: 'q=1&empty=',
    headers: [
      ['X-Tenant', 'a'],
      ['x-empty', ''],
      ['cookie', 'sid=2'],
    ],
  });
  const identity = { uri: 'spiffe://td/ns/n/sa/s', trustDomain: 'td', namespace: 'n', serviceAccount: 's' };
  const peer = peerOf({ address: '10.0.0.1', identity });
  return { ...filterContext(head), peer, remoteAddress: '192.0.2.1', destinationPort: 80, token: TOKEN };
}

describe('global rate limits', () => {
  it('are filled in', () => {
    assert.deepEqual(read(), {
      domain: 'd',
      backend: 'n/s:8081',
      failure: null,
      descriptors: [[{ key: 'k', source: 'value', name: 'v' }]],
      timeoutMs: 20,
      failOpen: true,
    });
  });

  it('keep what is written', () => {
    const descriptors = [
      [
        { key: 't', header: 'X-Tenant' },
        { key: 'm', method: true },
      ],
      [{ key: 'c', claim: 'sub' }],
    ];
    const plan = read({ timeout: '1s', failureMode: 'Closed', descriptors });
    assert.deepEqual([plan.timeoutMs, plan.failOpen], [1000, false]);
    assert.deepEqual(plan.descriptors, [
      [
        { key: 't', source: 'header', name: 'x-tenant' },
        { key: 'm', source: 'method', name: '' },
      ],
      [{ key: 'c', source: 'claim', name: 'sub' }],
    ]);
  });

  const bad: readonly (readonly [more: object, paths: readonly string[]])[] = [
    [{ domain: '' }, ['g.domain']],
    [{ domain: undefined }, ['g.domain']],
    [{ service: {} }, ['g.service.name', 'g.service.port']],
    [{ service: { name: 's', port: 0 } }, ['g.service.port']],
    [{ descriptors: [] }, ['g.descriptors']],
    [{ descriptors: [[]] }, ['g.descriptors[0]']],
    [{ descriptors: [[{ header: 'a' }]] }, ['g.descriptors[0][0].key']],
    [{ descriptors: [[{ key: 'a' }]] }, ['g.descriptors[0][0]']],
    [{ descriptors: [[{ key: 'a', header: 'b', path: true }]] }, ['g.descriptors[0][0]']],
    [{ descriptors: [[{ key: 'a', header: 'b c' }]] }, ['g.descriptors[0][0].header']],
    [{ descriptors: [[{ key: 'a', method: false }]] }, ['g.descriptors[0][0].method']],
    [{ descriptors: [[{ key: 'a', cluster: 'b' }]] }, ['g.descriptors[0][0]']],
    [{ timeout: '0s' }, ['g.timeout']],
    [{ failureMode: 'Deny' }, ['g.failureMode']],
    [{ limits: [] }, ['g.limits']],
  ];
  for (const [more, paths] of bad) {
    it(`refuse ${JSON.stringify(more)}`, () => {
      const found: string[] = [];
      const report = { unsupported: (path: string) => found.push(path) };
      assert.equal(decodeGlobalLimit({ ...LIMIT, ...more }, 'g', report), null);
      assert.deepEqual(found, paths);
    });
  }

  const sources: readonly (readonly [entry: object, value: string | null])[] = [
    [{ value: 'v' }, 'v'],
    [{ header: 'X-Tenant' }, 'a'],
    [{ header: 'x-absent' }, null],
    [{ header: 'x-empty' }, null],
    [{ cookie: 'sid' }, '2'],
    [{ cookie: 'other' }, null],
    [{ query: 'q' }, '1'],
    [{ query: 'empty' }, null],
    [{ claim: 'sub' }, 's'],
    [{ claim: 'a.b' }, 'dotted'],
    [{ claim: 'realm.role' }, 'admin'],
    [{ claim: 'n' }, '7'],
    [{ claim: 'list' }, null],
    [{ claim: 'realm' }, null],
    [{ claim: 'constructor.name' }, null],
    [{ claim: '__proto__' }, null],
    [{ sourceIP: true }, '10.0.0.1'],
    [{ remoteIP: true }, '192.0.2.1'],
    [{ method: true }, 'PUT'],
    [{ path: true }, '/p'],
    [{ principal: true }, 'td/ns/n/sa/s'],
  ];
  for (const [entry, value] of sources) {
    it(`${JSON.stringify(entry)} is ${value ?? 'missing, and its descriptor left out'}`, () => {
      const plan = read({ descriptors: [[{ key: 'k', ...entry }], [{ key: 'other', value: 'x' }]] });
      const other = [['other', 'x']];
      assert.deepEqual(descriptorsOf(plan, context()), value === null ? [other] : [[['k', value]], other]);
    });
  }

  it('ask about nothing where every descriptor lacks something', () => {
    const plan = read({
      descriptors: [
        [
          { key: 'a', value: 'v' },
          { key: 'b', header: 'x-absent' },
        ],
      ],
    });
    assert.equal(descriptorsOf(plan, context()).length, 0);
  });

  it('go with local ones, or alone', () => {
    const report = { unsupported: (path: string, message: string) => assert.fail(`${path}: ${message}`) };
    const alone = decodeRateLimit({ global: LIMIT }, 'l', report)!;
    assert.deepEqual(alone, { local: [], global: read() });
    const both = decodeRateLimit({ global: LIMIT, local: [{ requests: 1, per: '1s' }] }, 'l', report)!;
    assert.equal(
      describeRateLimit(both),
      'rate limit: 1 per 1s (burst 1); asks n/s:8081 for domain d about k = value v; without an answer in 20ms it lets pass',
    );
  });
});
