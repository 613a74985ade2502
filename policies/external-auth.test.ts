import assert from 'node:assert/strict';
import { describeExternalAuth, type ExternalAuthPlan, externalAuth } from './external-auth.ts';

const REF = { backendRef: { name: 'auth', port: 9000 } };

function read(settings: object): ExternalAuthPlan {
  const filter = externalAuth.decode({ ...REF, ...settings }, 'f', {
    unsupported: (path, message) => assert.fail(`${path}: ${message}`),
  });
  return filter!.plan;
}

const only = (...exact: string[]): object => ({ exact, prefixes: [], suffixes: [] });

describe('externalAuth settings', () => {
  it('are filled in: HTTP', () => {
    const plan = read({ protocol: 'HTTP', http: {} });
    assert.deepEqual(
      [plan.allowedHeaders, plan.allowedResponseHeaders, plan.pathPrefix, plan.forwardBody],
      [only(), null, '', null],
    );
    assert.deepEqual([plan.failOpen, plan.statusOnError, plan.timeoutMs], [false, 403, 10_000]);
    assert.notEqual(plan.failure, null, 'nobody is asked before the reference was resolved');
  });

  it('are filled in: gRPC', () => {
    const plan = read({ protocol: 'GRPC', grpc: {} });
    assert.deepEqual([plan.protocol, plan.allowedHeaders], ['GRPC', null]);
    assert.equal(read({ protocol: 'GRPC', grpc: { allowedHeaders: [] } }).allowedHeaders, null);
  });

  it('keep what is written', () => {
    const http = { path: '/check/', allowedHeaders: ['X-A', 'cookie'], allowedResponseHeaders: ['X-User'] };
    const plan = read({ protocol: 'HTTP', http, forwardBody: { maxSize: 10 } });
    assert.equal(plan.pathPrefix, '/check');
    assert.deepEqual(plan.allowedHeaders, only('x-a', 'cookie'));
    assert.deepEqual(plan.allowedResponseHeaders, only('x-user'));
    assert.deepEqual(plan.forwardBody, { maxBytes: 10, allowPartial: false, packAsBytes: false });
    assert.equal(read({ protocol: 'HTTP', forwardBody: { maxSize: 0 } }).forwardBody, null);
  });

  const bad: readonly (readonly [settings: object, paths: readonly string[]])[] = [
    [{ protocol: 'TCP' }, ['f.protocol']],
    [{ protocol: 'HTTP', grpc: {} }, ['f.grpc']],
    [{ protocol: 'GRPC', http: {} }, ['f.http']],
    [{ protocol: 'HTTP', http: { path: 'check' } }, ['f.http.path']],
    [{ protocol: 'HTTP', http: { path: '/a?b' } }, ['f.http.path']],
    [{ protocol: 'HTTP', http: { path: '/a\r\nx: y' } }, ['f.http.path']],
    [{ protocol: 'HTTP', http: { allowedHeaders: ['a b'] } }, ['f.http.allowedHeaders[0]']],
    [{ protocol: 'HTTP', http: { allowedHeaders: ['x-*'] } }, ['f.http.allowedHeaders[0]']],
    [{ protocol: 'HTTP', http: { allowedHeaders: ['a', 7] } }, ['f.http.allowedHeaders[1]']],
    [{ protocol: 'HTTP', http: { timeout: '1s' } }, ['f.http.timeout']],
    [{ protocol: 'HTTP', forwardBody: { maxSize: -1 } }, ['f.forwardBody.maxSize']],
    [{ protocol: 'HTTP', forwardBody: 1 }, ['f.forwardBody']],
    [{ protocol: 'HTTP', failOpen: true }, ['f.failOpen']],
  ];
  for (const [settings, paths] of bad) {
    it(`refuse ${JSON.stringify(settings)}`, () => {
      const found: string[] = [];
      const report = { unsupported: (path: string) => found.push(path) };
      assert.equal(externalAuth.decode({ ...REF, ...settings }, 'f', report), null);
      assert.deepEqual(found, paths);
    });
  }

  it('are described', () => {
    const plan = { ...read({ protocol: 'HTTP', http: { path: '/check', allowedHeaders: ['cookie'] } }), failure: null };
    assert.equal(
      describeExternalAuth({ ...plan, provider: 'shop/auth:9000', backend: 'shop/auth:9000' }),
      'asks shop/auth:9000 over HTTP below /check, telling headers: cookie; without an answer in 10s it answers 403',
    );
    const open = {
      ...plan,
      provider: 'p',
      backend: 'shop/auth:9000',
      pathPrefix: '',
      failOpen: true,
      allowedHeaders: null,
    };
    assert.equal(
      describeExternalAuth({ ...open, forwardBody: { maxBytes: 9, allowPartial: true, packAsBytes: false } }),
      'asks p (shop/auth:9000) over HTTP, telling headers: all, up to 9 bytes of the body; without an answer in 10s it lets pass',
    );
    const failure = { reason: 'BackendNotFound', message: 'There is no Service shop/auth' };
    assert.equal(describeExternalAuth({ ...plan, failure }), 'refuses every request: There is no Service shop/auth');
  });
});
