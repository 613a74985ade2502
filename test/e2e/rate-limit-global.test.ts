// Global rate limits: descriptors as they arrive at the service, its verdicts, and what follows when it does not answer.

import assert from 'node:assert/strict';
import { RateLimitResponse_Code as Code, type RateLimitRequest } from '../../waypoint/protos/gen/rate-limit_pb.ts';
import { GrpcService } from '../harness/grpc-service.ts';
import { service } from '../harness/manifests.ts';
import { PolicyWorld, SERVICE, trafficPolicy } from '../harness/policy-world.ts';
import { eventually } from '../harness/signal.ts';

type Spec = Record<string, unknown>;

const LIMIT: Spec = {
  domain: 'shop',
  service: { name: 'limits', port: 8081 },
  descriptors: [[{ key: 'tenant', header: 'x-tenant' }]],
  timeout: '1s',
};

const global = (more: Spec = {}): Spec => ({ rateLimit: { global: { ...LIMIT, ...more } } });
const tenant = { fields: [['x-tenant', 'a']] } as const;

/** `key=value,...` of each descriptor. */
function descriptors({ descriptors: all }: RateLimitRequest): readonly string[] {
  return all.map(({ entries }) => entries.map(({ key, value }) => `${key}=${value}`).join());
}

describe('global rate limits', () => {
  let limits: GrpcService;
  let world: PolicyWorld;

  before(async () => {
    limits = await GrpcService.start();
    world = await PolicyWorld.start({
      policy: global(),
      objects: service({ name: 'limits', port: 8081, endpoints: [limits.port], appProtocol: 'grpc' }),
    });
  });
  after(async () => {
    await world.close();
    limits.close();
  });
  beforeEach(async () => {
    limits.scripts = {};
    limits.limits.length = 0;
  });

  it('one call asks about all descriptors that are complete', async () => {
    await world.policy(
      global({
        descriptors: [
          [
            { key: 'tenant', header: 'X-Tenant' },
            { key: 'path', path: true },
          ],
          [{ key: 'user', cookie: 'user' }],
          [{ key: 'client', sourceIP: true }],
          [{ key: 'fixed', value: 'ä' }],
        ],
      }),
    );
    assert.equal((await world.call({ ...tenant, path: '/p?q' })).status, 200);
    assert.equal(limits.limits.length, 1);
    assert.equal(limits.limits[0]!.domain, 'shop');
    assert.deepEqual(descriptors(limits.limits[0]!), ['tenant=a,path=/p', 'client=127.0.0.1', 'fixed=ä']);
    await world.policy(global());
  });

  it('nobody is asked where no descriptor is complete', async () => {
    assert.equal((await world.call()).status, 200);
    assert.equal(limits.limits.length, 0);
  });

  it('over the limit: 429, with what the service says of it', async () => {
    limits.scripts.limit = () => ({
      overallCode: Code.OVER_LIMIT,
      statuses: [
        { code: Code.OK, limitRemaining: 3 },
        {
          code: Code.OVER_LIMIT,
          currentLimit: { requestsPerUnit: 10, unit: 2 },
          durationUntilReset: { seconds: 29n, nanos: 1 },
        },
      ],
      responseHeadersToAdd: [{ key: 'X-RateLimit-Limit', value: '10' }],
    });
    const before = world.backend.requests.length;
    const { answer, entry } = await world.logged(tenant);
    const field = (name: string): string | undefined => answer.message.get(name);
    assert.deepEqual([answer.status, answer.body], [429, 'too many requests\n']);
    assert.deepEqual([field('retry-after'), field('ratelimit-reset')], ['30', '30']);
    assert.deepEqual([field('ratelimit-limit'), field('ratelimit-remaining')], ['10', '0']);
    assert.equal(field('x-ratelimit-limit'), '10');
    assert.deepEqual([entry['flag'], entry['reason']], ['RL', 'rate_limited']);
    assert.equal(world.backend.requests.length, before);
  });

  it('without a time of reset the unit says when to come back; a body of its own', async () => {
    limits.scripts.limit = () => ({
      overallCode: Code.OVER_LIMIT,
      statuses: [{ code: Code.OVER_LIMIT, currentLimit: { requestsPerUnit: 1, unit: 3 } }],
      rawBody: Buffer.from('slow down'),
    });
    const { status, body, message } = await world.call(tenant);
    assert.deepEqual([status, body, message.get('retry-after')], [429, 'slow down', '3600']);
  });

  it('within the limit: fields for the request and for the answer', async () => {
    limits.scripts.limit = () => ({
      overallCode: Code.OK,
      requestHeadersToAdd: [
        { key: 'X-Quota', value: 'low' },
        { key: 'host', value: 'evil' },
      ],
      responseHeadersToAdd: [
        { key: 'X-RateLimit-Remaining', value: '3' },
        { key: 'content-length', value: '1' },
      ],
    });
    const { status, message } = await world.call({ ...tenant, host: 'orders.shop' });
    assert.deepEqual([status, message.get('x-ratelimit-remaining')], [200, '3']);
    const { message: request } = world.backend.requests.at(-1)!;
    assert.deepEqual([request.get('x-quota'), request.get('host')], ['low', 'orders.shop']);
  });

  it('local limits come first', async () => {
    await world.policy({ rateLimit: { global: LIMIT, local: [{ requests: 1, per: '1h' }] } });
    assert.equal((await world.call(tenant)).status, 200);
    assert.equal((await world.call(tenant)).status, 429);
    assert.equal(limits.limits.length, 1);
    await world.policy(global());
  });

  for (const [name, script] of [
    ['a grpc-status', () => 14],
    ['no message', () => Buffer.from([0xff])],
    ['neither OK nor over', () => ({ overallCode: Code.UNKNOWN })],
    ['a line break', () => ({ overallCode: Code.OK, responseHeadersToAdd: [{ key: 'a', value: 'b\r\nc: d' }] })],
    ['no answer in time', () => new Promise<never>(() => {})],
  ] as const) {
    it(`${name}: passes where open, 500 where closed`, async () => {
      limits.scripts.limit = script as never;
      await world.policy(global({ timeout: '50ms' }));
      assert.equal((await world.call(tenant)).status, 200);
      await world.policy(global({ timeout: '50ms', failureMode: 'Closed' }));
      const { answer, entry } = await world.logged(tenant);
      assert.equal(answer.status, 500);
      assert.match(String(entry['reason']), /^rate_limit_(failed|malformed|timeout)$/);
      await world.policy(global());
    });
  }

  it('one Service that is not there: the failure mode decides', async () => {
    await world.policy(global({ service: { name: 'nobody', port: 1 }, failureMode: 'Closed' }));
    const { answer, entry } = await world.logged(tenant);
    assert.deepEqual([answer.status, entry['reason']], [500, 'rate_limit_no_endpoint']);
    await world.policy(global());
  });

  it('in mode Shadow the service is asked, and nothing changes', async () => {
    limits.scripts.limit = () => ({
      overallCode: Code.OVER_LIMIT,
      requestHeadersToAdd: [{ key: 'X-Quota', value: 'none' }],
      responseHeadersToAdd: [{ key: 'X-RateLimit-Limit', value: '10' }],
    });
    await world.policy({ ...global(), mode: 'Shadow' });
    const before = await world.metric('waypoint_shadow_decisions_total', /reason="rate_limit"/);
    const { status, message } = await world.call(tenant);
    assert.deepEqual([status, message.get('x-ratelimit-limit')], [200, undefined]);
    assert.equal(world.backend.requests.at(-1)!.message.get('x-quota'), undefined);
    const counted = async () => (await world.metric('waypoint_shadow_decisions_total', /reason="rate_limit"/)) > before;
    await eventually(counted, 'the verdict to be counted');
    assert.equal(limits.limits.length, 1);
    await world.policy(global());
  });

  it('metrics tell verdicts by service', async () => {
    const of = (verdict: string): Promise<number> =>
      world.metric(
        'waypoint_rate_limit_verdicts_total',
        new RegExp(`service="default/limits:8081",verdict="${verdict}"`),
      );
    for (const verdict of ['ok', 'over_limit', 'timeout'])
      await eventually(async () => (await of(verdict)) > 0, `the verdict ${verdict} to be counted`);
  });
});

describe('global rate limits while the service is away', () => {
  it('the breaker opens, nobody waits for it, and it closes when the service is back', async () => {
    const limits = await GrpcService.start();
    const { port } = limits;
    const world = await PolicyWorld.start({
      policy: global({ failureMode: 'Closed' }),
      objects: service({ name: 'limits', port: 8081, endpoints: [port] }),
    });
    try {
      assert.equal((await world.call(tenant)).status, 200);
      limits.close();
      const reasons = new Set<unknown>();
      for (let i = 0; i < 14; i++) reasons.add((await world.logged(tenant)).entry['reason']);
      assert.deepEqual([...reasons], ['rate_limit_failed', 'rate_limit_breaker_open']);
    } finally {
      await world.close();
    }
  });

  it('a Service without a route asks too', async () => {
    const limits = await GrpcService.start({ limit: () => ({ overallCode: Code.OVER_LIMIT }) });
    const world = await PolicyWorld.start({
      rules: [],
      objects: [
        ...service({ name: 'limits', port: 8081, endpoints: [limits.port] }),
        trafficPolicy('enrolled', { ...SERVICE, name: 'own' }, global()),
        ...service({ name: 'own', endpoints: [1], labels: { 'waypoint.dev/use-waypoint': 'edge' } }),
      ],
    });
    try {
      assert.equal((await world.call({ ...tenant, host: 'own.default' })).status, 429);
    } finally {
      await world.close();
      limits.close();
    }
  });
});
