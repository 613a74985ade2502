import assert from 'node:assert/strict';
import type { Exchange } from '../exchange.ts';
import { AccessLog } from './access-log.ts';

const START = 1000;

function exchange(parts: object = {}, head: object = {}): Exchange {
  const fields = { get: (name: string) => (name === 'user-agent' ? 'curl/8' : undefined) };
  const x = {
    head: { method: 'GET', authority: 'orders.shop', path: '/orders/1', fields, ...head },
    peer: { address: '10.0.0.9', port: 4000, namespace: null, identity: null },
    ...{ token: null, deniedBy: '', deniedRule: '', audited: '' },
    bind: { gateway: 'shop/shop' },
    ...{
      service: { id: 'shop/orders:80' },
      listener: null,
      plan: { plan: { kind: 'HTTPRoute', route: 'shop/orders', rule: '0' } },
    },
    ...{ backend: { id: 'shop/orders-v1:80' }, endpoint: { id: '10.0.0.1:8080' }, id: 'a-1', tries: 1, status: 200 },
    ...{ flag: '', reason: '', detail: '', retryReason: '', shadow: '', requestBytes: 3, responseBytes: 61 },
    ...{ startedAt: START, upstreamAt: START + 1, responseAt: START + 3, endedAt: START + 4.5 },
    ...parts,
  };
  return x as unknown as Exchange;
}

function logged(format: 'json' | 'text', ...exchanges: Exchange[]): string {
  let text = '';
  const log = new AccessLog(format, (batch) => {
    text += batch;
  });
  for (const x of exchanges) log.record(x);
  log.flush();
  return text;
}

describe('AccessLog', () => {
  it('writes a JSON object a line', () => {
    const line = logged('json', exchange());
    assert.ok(line.endsWith('}\n'));
    const { time, ...rest } = JSON.parse(line) as Record<string, unknown>;
    assert.equal(time, new Date(Math.round(performance.timeOrigin + START)).toISOString());
    assert.deepEqual(rest, {
      ...{ id: 'a-1', method: 'GET', authority: 'orders.shop', path: '/orders/1', status: 200 },
      ...{ gateway: 'shop/shop', service: 'shop/orders:80', kind: 'HTTPRoute', route: 'shop/orders', rule: '0' },
      ...{ backend: 'shop/orders-v1:80', endpoint: '10.0.0.1:8080', tries: 1, upstream_ms: 2, duration_ms: 4.5 },
      ...{ request_bytes: 3, response_bytes: 61, peer: '10.0.0.9', peer_port: 4000, user_agent: 'curl/8' },
    });
  });

  it('leaves out what there was not', () => {
    const nothing = { service: null, plan: null, backend: null, endpoint: null, tries: 0, status: 404 };
    const entry = JSON.parse(logged('json', exchange({ ...nothing, flag: 'NR', reason: 'no_frontend' })));
    assert.deepEqual([entry.flag, entry.reason, entry.status], ['NR', 'no_frontend', 404]);
    for (const name of ['service', 'route', 'backend', 'endpoint', 'tries', 'upstream_ms'])
      assert.ok(!(name in entry), name);
  });

  it('names who asked, and the policy and rule that turned him away', () => {
    const identity = { uri: 'spiffe://cluster.local/ns/shop/sa/web' };
    const x = exchange({
      peer: { address: '10.0.0.9', port: 4000, namespace: 'shop', identity },
      ...{ token: { principal: 'https://issuer/me' }, deniedBy: 'AuthorizationPolicy shop/a', deniedRule: '1' },
      audited: 'AuthorizationPolicy shop/b',
    });
    const line = JSON.parse(logged('json', x)) as Record<string, unknown>;
    assert.deepEqual(
      [line['denied_by'], line['denied_rule'], line['audited'], line['principal'], line['request_principal']],
      ['AuthorizationPolicy shop/a', '1', 'AuthorizationPolicy shop/b', identity.uri, 'https://issuer/me'],
    );
    assert.match(
      logged('text', x),
      /\(denied by AuthorizationPolicy shop\/a, rule 1\) \[audit AuthorizationPolicy shop\/b\]/,
    );
  });

  for (const [name, deniedRule, expected] of [
    ['no rule where none decided', '', '(denied by AuthorizationPolicy shop/a)\n'],
    ['that it was not loaded', 'failure', '(denied by AuthorizationPolicy shop/a, which could not be loaded)\n'],
  ] as const) {
    it(`names the policy that denied, and ${name}`, () => {
      assert.ok(logged('text', exchange({ deniedBy: 'AuthorizationPolicy shop/a', deniedRule })).endsWith(expected));
    });
  }

  it('takes the whole try where no response head came', () => {
    const entry = JSON.parse(logged('json', exchange({ responseAt: 0, status: 504 })));
    assert.equal(entry.upstream_ms, 3.5);
  });

  it('lets no peer write a line, a quote or a terminal sequence', () => {
    for (let code = 0; code < 256; code++) {
      const char = String.fromCharCode(code);
      const x = exchange(
        { id: char, detail: char, reason: char },
        { path: `/${char}"x`, authority: char, method: char },
      );
      const json = logged('json', x);
      assert.match(json, /^[\x20-\x7e]+\n$/);
      const entry = JSON.parse(json) as Record<string, unknown>;
      assert.equal(entry['path'], `/${char}"x`);
      assert.equal(entry['authority'], char);
      assert.match(logged('text', x), /^[\x20-\x7e]+\n$/);
    }
  });

  it('writes a line for people', () => {
    const [time, ...words] = logged('text', exchange({ tries: 2, reason: 'x', detail: 'it "was"' }))
      .trim()
      .split(/ +/);
    assert.match(time!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const rest =
      '200 4.5ms GET orders.shop /orders/1 shop/orders#0 -> shop/orders-v1:80 (10.0.0.1:8080, 2 tries) x: it "was"';
    assert.deepEqual(words, rest.split(' '));
  });

  it('hands over whole lines, at once when there are many', () => {
    const batches: string[] = [];
    const log = new AccessLog('json', (text) => batches.push(text));
    while (batches.length === 0) log.record(exchange());
    assert.ok(batches[0]!.length >= 65_536 && batches[0]!.length < 67_000);
    assert.ok(batches[0]!.endsWith('}\n'));
  });

  it('hands over a few lines after a moment, with one timer', async () => {
    const batch = Promise.withResolvers<string>();
    const log = new AccessLog('text', (text) => batch.resolve(text));
    log.record(exchange());
    log.record(exchange());
    const awake = setTimeout(() => {}, 5000);
    assert.equal((await batch.promise).split('\n').length, 3);
    clearTimeout(awake);
  });

  it('says nothing when it is off', () => {
    const log = new AccessLog('off', () => assert.fail());
    log.record(exchange());
    log.flush();
  });

  it('drops and counts what a reader that confirms nothing leaves no room for', () => {
    const written: [number, number][] = [];
    const log = new AccessLog('text', (text, dropped) => written.push([text.length, dropped]));
    const before = exchange();
    for (let line = 0; line < 60_000; line++) log.record(before);
    log.flush();
    const sent = written.reduce((sum, [length]) => sum + length, 0);
    assert.ok(sent <= 4_194_304 && sent > 4_000_000, `${sent} characters`);
    log.confirm(sent);
    log.record(before);
    log.flush();
    const lines = written.reduce((sum, [length]) => sum + length, 0) / (written.at(-1)?.[0] ?? 1);
    assert.equal(lines + written.reduce((sum, [, dropped]) => sum + dropped, 0), 60_001);
  });
});
