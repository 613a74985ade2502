import assert from 'node:assert/strict';
import type { LoadBalancingPlan } from '../routing/load-balancing.ts';
import { decodeLoadBalancing, describeLoadBalancing } from './load-balancing.ts';

const NOTHING: LoadBalancingPlan = { algorithm: 'PeakEWMA', consistentHash: null, slowStart: null, locality: 'Any' };
const HASH = { ...NOTHING, algorithm: 'ConsistentHash' as const };
const NAMELESS = { ttlMs: 0, path: '' };

function decode(raw: unknown): LoadBalancingPlan | string[] {
  const problems: string[] = [];
  const plan = decodeLoadBalancing(raw, 'lb', { unsupported: (path, message) => problems.push(`${path}: ${message}`) });
  return plan ?? problems;
}

describe('loadBalancing', () => {
  const plans: [name: string, raw: unknown, plan: LoadBalancingPlan, words: string][] = [
    ['nothing', {}, NOTHING, 'load balancing: PeakEWMA'],
    ['an algorithm', { algorithm: 'Random' }, { ...NOTHING, algorithm: 'Random' }, 'load balancing: Random'],
    [
      'a header, in lower case; what hashes, hashes',
      { consistentHash: { header: 'X-User' } },
      { ...HASH, consistentHash: { source: 'header', name: 'x-user', ...NAMELESS } },
      'load balancing: ConsistentHash; by header x-user',
    ],
    [
      'a cookie',
      { algorithm: 'ConsistentHash', consistentHash: { cookie: { name: 'Cart', ttl: '1h', path: '/a' } } },
      { ...HASH, consistentHash: { source: 'cookie', name: 'Cart', ttlMs: 3_600_000, path: '/a' } },
      'load balancing: ConsistentHash; by cookie Cart',
    ],
    [
      'a query parameter',
      { consistentHash: { query: 'User' } },
      { ...HASH, consistentHash: { source: 'query', name: 'User', ...NAMELESS } },
      'load balancing: ConsistentHash; by query User',
    ],
    [
      'the source address',
      { consistentHash: { sourceIP: true } },
      { ...HASH, consistentHash: { source: 'sourceIP', name: '', ...NAMELESS } },
      'load balancing: ConsistentHash; by source address',
    ],
    [
      'something to hash under another algorithm of a rule',
      { algorithm: 'RoundRobin', consistentHash: { query: 'user' } },
      { ...NOTHING, algorithm: 'RoundRobin' },
      'load balancing: RoundRobin',
    ],
    [
      'slow start and zones',
      { slowStart: { window: '30s' }, locality: 'PreferZone' },
      { ...NOTHING, slowStart: { windowMs: 30_000, minWeightPercent: 10, aggression: 1 }, locality: 'PreferZone' },
      'load balancing: PeakEWMA; new endpoints start at 10 % for 30s; own zone first',
    ],
  ];
  for (const [name, raw, plan, words] of plans) {
    it(name, () => {
      assert.deepEqual(decode(raw), plan);
      assert.equal(describeLoadBalancing(plan), words);
    });
  }

  const refused: [raw: unknown, problem: string][] = [
    [
      { algorithm: 'Maglev' },
      'lb.algorithm: "Maglev" is none of PeakEWMA, LeastRequest, RoundRobin, Random, ConsistentHash',
    ],
    [
      { algorithm: 'ConsistentHash' },
      'lb.algorithm: ConsistentHash needs consistentHash: what requests are told apart by',
    ],
    [{ locality: 'Near' }, 'lb.locality: "Near" is none of PreferZone, Strict, Any'],
    [{ consistentHash: {} }, 'lb.consistentHash: exactly one of header, cookie, query, sourceIP must be set'],
    [{ consistentHash: { header: '' } }, 'lb.consistentHash.header: "" is no name'],
    [{ consistentHash: { sourceIP: false } }, 'lb.consistentHash.sourceIP: is true or absent'],
    [{ consistentHash: { cookie: {} } }, 'lb.consistentHash.cookie.name: is missing'],
    [{ slowStart: {} }, 'lb.slowStart.window: is missing'],
    [
      { slowStart: { window: '1s', minWeightPercent: 101 } },
      'lb.slowStart.minWeightPercent: 101 is no number from 0 to 100',
    ],
    [{ weights: {} }, 'lb.weights: is unknown here: write algorithm, consistentHash, slowStart, locality'],
  ];
  for (const [raw, problem] of refused) {
    it(`refuses ${JSON.stringify(raw)}`, () => assert.deepEqual(decode(raw), [problem]));
  }
});
