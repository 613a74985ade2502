import assert from 'node:assert/strict';
import { decodeConnections, describeConnections } from './connections.ts';
import type { ConnectionsPlan } from './traffic.ts';

function decode(raw: unknown): ConnectionsPlan | string[] {
  const problems: string[] = [];
  const plan = decodeConnections(raw, 'c', { unsupported: (path, message) => problems.push(`${path}: ${message}`) });
  return plan ?? problems;
}

describe('connections', () => {
  const plans: [name: string, raw: unknown, plan: ConnectionsPlan, words: string][] = [
    [
      'nothing: the times are left to the process',
      {},
      { connectTimeoutMs: null, idleTimeoutMs: null, maxRequestsPerConnection: 0, maxAgeMs: 0, proxyProtocol: null },
      'connections: without limits',
    ],
    [
      'everything',
      { connectTimeout: '2s', idleTimeout: '10s', maxRequestsPerConnection: 5, maxAge: '1h', proxyProtocol: 'V2' },
      {
        connectTimeoutMs: 2000,
        idleTimeoutMs: 10_000,
        maxRequestsPerConnection: 5,
        maxAgeMs: 3_600_000,
        proxyProtocol: 'V2',
      },
      'connections: opened within 2s; closed after 10s of idleness; at most 5 requests each; at most 1h old; announce their client by PROXY protocol V2',
    ],
    [
      'no end of idleness',
      { idleTimeout: '0s' },
      { connectTimeoutMs: null, idleTimeoutMs: 0, maxRequestsPerConnection: 0, maxAgeMs: 0, proxyProtocol: null },
      'connections: kept while idle',
    ],
  ];
  for (const [name, raw, plan, words] of plans) {
    it(name, () => {
      assert.deepEqual(decode(raw), plan);
      assert.equal(describeConnections(plan), words);
    });
  }

  const refused: [raw: unknown, problem: string][] = [
    [{ connectTimeout: '0s' }, 'c.connectTimeout: must be longer than 0s'],
    [{ proxyProtocol: 'v2' }, 'c.proxyProtocol: "v2" is not one of V1, V2'],
    [{ proxyProtocol: 2 }, 'c.proxyProtocol: 2 is not one of V1, V2'],
    [{ maxAge: '1' }, 'c.maxAge: "1" is no duration: write 10s, 500ms or 1m30s (GEP-2257)'],
    [{ maxRequestsPerConnection: 1.5 }, 'c.maxRequestsPerConnection: 1.5 is no whole number from 0 to 2147483647'],
  ];
  for (const [raw, problem] of refused) {
    it(`refuses ${JSON.stringify(raw)}`, () => assert.deepEqual(decode(raw), [problem]));
  }
});
