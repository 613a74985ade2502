import assert from 'node:assert/strict';
import { decodeTimeouts, type TimeoutsPlan } from './timeouts.ts';

type Settings = { readonly request?: string; readonly backendRequest?: string };

const CASES: readonly (readonly [
  name: string,
  settings: Settings | undefined,
  plan: TimeoutsPlan | null,
  at: string,
])[] = [
  ['nothing set', undefined, null, ''],
  ['both', { request: '10s', backendRequest: '2s' }, { requestMs: 10_000, backendRequestMs: 2_000 }, ''],
  ['request alone', { request: '500ms' }, { requestMs: 500, backendRequestMs: 0 }, ''],
  ['tries alone', { backendRequest: '1m' }, { requestMs: 0, backendRequestMs: 60_000 }, ''],
  ['0s is no limit', { request: '0s', backendRequest: '0s' }, null, ''],
  [
    'tries limited, the whole not',
    { request: '0s', backendRequest: '1s' },
    { requestMs: 0, backendRequestMs: 1_000 },
    '',
  ],
  ['no duration', { request: '1.5s' }, null, 'timeouts.request'],
  ['a try longer than the whole', { request: '1s', backendRequest: '2s' }, null, 'timeouts.backendRequest'],
];

describe('timeouts', () => {
  for (const [name, settings, plan, at] of CASES) {
    it(name, () => {
      const paths: string[] = [];
      const decoded = decodeTimeouts(settings, 'timeouts', { unsupported: (path) => paths.push(path) });
      assert.deepEqual(paths, at === '' ? [] : [at]);
      if (at === '') assert.deepEqual(decoded, plan);
    });
  }
});
