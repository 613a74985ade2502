import assert from 'node:assert/strict';
import type { JwtRulePlan } from '../../policies/authentication.ts';
import { filterContext, requestHead } from '../../test/harness/heads.ts';
import { bearer, ISSUER, judge, main, rule, token, world } from '../../test/harness/jwt-world.ts';

type Lines = readonly (readonly [string, string])[];

const OUTPUTS: Partial<JwtRulePlan> = {
  payloadHeader: 'x-jwt',
  claimHeaders: [
    { header: 'x-sub', claim: 'sub' },
    { header: 'x-role', claim: 'realm.role' },
  ],
};

/** What is forwarded of a request. */
async function forwarded(given: Partial<JwtRulePlan>, headers: Lines, query: string = ''): Promise<Lines> {
  const authenticator = world(rule(given));
  const head = requestHead({ headers, query });
  const verdict = authenticator.check(filterContext(head)) ?? (await judge(authenticator, { headers, query }));
  assert.equal(verdict.reply, null);
  authenticator.apply(verdict, head);
  return [...head.fields.entries(), ...(head.forwardQuery === null ? [] : [['?', head.forwardQuery] as const])];
}

describe('what the backend gets to see of a token', () => {
  const text = token({ claims: { realm: { role: 'admin' } } });
  const payload = text.split('.')[1]!;

  it('is nothing by default', async () => {
    assert.deepEqual(await forwarded({}, [['authorization', `Bearer ${text}`]]), []);
    assert.deepEqual(await forwarded({}, [], `a=b&access_token=${text}`), [['?', 'a=b']]);
  });

  it('is the token where the rule forwards it', async () => {
    const sent: Lines = [['Authorization', `bearer ${text}`]];
    assert.deepEqual(await forwarded({ forward: true }, sent), sent);
    assert.deepEqual(await forwarded({ forward: true }, [], `access_token=${text}`), []);
  });

  it('is nothing in every place where it stands', async () => {
    const sent: Lines = [
      ['authorization', `Bearer ${text}`],
      ['authorization', 'Basic x'],
      ['x', 'y'],
    ];
    assert.deepEqual(await forwarded({}, sent, `access_token=${text}`), [
      ['x', 'y'],
      ['authorization', 'Basic x'],
      ['?', ''],
    ]);
  });

  it('is its payload and claims where the rule writes them', async () => {
    assert.deepEqual(await forwarded(OUTPUTS, [['authorization', `Bearer ${text}`]]), [
      ['x-jwt', payload],
      ['x-sub', 'alice'],
      ['x-role', 'admin'],
    ]);
  });

  it('is never what a client wrote in its place, whatever the spelling', async () => {
    const forged: Lines = [
      ...(['x-jwt', 'X-Jwt', 'x_jwt', 'X.JWT', 'x-sub', 'X_Sub', 'x.sub', 'x-role'] as const).map(
        (name) => [name, 'root'] as const,
      ),
      ['x-subs', 'kept'],
    ];
    assert.deepEqual(await forwarded(OUTPUTS, forged), [['x-subs', 'kept']]);
    const bare = token();
    assert.deepEqual(await forwarded(OUTPUTS, [...forged, ['authorization', `Bearer ${bare}`]]), [
      ['x-subs', 'kept'],
      ['x-jwt', bare.split('.')[1]!],
      ['x-sub', 'alice'],
    ]);
  });

  const values: readonly (readonly [claim: unknown, expected: string | null])[] = [
    ['text', 'text'],
    ['', ''],
    ['Grüße', 'Grüße'],
    [7, '7'],
    [-1, '-1'],
    [true, 'true'],
    [false, 'false'],
    [1.5, null],
    [null, null],
    [['a'], null],
    [{ a: 1 }, null],
    ['a\r\nx-evil: 1', null],
    ['a\0b', null],
    ['a\tb', null],
    [' a', null],
  ];
  for (const [value, expected] of values) {
    it(`a claim ${JSON.stringify(value)} becomes ${JSON.stringify(expected)}`, async () => {
      const given = { claimHeaders: [{ header: 'x-c', claim: 'c' }] };
      const sent: Lines = [['authorization', `Bearer ${token({ claims: { c: value } })}`]];
      assert.deepEqual(await forwarded(given, sent), expected === null ? [] : [['x-c', expected]]);
    });
  }

  const paths: readonly (readonly [claim: string, expected: string | null])[] = [
    ['a.b.c', 'deep'],
    ['a.b', null],
    ['a.x', null],
    ['list.0', null],
    ['https://x.example/role', 'named'],
    ['constructor', null],
    ['__proto__', null],
    ['a.constructor.name', null],
    ['sub.length', null],
  ];
  for (const [claim, expected] of paths) {
    it(`the claim ${claim} is ${JSON.stringify(expected)}`, async () => {
      const claims = { a: { b: { c: 'deep' } }, list: ['x'], 'https://x.example/role': 'named' };
      const given = { claimHeaders: [{ header: 'x-c', claim }] };
      const sent: Lines = [['authorization', `Bearer ${token({ claims })}`]];
      assert.deepEqual(await forwarded(given, sent), expected === null ? [] : [['x-c', expected]]);
    });
  }

  it('claims with the names of what every object has are claims', async () => {
    const payloadText = `{"iss":"${ISSUER}","sub":"alice","__proto__":"p","constructor":"c","scope":"a b"}`;
    const sent = bearer(main.token({ payload: payloadText }));
    const { token: verified } = await judge(world(rule()), sent);
    assert.deepEqual(Object.entries(verified?.claims ?? {}).slice(2), [
      ['__proto__', 'p'],
      ['constructor', 'c'],
      ['scope', ['a', 'b']],
    ]);
  });
});
