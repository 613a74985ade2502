import assert from 'node:assert/strict';
import { parseJwks } from '../../policies/jwks.ts';
import { main } from '../../test/harness/jwt-world.ts';
import { Key } from './key-set.ts';
import { TokenCache } from './token-cache.ts';
import { NO_TOKEN, type TokenVerdict } from './verdict.ts';

const [jwk] = parseJwks(main.jwks());
const judge = {};

function key(): Key {
  assert.ok(typeof jwk === 'object');
  return new Key(jwk);
}

function verdict(policy: string): TokenVerdict {
  return { ...NO_TOKEN, policy };
}

describe('the cache of tokens', () => {
  it('keeps a bounded number, those that are used', () => {
    const cache = new TokenCache();
    const shared = { judge, verdict: NO_TOKEN, key: key(), until: 1 };
    cache.keep('used', shared);
    let most = 0;
    for (let n = 0; n < 50_000; n++) {
      cache.keep(`token ${n}`, shared);
      if (n % 1000 === 0) assert.equal(cache.find('used', judge, 0), NO_TOKEN);
      most = Math.max(most, cache.size);
    }
    assert.ok(most <= 16_384, `${most} tokens`);
    assert.equal(cache.find('token 49999', judge, 0), NO_TOKEN);
    assert.equal(cache.find('token 0', judge, 0), null);
  });

  it('keeps a bounded number of bytes', () => {
    const cache = new TokenCache();
    const shared = { judge, verdict: NO_TOKEN, key: key(), until: 1 };
    for (let n = 0; n < 2000; n++) cache.keep(`${n}`.padEnd(16_384, 'x'), shared);
    assert.ok(cache.size * 16_384 * 4 < 2 * 8 * 1_048_576 + 65_536, `${cache.size} tokens`);
    assert.ok(cache.size > 100);
  });

  it('keeps what several judged, and each for itself', () => {
    const cache = new TokenCache();
    const judges = Array.from({ length: 20 }, () => ({}));
    const until = 10;
    for (const [n, one] of judges.entries())
      cache.keep('t', { judge: one, verdict: verdict(`${n}`), key: key(), until });
    const found = judges.map((one) => cache.find('t', one, 0)?.policy ?? null);
    assert.deepEqual(
      found.slice(4),
      Array.from({ length: 16 }, (_, n) => `${n + 4}`),
    );
    assert.deepEqual(found.slice(0, 4), [null, null, null, null], 'the oldest are forgotten');
    assert.equal(cache.size, 1);
  });

  it('replaces what one judged before', () => {
    const cache = new TokenCache();
    cache.keep('t', { judge, verdict: verdict('a'), key: key(), until: 1 });
    cache.keep('t', { judge, verdict: verdict('b'), key: key(), until: 5 });
    assert.equal(cache.find('t', judge, 3)?.policy, 'b');
    assert.equal(cache.find('t', judge, 5), null);
    assert.equal(cache.size, 0, 'what has expired is gone');
  });

  it('believes nothing of a key that was taken out', () => {
    const cache = new TokenCache();
    const [old, fresh] = [key(), key()];
    const other = {};
    cache.keep('t', { judge, verdict: verdict('a'), key: old, until: 9 });
    cache.keep('t', { judge: other, verdict: verdict('b'), key: fresh, until: 9 });
    old.live = false;
    assert.equal(cache.find('t', other, 0)?.policy, 'b');
    assert.equal(cache.find('t', judge, 0), null);
  });
});
