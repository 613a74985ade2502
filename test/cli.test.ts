// The command line as a user meets it: processes, what they print, and how they end.

import assert from 'node:assert/strict';
import { type ChildProcess, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type DemoCertificates, demoCertificates } from '../waypoint/cli/demo-certificates.ts';
import { freePort } from './harness/ports.ts';
import { eventually } from './harness/signal.ts';

const ROOT = join(import.meta.dirname, '..');
const BIN = join(ROOT, 'waypoint/cli/bin.js');
const DEMO = join(ROOT, 'manifests/demo');
/** Stands for the folder of the demo's certificates. */
const CERTIFICATES = 'certificates';
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };

const WRONG = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: lost, namespace: shop}
spec:
  parentRefs: [{name: nowhere}]
  rules:
  - backendRefs: [{name: gone, port: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: odd}
spec: {ports: [{port: 99999}]}
`;

function waypoint(args: readonly string[], env: Readonly<Record<string, string>> = {}): SpawnSyncReturns<string> {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('WAYPOINT_')));
  return spawnSync(process.execPath, [BIN, ...args], { encoding: 'utf8', env: { ...clean, ...env } });
}

/** The first `node` of the path outside node_modules that is older than 26; null when there is none. */
function olderNode(): string | null {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin']) {
    const path = join(folder, 'node');
    if (folder.includes('node_modules') || !isExecutable(path)) continue;
    const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
    if (Number(/^v(\d+)/.exec(stdout)?.[1] ?? 26) < 26) return path;
  }
  return null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

describe('the command line', function () {
  this.timeout(20_000);
  let folder: string;
  let wrong: string;
  let certificates: DemoCertificates;

  before(() => {
    certificates = demoCertificates('127.0.10.1');
    folder = mkdtempSync(join(tmpdir(), 'waypoint-cli-'));
    wrong = join(folder, 'wrong.yaml');
    writeFileSync(wrong, WRONG);
  });

  after(() => {
    rmSync(folder, { recursive: true, force: true });
    certificates.discard();
  });

  const cases: readonly (readonly [args: string[], status: number, stdout: RegExp, stderr: RegExp])[] = [
    [['--version'], 0, new RegExp(`^waypoint ${RegExp.escape(version)} \\(Node 26\\.`), /^$/],
    [['version'], 0, /^waypoint \d/, /^$/],
    [['help'], 0, /^ {2}explain /m, /^$/],
    [['--help'], 0, /^ {2}explain /m, /^$/],
    [['help', 'run'], 0, /--max-request-head-bytes size .*60KiB/, /^$/],
    [['run', '--help'], 0, /--zone name(?:.*\n)*.*--session-key secret(?:.*\n)*.*--drain-timeout/, /^$/],
    [['check', '-h'], 0, /text\|json\|sarif/, /^$/],
    [['help', 'explain'], 0, /-H, --header name:value(?:.*\n)*.*--zone name/, /^$/],
    [['help', 'lockdown'], 0, /networkpolicies\|nftables(?:.*\n)*.*--allow-scrape/, /^$/],
    [['verify', '-h'], 0, /--concurrency n(?:.*\n)*.*--service-ports/, /^$/],
    [['help', 'run'], 0, /--service-ports(?:.*\n)*.*--client-namespaces/, /^$/],
    [[], 2, /Usage: waypoint <command>/, /^$/],
    [['help', 'chekc'], 2, /^$/, /unknown command 'chekc' \(did you mean check\?\)/],
    [['chekc'], 2, /^$/, /unknown command 'chekc' \(did you mean check\?\)/],
    [['check'], 2, /^$/, /no file or directory/],
    [
      ['check', '--format', 'xml', '--gatway', 'a/b', DEMO],
      2,
      /^$/,
      /--format must be(?:.*\n)*.*--gatway \(did you mean --gateway\?\)/,
    ],
    [
      ['run', '--workers', '0', '--bind', 'x'],
      2,
      /^$/,
      /--workers must be(?:.*\n)*.*--bind must be|--bind must be(?:.*\n)*.*--workers must be/,
    ],
    [['explain', 'GET'], 2, /^$/, /a method and a URL are needed/],
    [['explain', 'GET', 'http://127.0.10.2:8880/orders/1', '--config', DEMO], 0, /=> shop\/orders/, /^$/],
    [['explain', 'GET', 'http://127.9.9.9/', '--config', DEMO], 1, /^$/, /nothing here listens/],
    [
      ['check', DEMO, '--credentials', CERTIFICATES],
      0,
      /^ +TrafficPolicy shop\/stock on Service (shop\/)?stock +Accepted +True/m,
      /^$/,
    ],
    [
      ['check', DEMO, '--credentials', CERTIFICATES],
      0,
      /HTTPRoute shop\/orders via Service orders +Accepted +True(?:.*\n)*.* 0 errors/,
      /^$/,
    ],
  ];
  for (const [args, status, stdout, stderr] of cases) {
    it(`waypoint ${args.map((arg) => (arg === DEMO ? 'manifests/demo' : arg)).join(' ')}`, () => {
      const got = waypoint(args.map((arg) => (arg === CERTIFICATES ? certificates.folder : arg)));
      assert.match(got.stdout, stdout);
      assert.match(got.stderr, stderr);
      assert.equal(got.status, status);
    });
  }

  it('says which Node it needs when it is started by an older one', function () {
    const node = olderNode();
    if (node === null) {
      process.stderr.write('    no Node older than 26 is installed: its message is not tried\n');
      this.skip();
    }
    const { status, stdout, stderr } = spawnSync(node, [BIN, 'version'], { encoding: 'utf8' });
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, /^waypoint needs Node 26\.10 or later; this is v\d+\.(?:.*\n)*.*npx waypoint/);
  });

  it('checks what is wrong: problems first, then file, line and reason', () => {
    const { status, stdout } = waypoint(['check', wrong]);
    assert.equal(status, 1);
    assert.match(stdout, /wrong\.yaml:12:\d+: error: Service .*99999/);
    assert.match(stdout, /wrong\.yaml:\d+:\d+: error: HTTPRoute shop\/lost .*backendRefs\[0\].*gone/);
    assert.match(stdout, /\d+ errors?, \d+ warnings?\n$/);
  });

  it('checks policies: who lost against whom, and whose target is not there', () => {
    const policies = join(folder, 'policies.yaml');
    const policy = (name: string, target: string): string =>
      `apiVersion: waypoint.dev/v1alpha1\nkind: TrafficPolicy\nmetadata: {name: ${name}}\nspec:\n` +
      `  targetRefs: [{group: '', kind: Service, name: ${target}}]\n  circuitBreaker: {maxRequests: 7}\n`;
    const service = 'apiVersion: v1\nkind: Service\nmetadata: {name: app}\nspec: {ports: [{port: 80}]}\n';
    writeFileSync(policies, [service, policy('a', 'app'), policy('b', 'app'), policy('c', 'gone')].join('---\n'));
    const { status, stdout } = waypoint(['check', policies]);
    assert.equal(status, 1);
    assert.match(
      stdout,
      /^! +TrafficPolicy default\/b on Service .*Accepted +False +Conflicted .*TrafficPolicy default\/a/m,
    );
    assert.match(stdout, /TrafficPolicy default\/c .*gone/);
  });

  it('checks as JSON', () => {
    const { status, stdout } = waypoint(['check', '--format', 'json', wrong]);
    assert.equal(status, 1);
    const { findings, statuses } = JSON.parse(stdout) as {
      findings: { file: string; line: number }[];
      statuses: object;
    };
    assert.ok(findings.some(({ file, line }) => file === wrong && line === 12));
    assert.equal(typeof statuses, 'object');
  });

  it('checks as SARIF 2.1.0', () => {
    const { stdout } = waypoint(['check', '--format=sarif', wrong]);
    const log = JSON.parse(stdout) as Sarif;
    assert.equal(log.version, '2.1.0');
    const [{ tool, results }] = log.runs;
    assert.equal(tool.driver.name, 'waypoint');
    assert.ok(results.length > 0);
    for (const { ruleId, ruleIndex, level, message, locations } of results) {
      assert.equal(tool.driver.rules[ruleIndex]?.id, ruleId);
      assert.ok(['error', 'warning', 'note'].includes(level));
      assert.notEqual(message.text, '');
      const [{ physicalLocation }] = locations;
      assert.equal(physicalLocation.artifactLocation.uri, `file://${wrong}`);
      if (physicalLocation.region === undefined) continue;
      assert.ok(physicalLocation.region.startLine >= 1 && physicalLocation.region.startColumn >= 1);
    }
  });

  it('says that nobody answers at an admin address', async () => {
    const admin = `http://127.0.0.1:${await freePort()}`;
    const { status, stderr } = waypoint(['explain', 'GET', 'http://a/', '--admin', admin]);
    assert.equal(status, 1);
    assert.match(stderr, /ECONNREFUSED.*does it run/);
  });

  it('says that what is wrong is left out of an explanation', () => {
    const { stderr } = waypoint(['explain', 'GET', 'http://127.0.10.2:8880/', '--config', DEMO, '--config', wrong]);
    assert.match(stderr, /^waypoint explain: what has errors is left out \(waypoint check lists it\): .*99999/);
  });

  it('runs, answers for itself, and drains on SIGTERM', async () => {
    const run = await Run.start(folder);
    const explained = waypoint(['explain', 'GET', `http://127.0.0.1:${run.port}/`, '--admin', run.admin]);
    assert.match(explained.stdout, /^Answer {5}404 no_route/m);
    assert.match(
      await (await fetch(`${run.admin}/statuses?format=text`)).text(),
      /Gateway shop\/cli +Programmed +True/,
    );
    assert.match(await (await fetch(`http://127.0.0.1:${run.port}/x`)).text(), /no route/);
    assert.equal(await run.stop('SIGTERM'), 0);
    assert.match(run.stdout, /"path":"\/x","status":404,"flag":"NR","reason":"no_route"/);
  });

  it('ends at once on a second signal', async () => {
    const run = await Run.start(folder, ['--drain-delay', '20s']);
    run.process.kill('SIGTERM');
    await eventually(async () => (await fetch(`${run.admin}/ready`)).status === 503, 'readiness to fail');
    assert.equal(await run.stop('SIGTERM'), 143);
  });

  it('does not start where its admin address is taken', async () => {
    const run = await Run.start(folder);
    const { status, stderr } = waypoint(['run', '--config', folder, '--admin', run.admin.slice('http://'.length)]);
    assert.equal(status, 1);
    assert.match(stderr, /EADDRINUSE.*--admin/);
    await run.stop('SIGINT');
  });
});

interface Sarif {
  readonly version: string;
  readonly runs: readonly [
    {
      readonly tool: { readonly driver: { readonly name: string; readonly rules: readonly { readonly id: string }[] } };
      readonly results: readonly {
        readonly ruleId: string;
        readonly ruleIndex: number;
        readonly level: string;
        readonly message: { readonly text: string };
        readonly locations: readonly [
          {
            readonly physicalLocation: {
              readonly artifactLocation: { readonly uri: string };
              readonly region?: { readonly startLine: number; readonly startColumn: number };
            };
          },
        ];
      }[];
    },
  ];
}

/** A waypoint with one listener and no route. */
class Run {
  readonly process: ChildProcess;
  readonly port: number;
  readonly admin: string;
  stdout = '';
  stderr = '';

  private constructor(child: ChildProcess, port: number, admin: string) {
    this.process = child;
    this.port = port;
    this.admin = admin;
    child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
  }

  static async start(folder: string, flags: readonly string[] = ['--drain-delay', '0s']): Promise<Run> {
    const [port, adminPort] = [await freePort(), await freePort()];
    const file = join(folder, `run-${port}.yaml`);
    const gateway = `apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: cli, namespace: shop}\n`;
    writeFileSync(
      file,
      `${gateway}spec: {gatewayClassName: waypoint, listeners: [{name: web, port: ${port}, protocol: HTTP}]}\n`,
    );
    const admin = `127.0.0.1:${adminPort}`;
    const args = [BIN, 'run', '--config', file, '--admin', admin, '--workers', '1', ...flags];
    const run = new Run(spawn(process.execPath, args, { cwd: ROOT }), port, `http://${admin}`);
    await eventually(
      async () => (await fetch(`${run.admin}/ready`).catch(() => null))?.status === 200,
      'a waypoint to be ready',
      10_000,
    );
    return run;
  }

  /** The exit code. */
  async stop(signal: NodeJS.Signals): Promise<number | null> {
    const closed = once(this.process, 'close');
    this.process.kill(signal);
    const impatience = setTimeout(() => this.process.kill('SIGKILL'), 10_000);
    await closed;
    clearTimeout(impatience);
    return this.process.exitCode;
  }
}
