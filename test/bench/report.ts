// The verdicts as a table for people and as JSON for later comparison.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { BenchOptions } from './options.ts';
import type { Figure, Verdict } from './row.ts';

export interface Skipped {
  readonly ids: readonly string[];
  readonly why: string;
}

export function asText(verdicts: readonly Verdict[], skipped: readonly Skipped[]): string {
  const lines: string[] = [''];
  for (const verdict of verdicts) {
    lines.push(`${verdict.id}  ${verdict.work}`);
    for (const figure of verdict.figures) lines.push(`    ${figureText(figure)}`);
  }
  lines.push('', '| row | work | at most | measured | |', '|---|---|---|---|---|');
  for (const { id, work, limit, measured, pass } of verdicts) {
    lines.push(`| ${id} | ${work} | ${limit} | ${measured} | ${pass ? 'pass' : 'MISS'} |`);
  }
  for (const { ids, why } of skipped) lines.push(`| ${ids.join(', ')} | not measured: ${why} | | | |`);
  return `${lines.join('\n')}\n`;
}

function figureText({ name, value, unit, spread, note }: Figure): string {
  const range = spread === null ? '' : ` (${digits(spread[0])} – ${digits(spread[1])})`;
  return `${name.padEnd(16)} ${digits(value).padStart(9)} ${unit}${range}${note === '' ? '' : `  ${note}`}`;
}

function digits(value: number): string {
  return value.toFixed(value < 10 ? 3 : 1);
}

export function asJson(verdicts: readonly Verdict[], skipped: readonly Skipped[], options: BenchOptions): string {
  const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? '', kernel: kernel() };
  const { seconds, rounds, quick } = options;
  const programs = { node: process.version, nginx: version('nginx', '-v'), haproxy: version('haproxy', '-v') };
  return `${JSON.stringify({ machine, programs, seconds, rounds, quick, verdicts, skipped }, null, 2)}\n`;
}

function kernel(): string {
  return readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
}

function version(program: string, flag: string): string | null {
  try {
    // nginx prints its version on stderr.
    const output = execFileSync('sh', ['-c', `${program} ${flag} 2>&1`], { encoding: 'utf8' });
    return /\d+\.\d+\.\d+/.exec(output)?.[0] ?? null;
  } catch {
    return null;
  }
}
