// Which failure of a try is followed by another, by condition and by code; what is answered when none is left.

import assert from 'node:assert/strict';
import { sentField } from '../harness/echoed.ts';
import { exact, type Manifest } from '../harness/manifests.ts';
import { PolicyWorld, ROUTE, SERVICE, trafficPolicy } from '../harness/policy-world.ts';
import { freePort } from '../harness/ports.ts';
import { type BackendRequest, echo, type Script } from '../harness/scripted-backend.ts';

/** Ejections and the backend's sharing of retries have suites of their own. */
const CALM = {
  outlierDetection: { consecutive5xx: 0, consecutiveLocalOriginFailures: 0 },
  circuitBreaker: { maxRetries: 100 },
};

const reset: Script = (request) => {
  request.connection.socket.resetAndDestroy();
};
const end: Script = (request) => {
  request.connection.socket.destroy();
};
const hang: Script = () => {};
const midHead: Script = async (request) => {
  await request.send('HTTP/1.1 200 OK\r\nContent-Le');
  request.connection.socket.resetAndDestroy();
};
const answers =
  (status: number): Script =>
  (request) =>
    request.respond({ status, body: `status ${status}` });

function tryOf(request: BackendRequest): number {
  return Number(request.message.get('x-waypoint-attempt-count'));
}

/** The first tries of each request end like this, later ones are answered with what arrived. */
function first(fault: Script, tries: number = 1): Script {
  return (request) => (tryOf(request) <= tries ? fault(request) : echo(request));
}

interface Row {
  readonly name: string;
  readonly script: Script;
  readonly retry?: Record<string, unknown>;
  readonly rule?: Record<string, unknown>;
  readonly method?: string;
  readonly status: number;
  readonly tries: number;
  /** The log's last decision; undefined: none was made. */
  readonly decision: string | undefined;
}

const row = (name: string, script: Script, more: Omit<Row, 'name' | 'script'>): Row => ({ name, script, ...more });
const retried = (decision: string): Pick<Row, 'status' | 'tries' | 'decision'> => ({ status: 200, tries: 2, decision });
const stays = (status: number, decision: string | undefined): Pick<Row, 'status' | 'tries' | 'decision'> => ({
  status,
  tries: 1,
  decision,
});

const ROWS: readonly Row[] = [
  row('reset', first(reset), { retry: { on: ['reset-before-response'] }, ...retried('reset_before_response') }),
  row('end without an answer', first(end), {
    retry: { on: ['reset-before-response'] },
    ...retried('reset_before_response'),
  }),
  row('reset within the head', first(midHead), { retry: { on: ['reset'] }, ...retried('reset') }),
  row('reset within the head', first(midHead), {
    retry: { on: ['reset-before-response'] },
    ...stays(503, 'condition_not_listed'),
  }),
  row('reset', first(reset), { retry: { on: ['gateway-error'] }, ...stays(503, 'condition_not_listed') }),
  row('502', first(answers(502)), { retry: { on: ['gateway-error'] }, ...retried('gateway_error') }),
  row('503', first(answers(503)), { retry: { on: ['gateway-error'] }, ...retried('gateway_error') }),
  row('504', first(answers(504)), { retry: { on: ['gateway-error'] }, ...retried('gateway_error') }),
  row('500', first(answers(500)), { retry: { on: ['gateway-error'] }, ...stays(500, 'status_not_listed') }),
  row('500', first(answers(500)), { retry: { on: ['5xx'] }, ...retried('server_error') }),
  row('599', first(answers(599)), { retry: { on: ['5xx'] }, ...retried('server_error') }),
  row('429', first(answers(429)), { retry: { on: ['5xx'] }, ...stays(429, 'status_not_listed') }),
  row('429', first(answers(429)), { retry: { codes: [429, 418] }, ...retried('status_listed') }),
  row('409', first(answers(409)), { retry: { on: ['retriable-4xx'] }, ...retried('retriable_4xx') }),
  row('404', first(answers(404)), { retry: { on: ['retriable-4xx'] }, ...stays(404, 'status_not_listed') }),
  row('503', first(answers(503)), { rule: { retry: { codes: [503] } }, ...retried('status_listed') }),
  row('500', first(answers(500)), { rule: { retry: { codes: [503] } }, ...stays(500, 'status_not_listed') }),
  row('reset', first(reset), { rule: { retry: { codes: [503] } }, ...retried('reset_before_response') }),
  row('reset', first(reset), { rule: { retry: {} }, ...retried('reset_before_response') }),
  row('reset', first(reset), { rule: { retry: { attempts: 0 } }, ...stays(503, 'retries_disabled') }),
  row('a try that takes too long', first(hang), {
    retry: { on: ['per-try-timeout'], perTryTimeout: '60ms' },
    ...retried('per_try_timeout'),
  }),
  row('a try that takes too long', first(hang), {
    retry: { on: ['5xx'], perTryTimeout: '60ms' },
    ...stays(504, 'condition_not_listed'),
  }),
  row('a try beyond backendRequest', first(hang), {
    rule: { retry: {}, timeouts: { backendRequest: '60ms' } },
    ...retried('per_try_timeout'),
  }),
  row('without any stanza: 503', first(answers(503)), stays(503, undefined)),
  row('without any stanza: reset of a fresh connection', first(reset), stays(503, 'condition_not_listed')),
  row('three 503', first(answers(503), 3), {
    retry: { attempts: 3, on: ['gateway-error'] },
    status: 200,
    tries: 4,
    decision: 'gateway_error',
  }),
  row('503 for ever', answers(503), {
    retry: { attempts: 2, on: ['gateway-error'] },
    status: 503,
    tries: 3,
    decision: 'attempts_exhausted',
  }),
  row('resets for ever', reset, {
    retry: { attempts: 2, on: ['reset-before-response'] },
    status: 503,
    tries: 3,
    decision: 'attempts_exhausted',
  }),
  row('silence for ever', hang, {
    retry: { attempts: 2, on: ['per-try-timeout'], perTryTimeout: '40ms' },
    status: 504,
    tries: 3,
    decision: 'attempts_exhausted',
  }),
  row('503', first(answers(503)), {
    method: 'POST',
    retry: { on: ['5xx'] },
    ...stays(503, 'method_not_idempotent'),
  }),
  row('503', first(answers(503)), {
    method: 'POST',
    retry: { on: ['5xx'], methods: ['POST'] },
    ...retried('server_error'),
  }),
  row('503', first(answers(503)), {
    retry: { on: ['5xx'], methods: ['POST'] },
    ...stays(503, 'method_not_idempotent'),
  }),
];

/** Every row is a rule of its own with a policy of its own; all of them are asked at once. */
describe('policies: conditions of a retry', () => {
  let world: PolicyWorld;
  let asked: Promise<Awaited<ReturnType<PolicyWorld['logged']>>>[];

  before(async () => {
    world = await PolicyWorld.start({
      // A connection that served before is repeated for a reason of its own.
      policy: { ...CALM, connections: { maxRequestsPerConnection: 1 } },
      script: (request) => (ROWS[rowOf(request)] as Row).script(request),
      rules: ROWS.map(({ rule = {} }, i) => ({ matches: [exact(`/${i}`)], ...rule })),
      objects: [
        ...ROWS.flatMap(({ retry }, i) =>
          retry === undefined ? [] : [trafficPolicy(`row-${i}`, { ...ROUTE, name: `all-${i}` }, { retry })],
        ),
        trafficBudget(),
      ],
    });
    asked = ROWS.map(({ method = 'GET' }, i) =>
      world.logged({ method, path: `/${i}`, ...(method === 'POST' ? { body: 'order' } : {}) }),
    );
    await Promise.allSettled(asked);
  });
  after(() => world.close());

  for (const [i, { name, retry, rule = {}, method = 'GET', status, tries, decision }] of ROWS.entries()) {
    it(`${method}, ${name}, ${JSON.stringify(retry ?? rule).replaceAll('"', '')} → ${status} after ${tries}`, async () => {
      const { answer, entry } = await (asked[i] as (typeof asked)[0]);
      assert.equal(answer.status, status, answer.body);
      const seen = world.backend.requests.filter((request) => rowOf(request) === i).map(tryOf);
      assert.deepEqual(
        seen,
        Array.from({ length: tries }, (_, at) => at + 1),
      );
      assert.deepEqual([entry['tries'], entry['retry'], entry['status']], [tries, decision, status]);
      if (status === 200) assert.equal(sentField(answer, 'x-waypoint-attempt-count'), String(tries));
      if (name.endsWith('for ever')) assert.equal(entry['flag'], FLAGS[status === 503 ? name : '504']);
    });
  }

  it('retries and refusals are counted by reason', async () => {
    const taken = ROWS.filter(({ decision }) => decision === 'gateway_error');
    const tries = taken.reduce((sum, each) => sum + each.tries - 1, 0);
    // What is exhausted was retried twice before.
    const exhausted = ROWS.filter(({ decision }) => decision === 'attempts_exhausted').length;
    assert.equal(await world.metric('waypoint_retries_total', /reason="gateway_error"/), tries + 2);
    assert.equal(await world.metric('waypoint_retries_refused_total', /reason="attempts_exhausted"/), exhausted);
  });
});

function rowOf(request: BackendRequest): number {
  return Number(request.message.target.slice(1));
}

/** The last upstream response is no failure of the waypoint's. */
const FLAGS: Readonly<Record<string, string | undefined>> = {
  '503 for ever': undefined,
  'resets for ever': 'UC',
  '504': 'UT',
};

function trafficBudget(): Manifest {
  return {
    apiVersion: 'gateway.networking.x-k8s.io/v1alpha1',
    kind: 'XBackendTrafficPolicy',
    metadata: { name: 'budget', namespace: 'default' },
    spec: {
      targetRefs: [SERVICE],
      retryConstraint: { budget: { percent: 100 }, minRetryRate: { count: 1000, interval: '1s' } },
    },
  };
}

describe('policies: an answer that is repeated', () => {
  it('is not seen, and its connection serves again', async () => {
    const world = await PolicyWorld.start({ policy: { ...CALM, retry: { on: ['5xx'] } }, script: first(answers(500)) });
    try {
      for (let i = 0; i < 10; i++) assert.equal((await world.call()).status, 200);
      // The next try may begin before the rest of the answer was read.
      assert.ok(world.backend.connections.length <= 2, `${world.backend.connections.length} connections`);
    } finally {
      await world.close();
    }
  });
});

describe('policies: connections that are refused', () => {
  const idle = { ...CALM, loadBalancing: { algorithm: 'RoundRobin' } };

  it('every request is served by the other endpoint, POSTs too, without any stanza', async () => {
    const dead = await freePort();
    const world = await PolicyWorld.start({ policy: idle, dead: [dead] });
    try {
      for (let i = 0; i < 10; i++) assert.equal((await world.call({ method: 'POST', body: `order ${i}` })).status, 200);
      for (const entry of await world.waypoint.log.find(() => true, 10)) {
        assert.equal(entry['retry'], entry['tries'] === 2 ? 'connect_failure' : undefined);
      }
      assert.equal(await world.metric('waypoint_retries_total', /connect_failure/), 5);
      assert.equal(world.backend.requests.length, 10);
    } finally {
      await world.close();
    }
  });

  it('503 when they all are, after every try', async () => {
    const dead = [await freePort(), await freePort(), await freePort()];
    const world = await PolicyWorld.start({ policy: { ...idle, retry: { attempts: 2 } }, backends: 0, dead });
    try {
      const { answer, entry } = await world.logged();
      assert.deepEqual([answer.status, entry['flag'], entry['tries']], [503, 'UF', 3]);
    } finally {
      await world.close();
    }
  });

  it('attempts: 0 means none, whatever failed', async () => {
    const world = await PolicyWorld.start({
      policy: { ...idle, retry: { attempts: 0 } },
      backends: 0,
      dead: [await freePort()],
    });
    try {
      const { answer, entry } = await world.logged();
      assert.deepEqual([answer.status, entry['tries'], entry['retry']], [503, 1, 'retries_disabled']);
    } finally {
      await world.close();
    }
  });
});

describe('policies: a connection that dies idle', () => {
  for (const [method, status] of [
    ['GET', 200],
    ['DELETE', 200],
    ['POST', 503],
  ] as const) {
    it(`its reset under a ${method} ends in ${status}, without any stanza`, async () => {
      const world = await PolicyWorld.start();
      try {
        await world.call();
        const [reused] = world.backend.open;
        world.script((request) => (request.connection === reused ? reset(request) : echo(request)));
        const { answer, entry } = await world.logged({ method, ...(method === 'POST' ? { body: 'order' } : {}) });
        assert.equal(answer.status, status);
        assert.equal(entry['retry'], status === 200 ? 'stale_connection' : 'method_not_idempotent');
      } finally {
        await world.close();
      }
    });
  }
});
