import assert from 'node:assert/strict';
import type { RequestHead } from '../routing/request.ts';
import { filterContext, requestHead } from '../test/harness/heads.ts';
import { requestRedirect } from './redirect.ts';

type Request = Partial<Omit<RequestHead, 'fields'>>;

/** Scheme and port of the filter, of the listener, and what the Location then says. */
const ORIGINS: readonly (readonly [
  settings: object,
  scheme: 'http' | 'https',
  listenerPort: number,
  origin: string,
])[] = [
  [{}, 'http', 80, 'http://example.org'],
  [{ port: 80 }, 'http', 80, 'http://example.org'],
  [{ port: 8080 }, 'http', 80, 'http://example.org:8080'],
  [{ scheme: 'https' }, 'http', 80, 'https://example.org'],
  [{ scheme: 'https', port: 443 }, 'http', 80, 'https://example.org'],
  [{ scheme: 'https', port: 8443 }, 'http', 80, 'https://example.org:8443'],
  [{}, 'http', 8080, 'http://example.org:8080'],
  [{ port: 80 }, 'http', 8080, 'http://example.org'],
  [{ scheme: 'https' }, 'http', 8080, 'https://example.org'],
  [{ scheme: 'http' }, 'http', 8080, 'http://example.org'],
  [{}, 'https', 443, 'https://example.org'],
  [{ port: 443 }, 'https', 443, 'https://example.org'],
  [{ port: 8443 }, 'https', 443, 'https://example.org:8443'],
  [{ port: 80 }, 'https', 443, 'https://example.org:80'],
  [{ scheme: 'http' }, 'https', 443, 'http://example.org'],
  [{ scheme: 'http', port: 80 }, 'https', 443, 'http://example.org'],
  [{ scheme: 'http', port: 8080 }, 'https', 443, 'http://example.org:8080'],
  [{}, 'https', 8443, 'https://example.org:8443'],
];

const full = (value: string) => ({ path: { type: 'ReplaceFullPath', replaceFullPath: value } });
const prefix = (value: string) => ({ path: { type: 'ReplacePrefixMatch', replacePrefixMatch: value } });

const LOCATIONS: readonly (readonly [
  name: string,
  settings: object,
  request: Request,
  matched: string | null,
  location: string,
])[] = [
  ['same path', {}, { path: '/a/b' }, '/a', 'http://shop.test/a/b'],
  ['query kept', {}, { path: '/a', query: 'x=1&y=/' }, '/a', 'http://shop.test/a?x=1&y=/'],
  [
    'port of the request is not the listener',
    {},
    { authority: 'shop.test:9999', port: 9999 },
    '/',
    'http://shop.test/',
  ],
  ['host', { hostname: 'example.org' }, { path: '/a' }, '/', 'http://example.org/a'],
  ['full path', full('/new'), { path: '/old/x', query: 'q' }, '/old', 'http://shop.test/new?q'],
  ['prefix', prefix('/new'), { path: '/old/x' }, '/old', 'http://shop.test/new/x'],
  ['prefix removed', prefix('/'), { path: '/old' }, '/old', 'http://shop.test/'],
  ['IPv6 host', {}, { host: '[::1]', path: '/a' }, '/', 'http://[::1]/a'],
  ['the server as a whole', {}, { method: 'OPTIONS', path: '*' }, null, 'http://shop.test/'],
  ['no host named (HTTP/1.0)', {}, { host: '', authority: '', path: '/a' }, '/', '/a'],
  ['no host named, slashes in front', {}, { host: '', authority: '', path: '//evil.test/' }, '/', '/evil.test/'],
  ['bytes beyond ASCII', {}, { path: '/\xe9', query: 'q=\xff' }, '/', 'http://shop.test/%E9?q=%FF'],
  ['line breaks', {}, { path: '/a\r\nset-cookie: x', query: '\n' }, '/', 'http://shop.test/a%0D%0Aset-cookie:%20x?%0A'],
];

const REFUSED: readonly (readonly [name: string, settings: object, at: string])[] = [
  ['scheme', { scheme: 'ftp' }, 'f.scheme'],
  ['status', { statusCode: 304 }, 'f.statusCode'],
  ['host', { hostname: 'evil.test/a' }, 'f.hostname'],
  ['path', full('//evil.test'), 'f.path.replaceFullPath'],
];

describe('redirect', () => {
  for (const [settings, scheme, listenerPort, origin] of ORIGINS) {
    it(`${JSON.stringify(settings)} at ${scheme} listener on ${listenerPort}: ${origin}`, () => {
      const filter = requestRedirect.decode({ hostname: 'example.org', ...settings }, 'f', {
        unsupported: assert.fail,
      })!;
      const reply = requestRedirect.request!(
        filter,
        filterContext(requestHead({ scheme, path: '/a' }), { listenerPort }),
      );
      assert.deepEqual(reply?.headers, [['location', `${origin}/a`]]);
    });
  }

  for (const [name, settings, request, matchedPrefix, location] of LOCATIONS) {
    it(name, () => {
      const filter = requestRedirect.decode(settings, 'f', { unsupported: assert.fail })!;
      const reply = requestRedirect.request!(filter, filterContext(requestHead(request), { matchedPrefix }));
      assert.deepEqual(reply, { status: 302, reason: 'redirect', headers: [['location', location]], body: '' });
    });
  }

  for (const statusCode of [301, 302, 303, 307, 308]) {
    it(`status ${statusCode}`, () => {
      const filter = requestRedirect.decode({ statusCode }, 'f', { unsupported: assert.fail })!;
      assert.equal(requestRedirect.request!(filter, filterContext(requestHead({})))?.status, statusCode);
    });
  }

  for (const [name, settings, at] of REFUSED) {
    it(`refuses: ${name}`, () => {
      const paths: string[] = [];
      assert.equal(requestRedirect.decode(settings, 'f', { unsupported: (path) => paths.push(path) }), null);
      assert.deepEqual(paths, [at]);
    });
  }

  it('answers 400 where the rest would climb above the root', () => {
    const filter = requestRedirect.decode(prefix('/'), 'f', { unsupported: assert.fail })!;
    const head = requestHead({ path: '/app/../admin' });
    assert.equal(requestRedirect.request!(filter, filterContext(head, { matchedPrefix: '/app' }))?.status, 400);
  });

  it('describes itself', () => {
    const settings = { scheme: 'https', hostname: 'b', port: 8443, statusCode: 301, ...full('/x') };
    const filter = requestRedirect.decode(settings, 'f', { unsupported: assert.fail })!;
    const text = 'RequestRedirect: 301 to scheme https, host b, port 8443, path becomes /x';
    assert.equal(requestRedirect.describe(filter), text);
    const same = requestRedirect.decode({}, 'f', { unsupported: assert.fail })!;
    assert.equal(requestRedirect.describe(same), 'RequestRedirect: 302 to the same address');
  });
});
