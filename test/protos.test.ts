import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate, hasProtoc } from './protos/generate.ts';

const PROTOS = join(import.meta.dirname, '../waypoint/protos');
const names = readdirSync(PROTOS).filter((name) => name.endsWith('.proto'));

describe('protos', () => {
  for (const name of names) {
    it(`${name} says where it is from`, () => {
      assert.match(readFileSync(join(PROTOS, name), 'utf8'), /^\/\/ [\s\S]*Copyright .*, Apache License 2\.0\.\n/);
    });
  }

  it('have the TypeScript that follows from them (npm run protos writes it)', function () {
    if (!hasProtoc()) {
      process.stdout.write('      skipped: protoc is missing (apt-get install protobuf-compiler)\n');
      this.skip();
    }
    const folder = mkdtempSync(join(tmpdir(), 'waypoint-protos-'));
    try {
      generate(names, folder);
      assert.deepEqual(contents(join(PROTOS, 'gen')), contents(folder));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function contents(folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}
