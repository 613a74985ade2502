import assert from 'node:assert/strict';
import { Store } from '../store.ts';
import { reportRateLimits } from './rate-limits.ts';
import { FindingReport } from './report.ts';

function found(service: string, more: string = '', text: string = ''): readonly string[] {
  const store = new Store();
  store.apply(
    'f.yaml',
    `apiVersion: waypoint.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: p, namespace: shop}
spec:
  targetRefs: [{group: "", kind: Service, name: orders}]
  rateLimit:
    local: [{requests: 1, per: 1s}]
    global: {domain: d, service: ${service}, descriptors: [[{key: a, value: b}]]${more}}
---
apiVersion: v1
kind: Service
metadata: {name: limits, namespace: shop}
spec: {ports: [{port: 8081}]}
${text}`,
  );
  assert.deepEqual(store.findings, []);
  const report = new FindingReport();
  reportRateLimits(store.resources, report);
  return report.sorted().map(({ severity, code, path, message }) => `${severity} ${code} ${path}: ${message}`);
}

const AT = 'error dangling_backend spec.rateLimit.global.service';

describe('rate limit services', () => {
  it('that are there need no word', () => {
    assert.deepEqual(found('{name: limits, port: 8081}'), []);
  });

  it('are missed, with what follows', () => {
    assert.deepEqual(found('{name: nobody, port: 8081}'), [
      `${AT}: there is no Service shop/nobody: until it is there every request passes (failureMode Open)`,
    ]);
    assert.deepEqual(found('{name: limits, port: 80}', ', failureMode: Closed'), [
      `${AT}: Service shop/limits has no port 80; it has 8081: until it is there every request is answered 500 (failureMode Closed)`,
    ]);
  });
});
