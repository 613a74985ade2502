import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { seeded } from '../test/harness/chance.ts';
import { requestHead } from '../test/harness/heads.ts';
import { decodeSession, describeSession, type SessionPlan, Sessions } from './session.ts';
import { openToken, sealToken } from './session-token.ts';

const sign = (text: string): string => createHmac('sha256', 'key').update(text).digest('base64url');
const other = (text: string): string => createHmac('sha256', 'another').update(text).digest('base64url');
const random = seeded(12);

const SCOPE = 'HTTPRoute/shop/orders/0';
const NOW = 1_790_000_000_000;

function plan(given: Partial<SessionPlan> = {}): SessionPlan {
  return {
    type: 'Cookie',
    name: 'sid',
    lifetime: 'Session',
    absoluteTimeoutMs: 0,
    idleTimeoutMs: 0,
    path: '/',
    ...given,
  };
}

function session(now = NOW) {
  return { backend: 'shop/orders:80', endpoint: '10.0.0.7:8080', since: now, used: now };
}

function cookie(...values: string[]) {
  return requestHead({ headers: values.map((value) => ['Cookie', value] as const) }).fields;
}

/** The request that answers a response field, as a browser would. */
function returned([name, value]: readonly [string, string]) {
  const headers = [name === 'set-cookie' ? (['cookie', value.split(';')[0]!] as const) : ([name, value] as const)];
  return requestHead({ headers }).fields;
}

describe('sessions', () => {
  for (const type of ['Cookie', 'Header'] as const) {
    it(`come back: ${type}`, () => {
      const sessions = new Sessions(plan({ type }), SCOPE, sign);
      const field = sessions.field(session(), NOW + 5, random);
      assert.deepEqual(sessions.find(returned(field), NOW + 10), { ...session(), used: NOW + 5 });
    });
  }

  const times: readonly (readonly [
    name: string,
    plan: Partial<SessionPlan>,
    used: number,
    now: number,
    alive: boolean,
  ])[] = [
    ['for ever', {}, 0, 1e12, true],
    ['until the absolute timeout', { absoluteTimeoutMs: 1_000 }, 0, 999, true],
    ['until the absolute timeout, used or not', { absoluteTimeoutMs: 1_000 }, 900, 1_000, false],
    ['until the idle timeout', { idleTimeoutMs: 1_000 }, 5_000, 5_999, true],
    ['until the idle timeout', { idleTimeoutMs: 1_000 }, 5_000, 6_000, false],
    ['until the earlier of both', { idleTimeoutMs: 1_000, absoluteTimeoutMs: 5_500 }, 5_000, 5_500, false],
  ];
  for (const [name, given, used, now, alive] of times) {
    it(`live ${name} (${now})`, () => {
      const sessions = new Sessions(plan(given), SCOPE, sign);
      const field = sessions.field(session(), NOW + used, random);
      assert.equal(sessions.find(returned(field), NOW + now) !== null, alive);
    });
  }

  it('are renewed while they are used, if idleness would end them', () => {
    const idle = new Sessions(plan({ idleTimeoutMs: 5_000 }), SCOPE, sign);
    assert.deepEqual(
      [999, 1_000].map((age) => idle.isDue(session(), NOW + age)),
      [false, true],
    );
    assert.equal(new Sessions(plan(), SCOPE, sign).isDue(session(), NOW + 1e9), false);
  });

  const fields: readonly (readonly [name: string, plan: Partial<SessionPlan>, now: number, expected: RegExp])[] = [
    ['a session cookie', { path: '/shop' }, 0, /^sid=[\w-]{60,}; Path=\/shop; HttpOnly; SameSite=Lax$/],
    [
      'a permanent cookie',
      { lifetime: 'Permanent', absoluteTimeoutMs: 3_600_000 },
      1_500,
      /^sid=[\w-]{60,}; Path=\/; Max-Age=3599; HttpOnly; SameSite=Lax$/,
    ],
    ['a header', { type: 'Header', name: 'x-session' }, 0, /^[\w-]{60,}$/],
  ];
  for (const [name, given, age, expected] of fields) {
    it(`are told in ${name}`, () => {
      const sessions = new Sessions(plan(given), SCOPE, sign);
      const [field, value] = sessions.field(session(), NOW + age, random);
      assert.equal(field, given.type === 'Header' ? 'x-session' : 'set-cookie');
      assert.match(value, expected);
    });
  }

  it('have a name for each scope where none is given', () => {
    const names = ['a', 'b', 'a'].map((scope) => new Sessions(plan({ name: '' }), scope, sign).name);
    assert.equal(names[0], names[2]);
    assert.notEqual(names[0], names[1]);
    assert.match(names[0]!, /^waypoint-session-[a-z0-9]+$/);
    assert.match(new Sessions(plan({ type: 'Header', name: '' }), 'a', sign).name, /^x-waypoint-session-[a-z0-9]+$/);
  });

  describe('ignore', () => {
    const sessions = new Sessions(plan(), SCOPE, sign);
    const [, value] = sessions.field(session(), NOW, seeded(1));
    const token = value.slice(4, value.indexOf(';'));
    const rows: readonly (readonly [name: string, lines: string[], found: boolean])[] = [
      ['nothing', [], false],
      ['an empty cookie', ['sid='], false],
      ['another name', [`xsid=${token}`, `sid2=${token}`], false],
      ['the name without a value', ['sid'], false],
      ['what is cut off', [`sid=${token.slice(0, -1)}`], false],
      ['what is longer', [`sid=${token}A`], false],
      ['what is far longer', [`sid=${'A'.repeat(100_000)}`], false],
      ['what is not ours', ['sid=6nPz8cJHq1fYdQJ2sXQe0Qh3M5nQeWg1qkF7o4n0bF1e'], false],
      ['other characters', [`sid="é${token}"`], false],
      ['not the right one among others', [`a=1; sid=${token} ;b=2`], true],
      ['not the right one behind a stale one', [`sid=old; sid=${token}`], true],
      ['not the right one in another line', ['a=1', `sid=${token}`], true],
      ['more than a few', [`${'sid=x;'.repeat(4)}sid=${token}`], false],
    ];
    for (const [name, lines, found] of rows) {
      it(name, () => assert.equal(sessions.find(cookie(...lines), NOW) !== null, found));
    }

    it('a token in which any character differs', () => {
      for (let at = 0; at < token.length; at += 1) {
        const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
        assert.equal(sessions.find(cookie(`sid=${changed}`), NOW), null);
      }
    });

    it('a token of another rule or another key', () => {
      assert.equal(new Sessions(plan(), 'HTTPRoute/shop/orders/1', sign).find(cookie(`sid=${token}`), NOW), null);
      assert.equal(new Sessions(plan(), SCOPE, other).find(cookie(`sid=${token}`), NOW), null);
    });
  });
});

describe('session tokens', () => {
  it('say nothing to who has no key', () => {
    const text = 'shop/orders:80 10.0.0.7:8080';
    const tokens = Array.from({ length: 50 }, () => sealToken(text, 's', { sign, random }));
    for (const token of tokens) {
      assert.equal(openToken(token, 's', sign), text);
      assert.ok(!atob(token.replaceAll('-', '+').replaceAll('_', '/').slice(0, 60)).includes('10.0'));
    }
    assert.equal(new Set(tokens.map((token) => token.slice(8, 12))).size > 45, true, 'equal texts look different');
  });

  it('carry text of any length', () => {
    for (let length = 1; length < 200; length += 7) {
      const text = 'x'.repeat(length);
      assert.equal(openToken(sealToken(text, 's', { sign, random }), 's', sign), text);
    }
  });
});

describe('sessionPersistence', () => {
  const accepted: readonly (readonly [raw: object, expected: SessionPlan, described: string])[] = [
    [{}, plan({ name: '' }), 'session persistence: by cookie of its own name'],
    [
      { sessionName: 'Sid', absoluteTimeout: '1h', cookieConfig: { lifetimeType: 'Permanent' } },
      plan({ name: 'Sid', lifetime: 'Permanent', absoluteTimeoutMs: 3_600_000 }),
      'session persistence: by permanent cookie Sid; at most 1h',
    ],
    [
      { type: 'Header', sessionName: 'X-Session', idleTimeout: '10m' },
      plan({ type: 'Header', name: 'x-session', idleTimeoutMs: 600_000 }),
      'session persistence: by header x-session; until 10m without a request',
    ],
  ];
  for (const [raw, expected, described] of accepted) {
    it(`reads ${JSON.stringify(raw)}`, () => {
      const decoded = decodeSession(raw, 's', { unsupported: assert.fail })!;
      assert.deepEqual(decoded, expected);
      assert.equal(describeSession(decoded), described);
    });
  }

  const refused: readonly (readonly [raw: unknown, paths: string[]])[] = [
    [[], ['s']],
    [{ name: 'a' }, ['s.name']],
    [{ type: 'Query' }, ['s.type']],
    [{ sessionName: 'a b' }, ['s.sessionName']],
    [{ sessionName: 5 }, ['s.sessionName']],
    [{ type: 'Header', sessionName: 'Content-Length' }, ['s.sessionName']],
    [{ absoluteTimeout: '1 h', idleTimeout: 5 }, ['s.absoluteTimeout', 's.idleTimeout']],
    [{ cookieConfig: { lifetimeType: 'Permanent' } }, ['s.absoluteTimeout']],
    [{ cookieConfig: { lifetimeType: 'Ever', path: '/' } }, ['s.cookieConfig.path', 's.cookieConfig.lifetimeType']],
    [{ type: 'Header', cookieConfig: {} }, ['s.cookieConfig']],
  ];
  for (const [raw, paths] of refused) {
    it(`refuses ${JSON.stringify(raw)}`, () => {
      const reported: string[] = [];
      assert.equal(decodeSession(raw, 's', { unsupported: (path) => reported.push(path) }), null);
      assert.deepEqual(reported, paths);
    });
  }
});
