// The package as it ships, compiled once per run into the scratch folder: what is measured is what users run.

import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { complete, scratchFolder } from './processes.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Compiles the product; returns the path of its executable. */
export async function buildPackage(): Promise<string> {
  const folder = scratchFolder('package');
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const project = join(ROOT, 'tsconfig.build.json');
  await complete(process.execPath, [compiler, '-p', project, '--outDir', join(folder, 'dist')], 120_000);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  mkdirSync(join(folder, 'waypoint/cli'), { recursive: true });
  cpSync(join(ROOT, 'waypoint/cli/bin.js'), join(folder, 'waypoint/cli/bin.js'));
  return join(folder, 'waypoint/cli/bin.js');
}
