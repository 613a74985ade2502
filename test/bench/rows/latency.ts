// P11: latency that a proxy adds at 2,000 requests a second in an open loop, against what nginx adds.

import { join } from 'node:path';
import { startHaproxy } from '../contenders/haproxy.ts';
import { startNginx } from '../contenders/nginx.ts';
import { startWaypoint } from '../contenders/waypoint.ts';
import type { OpenLoopResult } from '../open-loop.ts';
import { complete } from '../processes.ts';
import type { Figure, Row, Verdict } from '../row.ts';
import { median } from '../stats.ts';
import { together } from '../together.ts';

const RATE = 2000;
const LIMIT = 1.3;

export const latency: Row = {
  ids: ['P11'],
  title: `added latency at ${RATE} requests a second, open loop, 64 connections`,
  needs: ['nginx', 'haproxy'],
  measure: (bench) =>
    together(
      [
        startWaypoint(bench.backend, {
          name: 'waypoint',
          executable: bench.executable,
          workers: 1,
          fleet: { routes: 1000, namespaces: 20, layout: 'file-per-namespace' },
        }),
        startNginx(bench.backend),
        startHaproxy(bench.backend),
      ],
      async (contenders) => {
        const targets = [{ name: 'direct', port: bench.backend.port }, ...contenders];
        const results = new Map<string, OpenLoopResult[]>(targets.map((target) => [target.name, []]));
        for (const target of targets.slice(1)) await openLoop(target.port, 2);
        for (let round = 0; round < bench.options.rounds; round++) {
          for (const target of targets)
            results.get(target.name)?.push(await openLoop(target.port, bench.options.seconds));
        }
        return (['p50Ms', 'p99Ms'] as const).map((field) => verdict(field, results));
      },
    ),
};

async function openLoop(port: number, seconds: number): Promise<OpenLoopResult> {
  const script = join(import.meta.dirname, '../open-loop.ts');
  const output = await complete(
    process.execPath,
    [script, String(port), String(RATE), String(seconds)],
    (seconds + 30) * 1000,
  );
  return JSON.parse(output) as OpenLoopResult;
}

function verdict(field: 'p50Ms' | 'p99Ms', results: ReadonlyMap<string, readonly OpenLoopResult[]>): Verdict {
  const values = (name: string): number[] => (results.get(name) ?? []).map((result) => result[field]);
  const added = (name: string): number => median(values(name)) - median(values('direct'));
  const errors = [...results.values()].flat().reduce((sum, result) => sum + result.errors, 0);
  // Below zero is the noise of the machine: nothing was added.
  const [ours, theirs] = [Math.max(0, added('waypoint')), Math.max(0, added('nginx'))];
  const name = field === 'p50Ms' ? 'p50' : 'p99';
  const figures: Figure[] = [...results.keys()].map((target) => ({
    name: `${target} ${name}`,
    value: median(values(target)),
    unit: 'ms',
    spread: [Math.min(...values(target)), Math.max(...values(target))],
    note: target === 'direct' ? 'no proxy' : `adds ${added(target).toFixed(3)} ms`,
  }));
  return {
    id: 'P11',
    work: `added latency at ${RATE} requests/s, ${name}, against nginx`,
    limit: `${LIMIT} ×`,
    measured: `${(ours / theirs).toFixed(2)} × (${ours.toFixed(3)} ms against ${theirs.toFixed(3)} ms), ${errors} errors`,
    pass: errors === 0 && ours <= LIMIT * theirs,
    figures,
  };
}
