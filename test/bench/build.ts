// The package as it ships, compiled once per run into the scratch folder: what is measured is what users run.

import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { complete, scratchFolder } from './processes.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Compiles the product; returns the path of its executable. */
export async function buildPackage(): Promise<string> {
  const folder = scratchFolder('package');
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  await complete(process.execPath, [compiler, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', folder], 120_000);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, unknown>;
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, private: true }));
  mkdirSync(join(folder, 'waypoint/cli'), { recursive: true });
  cpSync(join(ROOT, 'waypoint/cli/bin.js'), join(folder, 'waypoint/cli/bin.js'));
  return join(folder, 'waypoint/cli/bin.js');
}
