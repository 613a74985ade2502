import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

interface Locked {
  readonly version?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const { packages } = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')) as {
  readonly packages: Readonly<Record<string, Locked>>;
};

describe('package-lock.json', () => {
  it('has an entry for every optional dependency: `npm ci` refuses a lock that lacks those of other platforms', () => {
    const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
      Object.keys(optionalDependencies),
    );
    assert.ok(wanted.length > 10);
    const missing = wanted.filter((name) => packages[`node_modules/${name}`] === undefined);
    assert.deepEqual(missing, []);
  });

  it('pins the root to exact versions', () => {
    const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as Record<
      'dependencies' | 'devDependencies' | 'optionalDependencies',
      Readonly<Record<string, string>>
    >;
    const all = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };
    for (const [name, version] of Object.entries(all)) {
      assert.match(version, /^\d+\.\d+\.\d+$/, name);
      assert.equal(packages[`node_modules/${name}`]?.version, version, name);
    }
  });
});
