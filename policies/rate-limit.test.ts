import assert from 'node:assert/strict';
import { filterContext, requestHead } from '../test/harness/heads.ts';
import { BucketStore } from './bucket-store.ts';
import { decodeRateLimit, describeRateLimit, RateLimiter } from './rate-limit.ts';

const read = (local: readonly object[]) => decodeRateLimit({ local }, 'l', { unsupported: assert.fail })!;
const from = (tenant: string) => filterContext(requestHead({ headers: [['x-tenant', tenant]] }));
const PER_TENANT = { requests: 2, per: '10s', key: [{ header: 'X-Tenant' }] };

describe('rate limit', () => {
  it('answers 429 and tells when to return', () => {
    const limiter = new RateLimiter(read([{ requests: 1, per: '10s', burst: 2 }]), 'Service shop/a', new BucketStore());
    assert.equal(limiter.check(from('a'), 0), null);
    assert.equal(limiter.check(from('b'), 0), null);
    assert.deepEqual(limiter.check(from('c'), 500), {
      status: 429,
      reason: 'rate_limited',
      headers: [
        ['retry-after', '10'],
        ['ratelimit-limit', '1'],
        ['ratelimit-remaining', '0'],
        ['ratelimit-reset', '20'],
      ],
      body: 'too many requests\n',
    });
    assert.equal(limiter.check(from('a'), 9_999)?.headers[0]?.[1], '1');
    assert.equal(limiter.check(from('a'), 10_000), null);
  });

  it('counts per key', () => {
    const limiter = new RateLimiter(read([PER_TENANT]), 'Service shop/a', new BucketStore());
    const answers = ['a', 'a', 'b', 'a', 'b', 'b'].map((tenant) => limiter.check(from(tenant), 0)?.status ?? 200);
    assert.deepEqual(answers, [200, 200, 200, 429, 200, 429]);
  });

  it('asks every limit, and takes from none when one refuses', () => {
    const limiter = new RateLimiter(
      read([{ requests: 3, per: '1h' }, PER_TENANT]),
      'Service shop/a',
      new BucketStore(),
    );
    const answers = ['a', 'a', 'a', 'a', 'b', 'b'].map((tenant) => limiter.check(from(tenant), 0)?.status ?? 200);
    assert.deepEqual(answers, [200, 200, 429, 429, 200, 429]);
  });

  it('counts together what is set on the same, and apart what is not', () => {
    const store = new BucketStore();
    const plan = read([{ requests: 1, per: '1s' }]);
    const ours = [new RateLimiter(plan, 'Service shop/a', store), new RateLimiter(plan, 'Service shop/a', store)];
    const other = new RateLimiter(plan, 'Service shop/b', store);
    const answers = [...ours, other].map((limiter) => limiter.check(from('a'), 0)?.status ?? 200);
    assert.deepEqual(answers, [200, 429, 200]);
  });
});

describe('rate limit settings', () => {
  it('are filled in', () => {
    const key = [
      { header: 'X-Tenant' },
      { cookie: 'Sid' },
      { query: 'a b' },
      { sourceIP: true },
      { method: true },
      { path: true },
    ];
    assert.deepEqual(
      read([
        { requests: 100, per: '1s', burst: 200, key },
        { requests: 5, per: '1m' },
      ]),
      {
        local: [
          {
            requests: 100,
            perMs: 1_000,
            burst: 200,
            key: [
              { source: 'header', name: 'x-tenant' },
              { source: 'cookie', name: 'Sid' },
              { source: 'query', name: 'a b' },
              { source: 'sourceIP', name: '' },
              { source: 'method', name: '' },
              { source: 'path', name: '' },
            ],
          },
          { requests: 5, perMs: 60_000, burst: 5, key: [] },
        ],
        global: null,
      },
    );
  });

  const bad: readonly (readonly [local: unknown, at: readonly string[]])[] = [
    [undefined, ['l.local']],
    [[], ['l.local']],
    [{}, ['l.local']],
    [[{ requests: 1 }], ['l.local[0].per']],
    [[{ requests: 0, per: '0s' }], ['l.local[0].requests', 'l.local[0].per']],
    [[{ requests: 1, per: '1 s' }], ['l.local[0].per']],
    [[{ requests: 1, per: '1s', burst: 0 }], ['l.local[0].burst']],
    [
      [{ requests: 1, per: '1s' }, 7],
      ['l.local[1]', 'l.local[1].requests', 'l.local[1].per'],
    ],
    [[{ requests: 1, per: '1s', keys: [] }], ['l.local[0].keys']],
    [[{ requests: 1, per: '1s', key: [{}] }], ['l.local[0].key[0]']],
    [[{ requests: 1, per: '1s', key: ['sourceIP'] }], ['l.local[0].key[0]']],
    [[{ requests: 1, per: '1s', key: [{ header: 'a', sourceIP: true }] }], ['l.local[0].key[0]']],
    [[{ requests: 1, per: '1s', key: [{ headers: 'a' }] }], ['l.local[0].key[0]']],
    [[{ requests: 1, per: '1s', key: [{ header: 'a b' }] }], ['l.local[0].key[0].header']],
    [[{ requests: 1, per: '1s', key: [{ cookie: 'a=b' }] }], ['l.local[0].key[0].cookie']],
    [[{ requests: 1, per: '1s', key: [{ query: '' }] }], ['l.local[0].key[0].query']],
    [[{ requests: 1, per: '1s', key: [{ sourceIP: false }] }], ['l.local[0].key[0].sourceIP']],
  ];
  for (const [local, at] of bad) {
    it(`refuse ${JSON.stringify(local)}`, () => {
      const paths: string[] = [];
      assert.equal(decodeRateLimit({ local }, 'l', { unsupported: (path) => paths.push(path) }), null);
      assert.deepEqual(paths, at);
    });
  }

  it('are described', () => {
    const plan = read([
      { requests: 100, per: '1s', burst: 200, key: [{ header: 'x-tenant' }, { sourceIP: true }] },
      PER_TENANT,
    ]);
    assert.equal(
      describeRateLimit(plan),
      'rate limit: 100 per 1s (burst 200) per header x-tenant and sourceIP; 2 per 10s (burst 2) per header x-tenant',
    );
    assert.equal(describeRateLimit(read([{ requests: 5, per: '1m' }])), 'rate limit: 5 per 1m (burst 5)');
  });
});
