// The key sets of all workers: fetched once, kept fresh, kept through an outage, and not for ever.

import assert from 'node:assert/strict';
import type { AuthenticationPlan } from '../policies/authentication.ts';
import type { AccessPlan } from '../policies/plan.ts';
import { JwksFetcher, type JwksOptions } from '../waypoint/jwt/jwks-fetcher.ts';
import type { KeysNews } from '../waypoint/messages.ts';
import { type Answer, JwksServer, says } from './harness/jwks-server.ts';
import { plan, rule } from './harness/jwt-world.ts';
import { Signal } from './harness/signal.ts';
import { TestIssuer } from './harness/tokens.ts';

const first = new TestIssuer('i', 'ES256', 'first');
const second = new TestIssuer('i', 'ES256', 'second');

/** A fetcher and what it told. */
class Fetched {
  readonly news: KeysNews[] = [];
  readonly looks: string[] = [];
  readonly fetcher: JwksFetcher;
  readonly #signal: Signal = new Signal();

  constructor(options: Partial<JwksOptions>, paceMs: number) {
    const events = {
      news: (news: readonly KeysNews[]) => {
        this.news.push(...news);
        this.#signal.notify();
      },
      looked: (_: string, error: string, before: string) => {
        this.looks.push(error === before ? 'same' : error === '' ? 'works' : 'fails');
        this.#signal.notify();
      },
    };
    const usual = { jwksRefreshMs: 60_000, jwksStaleMs: 60_000, egressAllow: [] };
    this.fetcher = new JwksFetcher(events, { ...usual, ...options }, paceMs);
  }

  follow(...uris: readonly string[]): void {
    const authentications = uris.map((uri) => plan([rule({ keys: { uri } })]));
    this.fetcher.follow(access(authentications));
  }

  /** Names of the keys in piece `index` of news; null: none may be used. */
  async told(index: number): Promise<string | null> {
    const news = await this.#signal.until(
      () => this.news[index] ?? null,
      () => `news ${index}`,
      15_000,
    );
    return news.keys?.map(({ kid }) => kid).join() ?? null;
  }

  async looked(count: number): Promise<void> {
    await this.#signal.until(
      () => this.looks.length >= count,
      () => `look ${count}`,
      15_000,
    );
  }
}

function access(authentications: readonly AuthenticationPlan[]): ReadonlyMap<string, AccessPlan> {
  const target = 'Service shop/orders';
  return new Map([[target, { target, authentications, policies: [] }]]);
}

describe('the fetcher of key sets', () => {
  let server: JwksServer;
  let fetched: Fetched;
  const start = async (answer: Answer, options: Partial<JwksOptions> = {}, paceMs: number = 50): Promise<void> => {
    server = await JwksServer.start(answer);
    fetched = new Fetched(options, paceMs);
    fetched.follow(server.uri);
  };

  afterEach(async () => {
    await fetched.fetcher.close();
    await server.close();
  });

  it('tells what it found, and fetches a URI once however many name it', async () => {
    await start(says(first.jwks()));
    fetched.follow(server.uri, server.uri);
    assert.equal(await fetched.told(0), 'first');
    fetched.follow(server.uri);
    assert.equal(server.asked.length, 1);
    assert.equal(fetched.fetcher.errors().size, 0);
  });

  it('looks again from time to time, and tells when something is new', async () => {
    await start(says(first.jwks()), { jwksRefreshMs: 20 });
    await fetched.told(0);
    await server.askedTimes(3);
    assert.equal(fetched.news.length, 1);
    server.answer = says(second.jwks());
    assert.equal(await fetched.told(1), 'second');
  });

  it('looks at once when a key is wanted, and tells though nothing is new', async () => {
    await start(says(first.jwks()));
    await fetched.told(0);
    server.answer = says(second.jwks());
    fetched.fetcher.want(server.uri);
    assert.equal(await fetched.told(1), 'second');
    fetched.fetcher.want(server.uri);
    assert.equal(await fetched.told(2), 'second');
  });

  it('looks once per second at most, however much is wanted', async () => {
    await start(says(first.jwks()), {}, 1000);
    await fetched.told(0);
    const storm = setInterval(() => {
      for (let n = 0; n < 100; n++) fetched.fetcher.want(server.uri);
    }, 5);
    try {
      await server.askedTimes(3);
    } finally {
      clearInterval(storm);
    }
    const gaps = server.asked.slice(1).map(({ at }, index) => at - server.asked[index]!.at);
    for (const gap of gaps) assert.ok(gap > 950, `${gaps}`);
  });

  it('says at once that nothing is there where nobody follows', async () => {
    await start(says(first.jwks()));
    await fetched.told(0);
    fetched.fetcher.want('http://elsewhere.example/');
    assert.equal(await fetched.told(1), null);
    assert.equal(fetched.news[1]?.followed, false);
  });

  it('lets go of what is followed no longer', async () => {
    await start(says(first.jwks()));
    await fetched.told(0);
    fetched.follow();
    assert.equal(await fetched.told(1), null);
    assert.equal(fetched.news[1]?.followed, false);
    fetched.follow(server.uri);
    assert.equal(await fetched.told(2), 'first');
    assert.equal(server.asked.length, 2);
  });

  it('keeps what it has through an outage, then nothing', async () => {
    await start(says(first.jwks()), { jwksRefreshMs: 100, jwksStaleMs: 300 });
    await fetched.told(0);
    const at = performance.now();
    server.answer = says('', 503);
    await fetched.looked(2);
    assert.deepEqual(fetched.looks, ['same', 'fails']);
    assert.match([...fetched.fetcher.errors().values()].join(), /answered 503 \(older keys are used\)$/);
    assert.equal(fetched.news.length, 1);
    assert.equal(await fetched.told(1), null);
    assert.ok(performance.now() - at >= 350);
    assert.match([...fetched.fetcher.errors().values()].join(), /answered 503$/);
  });

  it('tells at once when the first look fails, tries again, and recovers', async () => {
    await start(says('', 503));
    assert.equal(await fetched.told(0), null);
    server.answer = says(first.jwks());
    assert.equal(await fetched.told(1), 'first');
    assert.deepEqual(fetched.looks, ['fails', 'works']);
    assert.equal(fetched.fetcher.errors().size, 0);
  });

  it('does not ask a server that is down again and again', async () => {
    await start(says('', 503));
    await fetched.looked(3);
    const before = server.asked.length;
    // The breaker is open: whoever wants keys is told, and the server hears nothing.
    fetched.fetcher.want(server.uri);
    await fetched.looked(4);
    assert.equal(server.asked.length, before);
    assert.match([...fetched.fetcher.errors().values()].join(), /answered 503$/, 'the cause stays');
    server.answer = says(first.jwks());
    await fetched.told(fetched.news.length);
    for (let index = 0; (await fetched.told(index)) === null; ) index++;
  });

  it('asks nobody any more when it is closed', async () => {
    await start(() => {}, { jwksRefreshMs: 1 });
    await server.askedTimes(1);
    await fetched.fetcher.close();
    fetched.fetcher.want(server.uri);
    assert.equal(fetched.looks.length, 0);
  });
});
