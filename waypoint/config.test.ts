import assert from 'node:assert/strict';
import { DEFAULT_LIMITS, describeRunFlags, parseRunOptions, type RunOptions } from './config.ts';

function optionsOf(argv: readonly string[], env: Readonly<Record<string, string>> = {}): RunOptions {
  const parsed = parseRunOptions(argv, env);
  assert.ok('options' in parsed, JSON.stringify(parsed));
  return parsed.options;
}

function errorsOf(argv: readonly string[]): readonly string[] {
  const parsed = parseRunOptions(argv, {});
  return 'errors' in parsed ? parsed.errors : [];
}

describe('parseRunOptions', () => {
  it('has a default for everything but the resources', () => {
    const options = optionsOf(['--config', 'a.yaml']);
    assert.deepEqual(options.config, ['a.yaml']);
    assert.deepEqual(options.admin, { host: '127.0.0.1', port: 15_000 });
    assert.equal(options.bind, '127.0.0.1');
    assert.ok(options.workers >= 1);
    assert.equal(options.accessLog, 'json');
    assert.deepEqual([options.drainDelayMs, options.drainTimeoutMs], [5000, 25_000]);
    assert.deepEqual([options.zone, options.sessionKey], [null, null]);
    assert.deepEqual(options.limits, DEFAULT_LIMITS);
  });

  it('is plain data', () => {
    const options = optionsOf(['--config', 'a', '--trusted-proxies', '10.0.0.0/8,::1', '--admin', 'off']);
    assert.deepEqual(structuredClone(options), options);
    assert.deepEqual(options.trustedProxies, ['10.0.0.0/8', '::1']);
    assert.equal(options.admin, null);
  });

  it('is told of the socket of the SPIFFE Workload API', () => {
    const socket = (argv: readonly string[], env: Readonly<Record<string, string>>): string | null =>
      optionsOf(['--config', 'a', ...argv], env).spiffeEndpointSocket;
    const env = { SPIFFE_ENDPOINT_SOCKET: 'unix:///run/spire/agent.sock' };
    assert.equal(socket([], {}), null);
    assert.equal(socket([], env), '/run/spire/agent.sock');
    assert.equal(socket([], { ...env, WAYPOINT_SPIFFE_ENDPOINT_SOCKET: '/run/ours.sock' }), '/run/ours.sock');
    assert.equal(socket(['--spiffe-endpoint-socket', '/run/mine.sock'], env), '/run/mine.sock');
    assert.equal(socket(['--spiffe-endpoint-socket', 'unix:agent.sock'], {}), 'agent.sock');
    for (const wrong of ['tcp://127.0.0.1:8000', 'unix:', 'unix://']) {
      const errors = errorsOf(['--config', 'a', '--spiffe-endpoint-socket', wrong]);
      assert.match(errors[0] ?? '', /must be a path, or unix:\/\/\/path/, wrong);
    }
  });

  it('reads how traffic is led here', () => {
    const argv = ['--config', 'a', '--service-ports', '20000-29999', '--client-namespaces', '10.0.1.0/24=shop,::1=ops'];
    const { servicePorts, clientNamespaces } = optionsOf([...argv, '--client-namespaces', '10.0.2.7=bank']);
    assert.deepEqual(servicePorts, { from: 20_000, to: 29_999 });
    assert.deepEqual(clientNamespaces, [
      { cidr: '10.0.1.0/24', namespace: 'shop' },
      { cidr: '::1', namespace: 'ops' },
      { cidr: '10.0.2.7', namespace: 'bank' },
    ]);
    assert.equal(optionsOf(['--config', 'a', '--service-ports', 'none']).servicePorts, null);
    for (const range of ['20000', '2-1', '0-9', '1-65536', '01-9', 'all']) {
      assert.match(errorsOf(['--config', 'a', '--service-ports', range])[0] ?? '', /must be a range of ports/, range);
    }
    for (const entry of ['10.0.0.0/8', '10.0.0.0/33=a', 'shop=shop', '10.0.0.1=Shop', '10.0.0.1=a=b', '']) {
      assert.match(errorsOf(['--config', 'a', '--client-namespaces', entry])[0] ?? '', /with a namespace each/, entry);
    }
  });

  it('takes each limit from a flag of its own', () => {
    const argv = Object.keys(DEFAULT_LIMITS).length;
    const flags = describeRunFlags()
      .split('Limits:\n')[1]!
      .match(/--[-a-z]+ (size|n|duration)/g)!;
    assert.equal(flags.length, argv);
    const values = { size: '300B', n: '7', duration: '7ms' } as Readonly<Record<string, string>>;
    const given = flags.map((flag) => flag.split(' ')).flatMap(([name, kind]) => [name!, values[kind!]!]);
    const { limits } = optionsOf(['--config', 'a', ...given]);
    for (const [name, value] of Object.entries(limits)) assert.equal(value, name.endsWith('Bytes') ? 300 : 7, name);
  });

  it('reads the environment', () => {
    const env = { WAYPOINT_CONFIG: 'a,b', WAYPOINT_DRAIN_DELAY: '0s', WAYPOINT_PORT: 'tcp://10.0.0.1:80' };
    const options = optionsOf([], env);
    assert.deepEqual(options.config, ['a', 'b']);
    assert.equal(options.drainDelayMs, 0);
  });

  it('takes zone and session key from flags or the environment', () => {
    const secret = 'sixteen letters!';
    const flags = optionsOf(['--config', 'a', '--zone', 'eu-west_1.a', '--session-key', secret]);
    assert.deepEqual([flags.zone, flags.sessionKey], ['eu-west_1.a', secret]);
    const env = optionsOf(['--config', 'a'], { WAYPOINT_ZONE: 'b', WAYPOINT_SESSION_KEY: secret });
    assert.deepEqual([env.zone, env.sessionKey], ['b', secret]);
    assert.match(describeRunFlags(), /--zone name .*\n *--session-key secret /);
  });

  const mistakes: readonly (readonly [name: string, argv: string[], expected: RegExp])[] = [
    ['no resources', [], /^--config is missing/],
    ['an argument', ['--config', 'a', 'b'], /^unexpected argument 'b'/],
    ['a bad address', ['--config', 'a', '--bind', 'localhost'], /^--bind must be an IP address, not 'localhost'/],
    ['a bad admin address', ['--config', 'a', '--admin', '15000'], /^--admin must be host:port or 'off'/],
    ['no workers', ['--config', 'a', '--workers', '0'], /^--workers must be/],
    ['a bad gateway', ['--config', 'a', '--gateway', 'shop'], /^--gateway must be namespace\/name/],
    ['a bad zone', ['--config', 'a', '--zone', 'west,east'], /^--zone must be the name of a zone, not 'west,east'/],
    ['a short key', ['--config', 'a', '--session-key', 'secret'], /^--session-key must be at least 16 characters/],
    ['a bad network', ['--config', 'a', '--trusted-proxies', '10.0.0.0/33'], /^--trusted-proxies must be/],
    ['a drain that ends before it begins', ['--config', 'a', '--drain-timeout', '1s'], /^--drain-timeout must not be/],
  ];
  for (const [name, argv, expected] of mistakes) {
    it(`refuses ${name}`, () => {
      const errors = errorsOf(argv);
      assert.equal(errors.length, 1, errors.join('\n'));
      assert.match(errors[0]!, expected);
    });
  }
});
