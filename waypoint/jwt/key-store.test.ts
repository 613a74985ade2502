import assert from 'node:assert/strict';
import type { JwtRulePlan } from '../../policies/authentication.ts';
import { type PublicJwk, parseJwks } from '../../policies/jwks.ts';
import { filterContext, requestHead } from '../../test/harness/heads.ts';
import { bearer, ISSUER, judge, main, NOW, outcome, plan, rule, token } from '../../test/harness/jwt-world.ts';
import { keySet, TestIssuer } from '../../test/harness/tokens.ts';
import { Authenticator } from './authenticator.ts';
import { KeyStore } from './key-store.ts';
import type { TokenVerdict } from './verdict.ts';

const URI = 'https://issuer.example/jwks';
const ALICE = `${ISSUER}/alice`;
const next = new TestIssuer(ISSUER, 'ES256', 'next');

interface World {
  readonly keys: KeyStore;
  readonly authenticator: Authenticator;
  /** URIs that the main thread was asked for. */
  readonly asked: string[];
  /** Wall clock, ms. */
  now: number;
}

function remote(given: Partial<JwtRulePlan> = {}): World {
  const asked: string[] = [];
  const made: { now: number } = { now: NOW };
  const keys = new KeyStore(
    (uri) => asked.push(uri),
    () => made.now,
  );
  const authenticator = new Authenticator([plan([rule({ keys: { uri: URI }, ...given })])], keys);
  return Object.assign(made, { keys, authenticator, asked });
}

function jwks(...issuers: readonly TestIssuer[]): readonly PublicJwk[] {
  return parseJwks(keySet(...issuers.map((issuer) => issuer.jwk()))) as readonly PublicJwk[];
}

function tell({ keys }: World, ...issuers: readonly TestIssuer[]): void {
  keys.take([{ uri: URI, keys: jwks(...issuers), followed: true }]);
}

/** One request that waits, and how it ended. */
class Waiter {
  verdict: TokenVerdict | null = null;
  calls = 0;
  readonly done: Promise<TokenVerdict>;
  readonly cancel: () => void;

  constructor({ authenticator }: World, text: string) {
    const x = filterContext(requestHead({ ...bearer(text) }));
    assert.equal(authenticator.check(x), null);
    let settle: (verdict: TokenVerdict) => void = () => {};
    this.done = new Promise((resolve) => {
      settle = resolve;
    });
    const waiting = authenticator.wait(x, (_, verdict) => {
      this.calls++;
      this.verdict = verdict;
      settle(verdict);
    });
    this.cancel = () => waiting.cancel();
  }
}

describe('a token whose keys are not there yet', () => {
  it('waits for them', async () => {
    const world = remote();
    const waiter = new Waiter(world, token());
    assert.equal(waiter.calls, 0);
    tell(world, main);
    assert.equal((await waiter.done).token?.principal, ALICE);
    assert.deepEqual(world.asked, [], 'they are on their way without being asked for');
  });

  it('is refused when the time of its rule is over', async () => {
    const world = remote({ timeoutMs: 5 });
    assert.equal(await outcome(world.authenticator, bearer(token())), 'jwt_keys_unavailable');
  });

  it('is refused when they could not be fetched', async () => {
    const world = remote({ timeoutMs: 60_000 });
    const waiter = new Waiter(world, token());
    world.keys.take([{ uri: URI, keys: null, followed: true }]);
    assert.equal((await waiter.done).reason, 'jwt_keys_unavailable');
    assert.equal(await outcome(world.authenticator, bearer(token())), 'jwt_keys_unavailable');
    tell(world, main);
    assert.equal(await outcome(world.authenticator, bearer(token())), ALICE);
  });

  it('is given up with its request', async () => {
    const world = remote({ timeoutMs: 60_000 });
    const waiter = new Waiter(world, token());
    waiter.cancel();
    waiter.cancel();
    tell(world, main);
    assert.equal(await outcome(world.authenticator, bearer(token())), ALICE);
    assert.equal(waiter.calls, 0);
  });

  it('is verified once for all who carry it', async () => {
    const world = remote({ timeoutMs: 60_000 });
    const text = token();
    const waiters = [new Waiter(world, text), new Waiter(world, text), new Waiter(world, text)];
    waiters[1]!.cancel();
    tell(world, main);
    const [first, third] = await Promise.all([waiters[0]!.done, waiters[2]!.done]);
    assert.equal(first, third);
    assert.deepEqual(
      waiters.map(({ calls }) => calls),
      [1, 0, 1],
    );
  });
});

describe('a token whose key is not known', () => {
  it('asks for newer keys, once for all', async () => {
    const world = remote({ timeoutMs: 60_000 });
    tell(world, main);
    const waiters = [new Waiter(world, token({}, next)), new Waiter(world, token({ claims: { sub: 'bob' } }, next))];
    assert.deepEqual(world.asked, [URI]);
    tell(world, main, next);
    const verdicts = await Promise.all(waiters.map(({ done }) => done));
    assert.deepEqual(
      verdicts.map((verdict) => verdict.token?.principal),
      [ALICE, `${ISSUER}/bob`],
    );
  });

  it('is refused when the news has it neither, and asks again the next time', async () => {
    const world = remote({ timeoutMs: 60_000 });
    tell(world, main);
    for (let round = 1; round < 4; round++) {
      const waiter = new Waiter(world, token({}, next));
      tell(world, main);
      assert.equal((await waiter.done).reason, 'jwt_key_unknown');
      assert.equal(world.asked.length, round);
    }
  });

  it('is refused when no news comes', async () => {
    const world = remote({ timeoutMs: 5 });
    tell(world, main);
    assert.equal(await outcome(world.authenticator, bearer(token({}, next))), 'jwt_key_unknown');
  });

  it('asks nobody where keys are inline, or where the token names none', async () => {
    const world = remote();
    tell(world, main);
    const nameless = token({ header: { kid: undefined } }, next);
    assert.equal(await outcome(world.authenticator, bearer(nameless)), 'jwt_signature');
    const inline = new Authenticator([plan([rule()])], world.keys);
    assert.equal(await outcome(inline, bearer(token({}, next))), 'jwt_key_unknown');
    assert.deepEqual(world.asked, []);
  });
});

describe('a verified token', () => {
  it('is believed at once the next time, by the same rules', async () => {
    const world = remote();
    tell(world, main);
    const text = token();
    const first = await judge(world.authenticator, bearer(text));
    const again = world.authenticator.check(filterContext(requestHead(bearer(text))));
    assert.equal(again, first);
    const others = new Authenticator([plan([rule({ keys: { uri: URI } })])], world.keys);
    assert.equal(others.check(filterContext(requestHead(bearer(text)))), null);
    assert.equal(await outcome(others, bearer(text)), ALICE);
    assert.equal(world.authenticator.check(filterContext(requestHead(bearer(text)))), first, 'both remember it');
  });

  it('is refused from the moment it expires, a minute of difference allowed', async () => {
    const world = remote();
    tell(world, main);
    const text = token({ claims: { exp: NOW / 1000 + 10 } });
    assert.equal(await outcome(world.authenticator, bearer(text)), ALICE);
    world.now = NOW + 69_999;
    assert.equal(await outcome(world.authenticator, bearer(text)), ALICE);
    world.now = NOW + 70_000;
    assert.equal(await outcome(world.authenticator, bearer(text)), 'jwt_expired');
  });

  it('is refused when its key was taken out', async () => {
    const world = remote({ timeoutMs: 5 });
    tell(world, main, next);
    const [old, fresh] = [token(), token({}, next)];
    assert.equal(await outcome(world.authenticator, bearer(old)), ALICE);
    assert.equal(await outcome(world.authenticator, bearer(fresh)), ALICE);
    tell(world, next);
    assert.equal(await outcome(world.authenticator, bearer(old)), 'jwt_key_unknown');
    assert.notEqual(world.authenticator.check(filterContext(requestHead(bearer(fresh)))), null, 'still remembered');
  });

  it('is refused when another key has the name of its own', async () => {
    const world = remote();
    tell(world, main);
    const text = token();
    assert.equal(await outcome(world.authenticator, bearer(text)), ALICE);
    tell(world, new TestIssuer(ISSUER, 'ES256', 'main'));
    assert.equal(await outcome(world.authenticator, bearer(text)), 'jwt_signature');
  });

  it('is refused when its keys are too old, and when nobody follows them', async () => {
    for (const followed of [true, false]) {
      const world = remote({ timeoutMs: 5 });
      tell(world, main);
      assert.equal(await outcome(world.authenticator, bearer(token())), ALICE);
      world.keys.take([{ uri: URI, keys: null, followed }]);
      assert.equal(await outcome(world.authenticator, bearer(token())), 'jwt_keys_unavailable');
    }
  });

  it('is refused when its key was taken out while it was being verified', async () => {
    const world = remote({ timeoutMs: 5 });
    tell(world, main);
    const waiter = new Waiter(world, token());
    tell(world, next);
    assert.equal((await waiter.done).reason, 'jwt_key_unknown');
    assert.equal(world.keys.cache.find(token(), world.authenticator, NOW), null);
  });
});
