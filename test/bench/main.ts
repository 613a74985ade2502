// The benchmark: contenders on loopback under the same load, CPU per request compared, each row passed or missed.

import { writeFileSync } from 'node:fs';
import { startBackend } from './backend.ts';
import { buildPackage } from './build.ts';
import { type BenchOptions, parseOptions, USAGE } from './options.ts';
import { endAll, installed } from './processes.ts';
import { asJson, asText, type Skipped } from './report.ts';
import type { Row, Verdict } from './row.ts';
import { bodies } from './rows/bodies.ts';
import { churn } from './rows/churn.ts';
import { connections } from './rows/connections.ts';
import { external } from './rows/external.ts';
import { firstLoad, idle } from './rows/footprint.ts';
import { jwt } from './rows/jwt.ts';
import { latency } from './rows/latency.ts';
import { lookup } from './rows/lookup.ts';
import { propagation } from './rows/propagation.ts';
import { small } from './rows/small.ts';
import { tls } from './rows/tls.ts';

const ROWS: readonly Row[] = [
  small,
  tls,
  jwt,
  external,
  bodies,
  lookup,
  propagation,
  firstLoad,
  idle,
  connections,
  latency,
  churn,
];

function wanted(options: BenchOptions): readonly Row[] {
  const { rows } = options;
  if (rows === null) return ROWS;
  const known = ROWS.flatMap((row) => row.ids);
  const unknown = rows.filter((id) => !known.includes(id));
  if (unknown.length > 0) throw new Error(`--rows: no row ${unknown.join(', ')}; there are ${known.join(', ')}`);
  return ROWS.filter((row) => row.ids.some((id) => rows.includes(id)));
}

/** Splits off the rows whose programs are missing. */
function runnable(rows: readonly Row[]): { able: readonly Row[]; skipped: Skipped[] } {
  const skipped: Skipped[] = [];
  const able = rows.filter((row) => {
    const missing = row.needs.filter((program) => !installed(program));
    if (missing.length > 0) skipped.push({ ids: row.ids, why: `apt-get install ${missing.join(' ')}` });
    return missing.length === 0;
  });
  for (const { ids, why } of skipped) process.stderr.write(`${ids.join(', ')} skipped: ${why}\n`);
  return { able, skipped };
}

async function run(options: BenchOptions): Promise<boolean> {
  const { able, skipped } = runnable(wanted(options));
  const verdicts: Verdict[] = [];
  if (able.length > 0) {
    const executable = await buildPackage();
    const backend = await startBackend();
    for (const row of able) {
      process.stderr.write(`${row.ids.join(', ')}: ${row.title}\n`);
      try {
        verdicts.push(...(await row.measure({ backend, executable, options })));
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        process.stderr.write(`${row.ids.join(', ')} failed: ${why}\n`);
        skipped.push({ ids: row.ids, why: why.split('\n')[0] as string });
      }
    }
    await Promise.all(backend.processes.map((one) => one.stop()));
  }
  process.stdout.write(asText(verdicts, skipped));
  if (options.json !== null) writeFileSync(options.json, asJson(verdicts, skipped, options));
  return skipped.length === 0 && verdicts.every((verdict) => verdict.pass);
}

// Leaving by a signal is leaving too: nothing that was started here stays behind.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    endAll();
    process.exit(130);
  });
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(USAGE);
  else process.exitCode = (await run(options)) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 2;
} finally {
  endAll();
}
