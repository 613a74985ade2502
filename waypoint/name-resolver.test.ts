import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { type Answer, NameResolver } from './name-resolver.ts';
import { listedIn } from './system-lookup.ts';

/** A DNS that answers what it is told to, when it is told to. */
class FakeDns {
  readonly asked: string[] = [];
  readonly lines: string[] = [];
  readonly answers = new Map<string, Answer | Error>();
  readonly held = new Map<string, () => void>();
  changes = 0;
  readonly resolver: NameResolver;

  constructor(names: Readonly<Record<string, Answer | Error>> = {}) {
    for (const [name, answer] of Object.entries(names)) this.answers.set(name, answer);
    this.resolver = new NameResolver({
      lookUp: async (name) => {
        this.asked.push(name);
        if (this.held.has(name)) await new Promise<void>((resolve) => this.held.set(name, resolve));
        const answer = this.answers.get(name) ?? new Error('queryA ENOTFOUND');
        if (answer instanceof Error) throw answer;
        return answer;
      },
      changed: () => this.changes++,
      log: { warn: (text) => this.lines.push(`warn ${text}`), info: (text) => this.lines.push(`info ${text}`) },
      random: () => 0,
    });
  }

  /** Lets everything happen that no clock holds back. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  }

  async after(ms: number): Promise<void> {
    mock.timers.tick(ms);
    await this.settle();
  }

  of(name: string): readonly string[] | undefined {
    return this.resolver.addresses.get(name);
  }
}

const answer = (addresses: readonly string[], ttlMs: number): Answer => ({ addresses, ttlMs });

describe('the resolver of names outside', () => {
  let dns: FakeDns;

  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => {
    dns.resolver.close();
    mock.timers.reset();
  });

  it('looks a name up once it is followed', async () => {
    dns = new FakeDns({ 'a.example': answer(['192.0.2.2', '192.0.2.1', '192.0.2.1'], 60_000) });
    dns.resolver.follow(['a.example']);
    assert.equal(dns.of('a.example'), undefined);
    await dns.settle();
    assert.deepEqual(dns.of('a.example'), ['192.0.2.1', '192.0.2.2']);
    assert.equal(dns.changes, 1);
    dns.resolver.follow(['a.example']);
    await dns.settle();
    assert.deepEqual(dns.asked, ['a.example']);
  });

  /** [name, ttl, when it is asked again]. */
  const times: readonly (readonly [string, number, number])[] = [
    ['its time', 60_000, 60_000],
    ['5 s at least', 0, 5_000],
    ['5 min at most', 86_400_000, 300_000],
  ];
  for (const [name, ttl, expected] of times) {
    it(`asks again after ${name}`, async () => {
      dns = new FakeDns({ 'a.example': answer(['192.0.2.1'], ttl) });
      dns.resolver.follow(['a.example']);
      await dns.settle();
      await dns.after(expected - 1);
      assert.equal(dns.asked.length, 1);
      await dns.after(1);
      assert.equal(dns.asked.length, 2);
    });
  }

  it('tells of other addresses, not of another order', async () => {
    dns = new FakeDns({ 'a.example': answer(['192.0.2.1', '192.0.2.2'], 5_000) });
    dns.resolver.follow(['a.example']);
    await dns.settle();
    const before = dns.resolver.addresses;
    dns.answers.set('a.example', answer(['192.0.2.2', '192.0.2.1'], 5_000));
    await dns.after(5_000);
    assert.equal(dns.changes, 1);
    assert.equal(dns.resolver.addresses, before);
    dns.answers.set('a.example', answer(['192.0.2.3'], 5_000));
    await dns.after(5_000);
    assert.equal(dns.changes, 2);
    assert.deepEqual(dns.of('a.example'), ['192.0.2.3']);
  });

  it('keeps the last addresses while DNS fails, says so once, and tries again ever more rarely', async () => {
    dns = new FakeDns({ 'a.example': answer(['192.0.2.1'], 5_000) });
    dns.resolver.follow(['a.example']);
    await dns.settle();
    dns.answers.set('a.example', new Error('queryA ETIMEOUT a.example'));
    await dns.after(5_000);
    for (const pause of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
      const before = dns.asked.length;
      await dns.after(pause - 1);
      assert.equal(dns.asked.length, before, `before ${pause} ms`);
      await dns.after(1);
      assert.equal(dns.asked.length, before + 1, `after ${pause} ms`);
    }
    assert.deepEqual(dns.of('a.example'), ['192.0.2.1']);
    assert.equal(dns.changes, 1);
    assert.deepEqual(dns.lines, [
      'warn look up a.example: queryA ETIMEOUT a.example; it is tried again, meanwhile 192.0.2.1 stays in use',
    ]);
    dns.answers.set('a.example', answer(['192.0.2.9'], 5_000));
    await dns.after(60_000);
    assert.deepEqual(dns.of('a.example'), ['192.0.2.9']);
    assert.equal(dns.lines[1], 'info look up a.example: answered again');
  });

  it('takes an answer without addresses for a failure', async () => {
    dns = new FakeDns({ 'a.example': answer([], 5_000) });
    dns.resolver.follow(['a.example']);
    await dns.settle();
    assert.deepEqual(dns.of('a.example'), []);
    assert.equal(dns.changes, 1);
    assert.match(dns.lines[0]!, /there is no address for it; .* its requests are answered 503/);
  });

  it('forgets names that are followed no more, and what is answered too late', async () => {
    dns = new FakeDns({ 'a.example': answer(['192.0.2.1'], 5_000), 'b.example': answer(['192.0.2.2'], 5_000) });
    dns.held.set('b.example', () => {});
    dns.resolver.follow(['a.example', 'b.example']);
    await dns.settle();
    dns.resolver.follow([]);
    assert.equal(dns.resolver.addresses.size, 0);
    dns.held.get('b.example')!();
    await dns.after(600_000);
    assert.deepEqual(dns.asked, ['a.example', 'b.example']);
    assert.equal(dns.resolver.addresses.size, 0);
  });

  it('asks for eight names at a time, and in the end for all', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `${index}.example`);
    dns = new FakeDns(Object.fromEntries(names.map((name) => [name, answer(['192.0.2.1'], 60_000)])));
    for (const name of names) dns.held.set(name, () => {});
    dns.resolver.follow(names);
    await dns.settle();
    assert.equal(dns.asked.length, 8);
    for (let round = 0; round < 20; round++) {
      for (const name of dns.asked) dns.held.get(name)?.();
      await dns.settle();
    }
    assert.equal(dns.resolver.addresses.size, 20);
  });

  it('waits for the first answers, and not for ever', async () => {
    dns = new FakeDns({ 'a.example': answer(['192.0.2.1'], 60_000) });
    dns.held.set('slow.example', () => {});
    let isDone = false;
    dns.resolver.follow(['a.example', 'missing.example']);
    void dns.resolver.answered(2_000).then(() => {
      isDone = true;
    });
    await dns.settle();
    assert.equal(isDone, true);
    dns.resolver.follow(['a.example', 'slow.example']);
    isDone = false;
    void dns.resolver.answered(2_000).then(() => {
      isDone = true;
    });
    await dns.after(1_999);
    assert.equal(isDone, false);
    await dns.after(1);
    assert.equal(isDone, true);
  });
});

describe('a hosts file', () => {
  const HOSTS =
    '127.0.0.1 localhost\n# 192.0.2.9 a.example\n192.0.2.1\tA.example  b.example # b\n\n2001:db8::1 a.example\n';
  /** [name, addresses]. */
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['a.example', ['192.0.2.1', '2001:db8::1']],
    ['b.example', ['192.0.2.1']],
    ['b', []],
    ['192.0.2.1', []],
    ['localhost', ['127.0.0.1']],
  ];
  for (const [name, expected] of cases) it(name, () => assert.deepEqual(listedIn(HOSTS, name), expected));
});
