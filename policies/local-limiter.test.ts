import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BucketStore } from './bucket-store.ts';
import { LocalLimiter } from './local-limiter.ts';

const limit = (requests: number, perMs: number, burst: number) => ({ requests, perMs, burst });

function takeAll(limiter: LocalLimiter, key: string, now: number): number {
  let count = 0;
  while (limiter.take(key, now)) count += 1;
  return count;
}

describe('local limiter', () => {
  it('holds the burst and refills evenly', () => {
    const limiter = new LocalLimiter(limit(100, 1_000, 200), 'l', new BucketStore());
    const taken = [0, 5, 10, 20, 120, 1_120, 9_999].map((now) => takeAll(limiter, '', now));
    assert.deepEqual(taken, [200, 0, 1, 1, 10, 100, 200]);
  });

  it('counts exactly where the rate is no round number', () => {
    const limiter = new LocalLimiter(limit(3, 1_000, 3), 'l', new BucketStore());
    assert.equal(takeAll(limiter, '', 1e9 + 1 / 3), 3);
    assert.equal(takeAll(limiter, '', 1e9 + 1_000 + 1 / 3), 3);
  });

  it('tells what is left and when to return', () => {
    const limiter = new LocalLimiter(limit(10, 1_000, 2), 'l', new BucketStore());
    limiter.take('', 0);
    assert.deepEqual([limiter.remaining(0), limiter.resetMs(0), limiter.retryMs(0)], [1, 100, 0]);
    limiter.take('', 0);
    assert.equal(limiter.take('', 0), false);
    assert.deepEqual([limiter.remaining(0), limiter.resetMs(0), limiter.retryMs(0)], [0, 200, 100]);
    assert.equal(limiter.take('', 99), false);
    assert.equal(limiter.take('', 100), true);
  });

  it('takes back', () => {
    const limiter = new LocalLimiter(limit(1, 1_000, 1), 'l', new BucketStore());
    assert.equal(limiter.take('', 0), true);
    limiter.refund();
    assert.deepEqual([limiter.take('', 0), limiter.take('', 0)], [true, false]);
  });

  it('keeps keys apart', () => {
    const limiter = new LocalLimiter(limit(2, 1_000, 2), 'l', new BucketStore());
    assert.deepEqual(
      ['a', 'b', 'a', 'c'].map((key) => takeAll(limiter, key, 0)),
      [2, 2, 0, 2],
    );
  });

  it('shares its buckets with every other thread on the same memory', () => {
    const memory = new SharedArrayBuffer(BucketStore.bytes(64));
    const [one, two] = [1, 2].map(() => new LocalLimiter(limit(5, 1_000, 5), 'l', new BucketStore(memory, 7)));
    const taken = Array.from({ length: 8 }, (_, at) => (at % 2 === 0 ? one : two)!.take('k', 0));
    assert.equal(taken.filter(Boolean).length, 5);
  });

  it('shares one bucket among the keys that find no place, and takes none from those that have one', () => {
    const limiter = new LocalLimiter(
      limit(10, 1_000, 10),
      'l',
      new BucketStore(new ArrayBuffer(BucketStore.bytes(64))),
    );
    let placed = 0;
    for (let key = 0; key < 10_000; key += 1) if (limiter.take(`k${key}`, 0)) placed += 1;
    // 64 keys of their own, and ten tokens for all others together.
    assert.equal(placed, 64 + 10);
  });

  it('forgets only full buckets for new ones', () => {
    const limiter = new LocalLimiter(
      limit(10, 1_000, 10),
      'l',
      new BucketStore(new ArrayBuffer(BucketStore.bytes(64))),
    );
    assert.equal(takeAll(limiter, 'greedy', 0), 10);
    for (let key = 0; key < 1_000; key += 1) limiter.take(`k${key}`, 0);
    // Those took one token each: a little later their places are free, that of `greedy` is not.
    let served = 0;
    for (let key = 0; key < 40; key += 1) if (limiter.take(`new${key}`, 200)) served += 1;
    assert.ok(served >= 40);
    assert.equal(takeAll(limiter, 'greedy', 200), 2);
  });

  it('tells long keys apart', () => {
    const limiter = new LocalLimiter(limit(1, 1_000, 1), 'l', new BucketStore());
    const long = 'x'.repeat(60_000);
    assert.deepEqual(
      [`${long}a`, `${long}b`, `${long}a`].map((key) => limiter.take(key, 0)),
      [true, true, false],
    );
  });

  it('never lets through more than the burst and the rate, and never less where it is not asked for more', () => {
    const rate = fc.record({ requests: fc.integer({ min: 1, max: 50 }), perMs: fc.integer({ min: 1, max: 5_000 }) });
    const asks = fc.array(fc.tuple(fc.nat(1_000), fc.nat(20)), { maxLength: 60 });
    fc.assert(
      fc.property(rate, fc.integer({ min: 1, max: 50 }), asks, ({ requests, perMs }, burst, steps) => {
        const limiter = new LocalLimiter(limit(requests, perMs, burst), 'l', new BucketStore());
        let now = 0;
        let tokens = burst;
        for (const [waitMs, asked] of steps) {
          now += waitMs;
          tokens = Math.min(burst, tokens + (waitMs * requests) / perMs);
          let taken = 0;
          for (let one = 0; one < asked; one += 1) if (limiter.take('', now)) taken += 1;
          assert.ok(taken <= tokens + 0.001 && taken >= Math.min(asked, Math.floor(tokens - 0.001)));
          tokens -= taken;
        }
      }),
    );
  });
});
