// Objects that would harm if they were believed (C1, R6, X10): refused alone, harmless, and the rest serves.

import assert from 'node:assert/strict';
import { call } from '../harness/call.ts';
import { backendRef, prefix, type RuleSetup } from '../harness/manifests.ts';
import { RoutingWorld } from '../harness/routing-world.ts';

const EVIL = 'a\r\nX-Evil: b';

function headers(type: 'request' | 'response', settings: unknown): unknown {
  const kind = type === 'request' ? 'RequestHeaderModifier' : 'ResponseHeaderModifier';
  return { type: kind, [`${type}HeaderModifier`]: settings };
}

const REFUSED: readonly (readonly [name: string, rule: RuleSetup])[] = [
  ['CR LF in a request header', { filters: [headers('request', { set: [{ name: 'X-A', value: EVIL }] })] }],
  ['CR LF in a response header', { filters: [headers('response', { add: [{ name: 'X-A', value: EVIL }] })] }],
  ['NUL in a response header', { filters: [headers('response', { set: [{ name: 'X-A', value: 'a\0b' }] })] }],
  ['CR LF in a header name', { filters: [headers('response', { set: [{ name: EVIL, value: 'a' }] })] }],
  [
    'CR LF in a redirect path',
    { filters: [redirect({ path: { type: 'ReplaceFullPath', replaceFullPath: `/${EVIL}` } })] },
  ],
  ['CR LF in a redirect hostname', { filters: [redirect({ hostname: EVIL })] }],
  [
    'CR LF in a rewrite path',
    { filters: [rewrite({ path: { type: 'ReplaceFullPath', replaceFullPath: `/${EVIL}` } })] },
  ],
  [
    'space in a rewrite path',
    { filters: [rewrite({ path: { type: 'ReplaceFullPath', replaceFullPath: '/a HTTP/1.1' } })] },
  ],
  ['CR LF in a rewrite hostname', { filters: [rewrite({ hostname: EVIL })] }],
  ['CR LF in a CORS list', { filters: [{ type: 'CORS', cors: { allowOrigins: ['*'], exposeHeaders: [EVIL] } }] }],
  ['a broken pattern', { matches: [{ path: { type: 'RegularExpression', value: '/x/(' } }] }],
  ['a back reference', { matches: [{ path: { type: 'RegularExpression', value: '/x/(a)\\1' } }] }],
];

function redirect(settings: unknown): unknown {
  return { type: 'RequestRedirect', requestRedirect: settings };
}

function rewrite(settings: unknown): unknown {
  return { type: 'URLRewrite', urlRewrite: settings };
}

describe('hostile configuration', () => {
  let world: RoutingWorld;
  before(async () => {
    const bad = REFUSED.map(([, rule], i) => {
      const backendRefs = JSON.stringify(rule).includes('RequestRedirect') ? [] : [backendRef('v2')];
      const matches = rule.matches ?? [prefix(`/bad-${i}`)];
      return { name: `bad-${i}`, rules: [{ ...rule, matches, ...(backendRefs.length === 0 ? {} : { backendRefs }) }] };
    });
    const bomb = { path: { type: 'RegularExpression', value: '/(a+)+(a|aa)+(.*a){12}' } };
    const nested = { headers: [{ name: 'x-v', type: 'RegularExpression', value: '(([a-z]+)*)*x' }] };
    world = await RoutingWorld.start([
      ...bad,
      { name: 'good', rules: [{ matches: [prefix('/good')], backendRefs: [backendRef('v1')] }] },
      { name: 'bomb', rules: [{ matches: [bomb, nested], backendRefs: [backendRef('v3')] }] },
    ]);
  });
  after(() => world.close());

  REFUSED.forEach(([name], i) => {
    it(`C1 ${name}: nothing of it reaches a head, the answer is 404 or 500`, async () => {
      const path = name.includes('pattern') || name.includes('reference') ? '/x/aa' : `/bad-${i}`;
      const answer = await call(world.port, { path, fields: [['Origin', 'https://a.example']] });
      assert.ok([404, 500].includes(answer.status), `${answer.status}`);
      assert.equal(answer.message.get('x-evil'), undefined);
      assert.ok(await isTold(world, `default/bad-${i}`), 'and the operator is told');
      await world.expect('GET /good', 'v1');
    });
  });

  it('X10 a pattern that backtracks elsewhere takes linear time here', async () => {
    const begun = performance.now();
    for (let i = 0; i < 10; i++) {
      await call(world.port, { path: `/${'a'.repeat(8000)}!`, fields: [['x-v', 'a'.repeat(30_000)]] });
    }
    assert.ok(performance.now() - begun < 2000, `${performance.now() - begun} ms`);
  });

  it('X11 ten thousand query parameters are one request', async () => {
    const query = Array.from({ length: 2000 }, (_, i) => `a${i}`).join('&');
    await world.expect(`GET /good?${query.slice(0, 8000)}`, 'v1');
  });
});

/** In the log, or by a condition of the object. */
async function isTold(world: RoutingWorld, name: string): Promise<boolean> {
  if (world.waypoint.messages.some((message) => message.includes(`${name} `))) return true;
  const page = JSON.parse((await world.waypoint.admin('/statuses')).body) as Record<string, unknown>;
  return /"False"|"PartiallyInvalid"/.test(JSON.stringify(page[`HTTPRoute/${name}`] ?? null));
}
