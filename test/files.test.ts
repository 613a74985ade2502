// Files that change under a running source: every way editors, kubectl and Kubernetes write them.
import assert from 'node:assert/strict';
import fs, {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSource } from '../gateway-api/files.ts';

const route = (name: string, port = 80): string =>
  `apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: ${name}}\nspec:\n  rules:\n  - backendRefs:\n    - {name: s, port: ${port}}\n`;

/** A source over a temporary directory, whose changes can be awaited. */
class Scene {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'waypoint-files-'));
  readonly warnings: string[] = [];
  /** What routes there were at each change. */
  readonly history: string[] = [];
  source: FileSource | null = null;
  #wake: () => void = () => {};

  path(...names: string[]): string {
    return join(this.directory, ...names);
  }

  write(name: string, text: string): void {
    writeFileSync(this.path(name), text);
  }

  start(paths: readonly string[] = [this.path('config')], stateDir: string | null = null): FileSource {
    const source = new FileSource(paths, {
      stateDir,
      log: { warn: (message) => void this.warnings.push(message) },
      onChange: () => {
        this.history.push(this.routes());
        this.#wake();
      },
    });
    this.source = source;
    source.load();
    source.watch();
    return source;
  }

  routes(): string {
    const routes = [...this.source!.store.resources.HTTPRoute.values()];
    return routes
      .map((each) => `${each.metadata.name}:${each.spec.rules[0]?.backendRefs?.[0]?.port}`)
      .sort()
      .join(' ');
  }

  codes(): string {
    return this.source!.store.findings.map((each) => each.code).join(' ');
  }

  /** Settles when the condition holds, checked after every change. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  untilRoutes(expected: string): Promise<void> {
    return this.until(() => this.routes() === expected);
  }

  end(): void {
    this.source?.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

describe('FileSource', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
    mkdirSync(scene.path('config'));
    scene.write('config/a.yaml', route('a'));
  });
  afterEach(() => scene.end());

  it('reads YAML and JSON of all folders, and nothing else', () => {
    mkdirSync(scene.path('config/team/deep'), { recursive: true });
    mkdirSync(scene.path('config/.hidden'));
    scene.write('config/team/b.yml', route('b'));
    scene.write(
      'config/team/deep/c.json',
      JSON.stringify({
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'HTTPRoute',
        metadata: { name: 'c' },
        spec: {},
      }),
    );
    for (const name of ['config/.a.yaml', 'config/a.yaml~', 'config/notes.txt', 'config/.hidden/d.yaml'])
      scene.write(name, route('x'));
    symlinkSync(scene.path('config'), scene.path('config/team/loop'));
    scene.start();
    assert.equal(scene.routes(), 'a:80 b:80 c:undefined');
    assert.equal(scene.codes(), '');
  });

  it('reads several paths, files of any name among them', () => {
    scene.write('manifest', route('m'));
    scene.start([scene.path('config/'), scene.path('manifest'), scene.path('config', 'a.yaml')]);
    assert.equal(scene.routes(), 'a:80 m:80');
  });

  it('follows a file that is written in place', async () => {
    scene.start();
    scene.write('config/a.yaml', route('a', 81));
    await scene.untilRoutes('a:81');
    assert.deepEqual(scene.history, ['a:81']);
  });

  it('follows a file that is renamed over, as editors save', async () => {
    scene.start();
    for (const port of [81, 82, 83]) {
      scene.write('config/.a.yaml.swp', route('a', port));
      renameSync(scene.path('config/.a.yaml.swp'), scene.path('config/a.yaml'));
      await scene.untilRoutes(`a:${port}`);
    }
    assert.deepEqual(scene.history, ['a:81', 'a:82', 'a:83']);
  });

  it('follows a single file that is renamed over', async () => {
    scene.start([scene.path('config/a.yaml')]);
    scene.write('config/other.yaml', route('o'));
    scene.write('config/new', route('a', 81));
    renameSync(scene.path('config/new'), scene.path('config/a.yaml'));
    await scene.untilRoutes('a:81');
  });

  it('follows the link that Kubernetes swaps under a mounted ConfigMap', async () => {
    const put = (version: string, text: string): void => {
      mkdirSync(scene.path('mount', version), { recursive: true });
      scene.write(`mount/${version}/a.yaml`, text);
      symlinkSync(version, scene.path('mount/..data_tmp'));
      renameSync(scene.path('mount/..data_tmp'), scene.path('mount/..data'));
    };
    put('..1', route('a', 1));
    symlinkSync('..data/a.yaml', scene.path('mount/a.yaml'));
    scene.start([scene.path('mount')]);
    assert.equal(scene.routes(), 'a:1');
    put('..2', route('a', 2));
    rmSync(scene.path('mount/..1'), { recursive: true });
    await scene.untilRoutes('a:2');
    put('..3', route('a', 3));
    await scene.untilRoutes('a:3');
    assert.deepEqual(scene.history, ['a:2', 'a:3']);
  });

  it('does not believe a file that is cut short before it is written', async () => {
    scene.write('config/a.yaml', `${route('a')}---\n${route('b')}`);
    scene.start();
    truncateSync(scene.path('config/a.yaml'));
    scene.write('config/z.yaml', route('z'));
    await scene.untilRoutes('a:80 b:80 z:80');
    scene.write('config/a.yaml', route('a').slice(0, 70));
    scene.write('config/z.yaml', route('z', 81));
    await scene.untilRoutes('a:80 b:80 z:81');
    scene.write('config/a.yaml', `${route('a', 82)}---\n${route('b')}`);
    await scene.untilRoutes('a:82 b:80 z:81');
    assert.ok(
      scene.history.every((routes) => /a:.*b:/.test(routes)),
      scene.history.join('; '),
    );
    assert.equal(scene.codes(), '');
  });

  it('believes a file that stays empty, and one that is deleted', async () => {
    scene.write('config/b.yaml', route('b'));
    scene.write('config/c.yaml', route('c'));
    scene.start();
    truncateSync(scene.path('config/a.yaml'));
    unlinkSync(scene.path('config/b.yaml'));
    await scene.untilRoutes('c:80');
    scene.write('config/b.yaml', route('b', 81));
    await scene.untilRoutes('b:81 c:80');
  });

  it('never drops a route whose file is renamed', async () => {
    scene.start();
    renameSync(scene.path('config/a.yaml'), scene.path('config/b.yaml'));
    await scene.until(
      () => scene.source!.store.resources.HTTPRoute.get('default/a')?.origin.file === scene.path('config/b.yaml'),
    );
    assert.ok(
      scene.history.every((routes) => routes === 'a:80'),
      scene.history.join('; '),
    );
    assert.equal(scene.codes(), '');
  });

  it('tells of a syntax error while the last good version serves, and forgets it when it is repaired', async () => {
    scene.start();
    scene.write('config/a.yaml', `${route('a', 81)}broken: "\n`);
    await scene.until(() => scene.codes() === 'syntax');
    assert.equal(scene.routes(), 'a:80');
    scene.write('config/a.yaml', route('a', 82));
    await scene.untilRoutes('a:82');
    assert.equal(scene.codes(), '');
  });

  it('follows new folders, and folders that are replaced', async () => {
    scene.start();
    mkdirSync(scene.path('config/team'));
    scene.write('config/team/b.yaml', route('b'));
    await scene.untilRoutes('a:80 b:80');
    rmSync(scene.path('config/team'), { recursive: true });
    await scene.untilRoutes('a:80');
    mkdirSync(scene.path('config/team'));
    scene.write('config/team/b.yaml', route('b', 81));
    await scene.untilRoutes('a:80 b:81');
    scene.write('config/team/b.yaml', route('b', 82));
    await scene.untilRoutes('a:80 b:82');
  });

  it('follows a directory that is deleted and comes back, and keeps serving if it comes back soon', async () => {
    scene.start();
    rmSync(scene.path('config'), { recursive: true });
    mkdirSync(scene.path('config'));
    scene.write('config/a.yaml', route('a', 81));
    await scene.untilRoutes('a:81');
    scene.write('config/a.yaml', route('a', 82));
    await scene.untilRoutes('a:82');
    assert.ok(scene.history.every((routes) => routes !== ''));
    rmSync(scene.path('config'), { recursive: true });
    await scene.until(() => scene.codes() === 'missing_path' && scene.routes() === '');
    renameSync(scene.path(), `${scene.path()}-away`);
    mkdirSync(scene.path('config'), { recursive: true });
    rmSync(`${scene.path()}-away`, { recursive: true });
    scene.write('config/a.yaml', route('a', 83));
    await scene.untilRoutes('a:83');
    assert.equal(scene.codes(), '');
  });

  it('tells of a path that is missing, and reads it when it appears', async () => {
    scene.start([scene.path('config'), scene.path('later/x.yaml')]);
    assert.equal(scene.codes(), 'missing_path');
    scene.write('config/a.yaml', route('a', 81));
    await scene.untilRoutes('a:81');
    mkdirSync(scene.path('later'));
    scene.write('later/x.yaml', route('x'));
    await scene.untilRoutes('a:81 x:80');
    scene.write('later/x.yaml', route('x', 81));
    await scene.untilRoutes('a:81 x:81');
    assert.equal(scene.codes(), '');
  });

  it('compares files where the system refuses to watch, and says so', async () => {
    const { watch } = fs;
    fs.watch = () => {
      throw new Error('no space left for watches');
    };
    syncBuiltinESMExports();
    try {
      scene.start();
      scene.write('config/a.yaml', route('a', 81));
      scene.write('config/b.yaml', route('b'));
      await scene.untilRoutes('a:81 b:80');
      scene.write('config/a.yaml', route('a', 82));
      await scene.untilRoutes('a:82 b:80');
    } finally {
      fs.watch = watch;
      syncBuiltinESMExports();
    }
    assert.equal(
      scene.warnings[1],
      `cannot watch ${scene.path('config')} (no space left for watches): its files are compared every 500 ms instead`,
    );
  });

  it('calls once for many files that change together', async () => {
    for (let index = 0; index < 50; index++) scene.write(`config/r${index}.yaml`, route(`r${index}`));
    scene.start();
    for (let index = 0; index < 50; index++) scene.write(`config/r${index}.yaml`, route(`r${index}`, 81));
    await scene.until(() => !/r\d+:80/.test(scene.routes()));
    assert.ok(scene.history.length <= 5, `${scene.history.length} calls`);
  });

  describe('with a state directory', () => {
    const reopen = (): FileSource => {
      scene.source!.close();
      return scene.start([scene.path('config')], scene.path('state'));
    };

    it('serves at start what a broken file last said when it was good', () => {
      scene.start([scene.path('config')], scene.path('state'));
      scene.source!.close();
      scene.write('config/a.yaml', 'broken: "\n');
      const { store } = reopen();
      assert.equal(scene.routes(), 'a:80');
      assert.deepEqual(
        store.findings.map((each) => each.code),
        ['restored', 'syntax'],
      );
      assert.match(store.findings[0]!.message, /^where this file is wrong, its last good version from .*state serves$/);
    });

    it('serves at start the last good version of an object that is invalid now', async () => {
      scene.write('config/a.yaml', `${route('a')}---\n${route('b')}`);
      scene.start([scene.path('config')], scene.path('state'));
      scene.write('config/a.yaml', `${route('a', 0)}---\n${route('b', 81)}`);
      await scene.untilRoutes('a:80 b:81');
      reopen();
      assert.equal(scene.routes(), 'a:80 b:81');
      scene.write('config/a.yaml', `${route('a', 82)}---\n${route('b', 81)}`);
      await scene.untilRoutes('a:82 b:81');
      assert.equal(scene.codes(), '');
      scene.source!.close();
      assert.deepEqual(
        readdirSync(scene.path('state')).filter((name) => !name.endsWith('.last-good')),
        [],
      );
    });

    it('serves at start what an unreadable file last said', function () {
      if (process.platform !== 'linux') this.skip();
      scene.start([scene.path('config')], scene.path('state'));
      scene.source!.close();
      unlinkSync(scene.path('config/a.yaml'));
      // A regular file that even root gets an error from.
      symlinkSync('/proc/self/mem', scene.path('config/a.yaml'));
      reopen();
      assert.equal(scene.routes(), 'a:80');
      assert.equal(scene.codes(), 'unreadable');
    });

    it('goes on without a state directory that cannot be written', () => {
      scene.write('state', 'a file');
      scene.start([scene.path('config')], scene.path('state/below'));
      scene.source!.close();
      assert.equal(scene.warnings.length, 1);
      assert.match(scene.warnings[0]!, /^cannot keep the last good configuration in /);
    });
  });
});
