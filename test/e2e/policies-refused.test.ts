// Policies that are wrong are refused with path and reason, and what was in force before stays in force.

import assert from 'node:assert/strict';
import { type Manifest, namespace } from '../harness/manifests.ts';
import { PolicyWorld, SERVICE, trafficPolicy } from '../harness/policy-world.ts';
import { eventually } from '../harness/signal.ts';

/** In force before each row, seen by its answer. */
const GOOD = { fault: { abort: { httpStatus: 418, percent: 100 } } };

const ROWS: readonly (readonly [name: string, spec: Record<string, unknown>, told: RegExp])[] = [
  ['a wrong unit', { connections: { connectTimeout: '5 seconds' } }, /spec\.connections\.connectTimeout/],
  ['a number for a duration', { connections: { connectTimeout: 5 } }, /spec\.connections\.connectTimeout/],
  ['an unknown algorithm', { loadBalancing: { algorithm: 'Fastest' } }, /spec\.loadBalancing\.algorithm.*PeakEWMA/],
  ['an unknown locality', { loadBalancing: { locality: 'Near' } }, /spec\.loadBalancing\.locality/],
  ['a percentage above 100', { fault: { abort: { httpStatus: 503, percent: 101 } } }, /spec\.fault\.abort\.percent/],
  [
    'a negative percentage',
    { outlierDetection: { maxEjectionPercent: -1 } },
    /spec\.outlierDetection\.maxEjectionPercent/,
  ],
  ['a status that is none', { fault: { abort: { httpStatus: 999, percent: 1 } } }, /spec\.fault\.abort\.httpStatus/],
  ['an unknown condition', { retry: { on: ['sometimes'] } }, /spec\.retry\.on\[0\]/],
  ['an unknown field', { retry: { attempts: 2, retries: 3 } }, /spec\.retry\.retries|retries/],
  ['an unknown section', { retries: { attempts: 2 } }, /spec\.retries|retries/],
  ['an unknown mode', { ...GOOD, mode: 'Dry' }, /spec\.mode/],
  ['a limit of 0', { circuitBreaker: { maxRequests: 0 } }, /spec\.circuitBreaker\.maxRequests/],
  ['two kinds of check', { healthCheck: { http: { path: '/' }, tcp: {} } }, /spec\.healthCheck/],
  ['a rate of no time', { rateLimit: { local: [{ requests: 1, per: '0s' }] } }, /spec\.rateLimit\.local\[0\]\.per/],
  [
    'a key of two parts in one',
    { rateLimit: { local: [{ requests: 1, per: '1s', key: [{ header: 'a', path: true }] }] } },
    /spec\.rateLimit\.local\[0\]\.key\[0\]/,
  ],
  ['text for a number', { retry: { attempts: 'many' } }, /spec\.retry\.attempts/],
];

describe('policies: what is refused', () => {
  let world: PolicyWorld;
  before(async () => {
    world = await PolicyWorld.start({ policy: GOOD });
  });
  after(() => world.close());

  const told = (): string => world.waypoint.messages.join('\n');

  for (const [name, spec, words] of ROWS) {
    it(`${name}: the policy before it stays`, async () => {
      assert.equal((await world.call()).status, 418);
      const from = world.waypoint.messages.length;
      await world.waypoint.write('policy.yaml', [trafficPolicy('policy', SERVICE, spec)]);
      await eventually(
        () => words.test(world.waypoint.messages.slice(from).join('\n')),
        `${words} to be told: ${told()}`,
      );
      assert.match(world.waypoint.messages.slice(from).join('\n'), /TrafficPolicy default\/policy/);
      assert.equal((await world.call()).status, 418, 'still in force');
    });
  }

  it('and a right one takes its place', async () => {
    await world.policy({ fault: { abort: { httpStatus: 451, percent: 100 } } });
    assert.equal((await world.call()).status, 451);
  });

  for (const [name, policies, reason] of [
    ['a Service of another namespace', [elsewhere()], /TargetNotFound/],
    [
      'no such Service',
      [trafficPolicy('stray', { ...SERVICE, name: 'nobody' }, GOOD)],
      /TargetNotFound.*nobody|nobody.*TargetNotFound/s,
    ],
    ['no such port', [trafficPolicy('stray', { ...SERVICE, sectionName: 'p9' }, GOOD)], /p9/],
    [
      'fields of endpoints on a route',
      [
        trafficPolicy(
          'stray',
          { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'all' },
          { circuitBreaker: { maxRequests: 1 } },
        ),
      ],
      /spec\.circuitBreaker.*target the Service/,
    ],
  ] as const) {
    it(`${name}: not accepted, and nothing changes`, async () => {
      assert.equal((await world.call()).status, 451);
      await world.waypoint.write('stray.yaml', [namespace('other'), ...policies]);
      const page = async (): Promise<string> => (await world.waypoint.admin('/statuses')).body;
      await eventually(async () => reason.test(await page()), `${reason} among the statuses`);
      assert.equal((await world.call()).status, 451);
    });
  }

  it('two policies of one field: the older one holds, the other is told of it', async () => {
    await world.waypoint.write('stray.yaml', [trafficPolicy('zz-late', SERVICE, GOOD)]);
    const conflict = /"reason": ?"Conflicted"/;
    await eventually(async () => conflict.test((await world.waypoint.admin('/statuses')).body), 'a conflict');
    assert.equal((await world.call()).status, 451);
  });
});

/** It lives elsewhere, and so does its target: there is no Service of this name. */
function elsewhere(): Manifest {
  const policy = trafficPolicy('stray', SERVICE, GOOD);
  return { ...policy, metadata: { name: 'stray', namespace: 'other' } };
}
