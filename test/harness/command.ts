// One command of the command line with files of its own, run to its end.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BIN = join(import.meta.dirname, '../../waypoint/cli/bin.js');

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `yaml` is written to a file whose path takes the place of the argument `FILE`. */
export async function command(args: readonly string[], yaml: string): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'waypoint-command-'));
  const file = join(folder, 'resources.yaml');
  writeFileSync(file, yaml);
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('WAYPOINT_')));
  const child = spawn(process.execPath, [BIN, ...args.map((arg) => (arg === 'FILE' ? file : arg))], { env: clean });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  try {
    return await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, stdout, stderr }));
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
