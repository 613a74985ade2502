// Messages and services of waypoint/protos as TypeScript, by protoc and protoc-gen-es.

import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const PROTOS = join(ROOT, 'waypoint/protos');

/** Of Debian's protobuf-compiler, which is not needed to run or to test. */
export function hasProtoc(): boolean {
  return spawnSync('protoc', ['--version']).status === 0;
}

/** Writes one file for each of `names` (`rate-limit.proto`) into the folder. */
export function generate(names: readonly string[], folder: string): void {
  const plugin = join(ROOT, 'node_modules/.bin/protoc-gen-es');
  const options = 'target=ts,import_extension=ts,erasable_syntax=true';
  execFileSync(
    'protoc',
    [`--plugin=protoc-gen-es=${plugin}`, `-I${PROTOS}`, `--es_out=${folder}`, `--es_opt=${options}`, ...names],
    { stdio: 'inherit' },
  );
}
