// The key sets of all workers: fetched once, kept fresh, kept through an outage, and not for ever.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuthenticationPlan } from '../policies/authentication.ts';
import type { AccessPlan } from '../policies/plan.ts';
import { JwksFetcher, type JwksOptions } from '../waypoint/jwt/jwks-fetcher.ts';
import type { KeysNews } from '../waypoint/messages.ts';
import { type Answer, JwksServer, says } from './harness/jwks-server.ts';
import { plan, rule } from './harness/jwt-world.ts';
import { Signal } from './harness/signal.ts';
import { keySet, TestIssuer } from './harness/tokens.ts';

const first = new TestIssuer('i', 'ES256', 'first');
const rsa = new TestIssuer('i', 'RS256', 'rsa');
const second = new TestIssuer('i', 'ES256', 'second');

/** A fetcher and what it told. */
class Fetched {
  readonly news: KeysNews[] = [];
  readonly looks: string[] = [];
  readonly complaints: string[] = [];
  /** How often `errors` became others. */
  changes = 0;
  readonly fetcher: JwksFetcher;
  readonly #signal: Signal = new Signal();

  constructor(options: Partial<JwksOptions>, paceMs: number) {
    const error = (message: string): void => void this.complaints.push(message);
    const events = {
      news: (news: readonly KeysNews[]) => {
        this.news.push(...news);
        this.#signal.notify();
      },
      looked: (outcome: string) => {
        this.looks.push(outcome);
        this.#signal.notify();
      },
      changed: () => void this.changes++,
      log: { error, warn: error, info: () => {} },
    };
    const usual = { jwksRefreshMs: 60_000, jwksStaleMs: 60_000, egressAllow: [], stateDir: null };
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
    assert.deepEqual(fetched.looks, ['succeeded', 'failed']);
    assert.equal(fetched.changes, 1);
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
    assert.deepEqual(fetched.looks, ['failed', 'succeeded']);
    assert.equal(fetched.changes, 2);
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

  describe('that keeps them on disk', () => {
    let dir: string;
    beforeEach(() => {
      dir = mkdtempSync(join(tmpdir(), 'waypoint-jwks-'));
    });
    afterEach(() => rmSync(dir, { recursive: true, force: true }));
    const file = (): string => join(dir, 'state', 'jwks.json');
    const restart = async (options: Partial<JwksOptions> = {}): Promise<void> => {
      await fetched.fetcher.close();
      fetched = new Fetched({ stateDir: join(dir, 'state'), ...options }, 50);
      fetched.follow(server.uri);
    };

    it('has them after a restart, though their server is down', async () => {
      await start(says(keySet(first.jwk(), rsa.jwk({ alg: undefined, kid: undefined }))), {
        stateDir: join(dir, 'state'),
      });
      await fetched.told(0);
      const before = fetched.news[0];
      server.answer = says('', 503);
      await restart();
      await fetched.looked(1);
      assert.deepEqual(fetched.news, [before]);
      assert.equal(statSync(file()).mode & 0o777, 0o600);
    });

    it('but not when they have become too old, or were fetched tomorrow', async () => {
      await start(says(first.jwks()), { stateDir: join(dir, 'state') });
      await fetched.told(0);
      server.answer = says('', 503);
      const { sets } = JSON.parse(readFileSync(file(), 'utf8')) as { sets: { at: number }[] };
      for (const at of [Date.now() - 120_001, Date.now() + 86_400_000]) {
        writeFileSync(file(), JSON.stringify({ sets: sets.map((set) => ({ ...set, at })) }));
        await restart();
        assert.equal(await fetched.told(0), null);
      }
    });

    for (const text of ['', 'x', 'null', '[]', '{"sets":[null,{},{"uri":7},{"uri":"u","at":0,"keys":[]}]}']) {
      it(`and fetches anew where it finds ${JSON.stringify(text)}`, async () => {
        await start(says(first.jwks()), { stateDir: join(dir, 'state') });
        await fetched.told(0);
        writeFileSync(file(), text);
        await restart();
        assert.equal(await fetched.told(0), 'first');
        assert.equal(fetched.complaints.length, text === '' || text === 'x' ? 1 : 0);
      });
    }

    it('and goes on where nothing can be kept', async () => {
      writeFileSync(join(dir, 'state'), 'a file');
      await start(says(first.jwks()), { stateDir: join(dir, 'state') });
      assert.equal(await fetched.told(0), 'first');
      assert.match(fetched.complaints.join(), /cannot keep keys in/);
    });

    it('and forgets those that nobody needs any more', async () => {
      await start(says(first.jwks()), { stateDir: join(dir, 'state') });
      await fetched.told(0);
      fetched.follow();
      assert.deepEqual(JSON.parse(readFileSync(file(), 'utf8')), { sets: [] });
    });
  });

  it('asks nobody any more when it is closed', async () => {
    await start(() => {}, { jwksRefreshMs: 1 });
    await server.askedTimes(1);
    await fetched.fetcher.close();
    fetched.fetcher.want(server.uri);
    assert.equal(fetched.looks.length, 0);
  });
});
