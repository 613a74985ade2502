// P8 and P9: time to the first ready and resident memory, with 5,000 routes and with one.

import { setTimeout as sleep } from 'node:timers/promises';
import { startWaypoint } from '../contenders/waypoint.ts';
import type { Fleet } from '../manifests.ts';
import { residentBytes } from '../proc.ts';
import type { Bench, Figure, Row, Verdict } from '../row.ts';
import { median } from '../stats.ts';

const MB = 1_000_000;
/** What start-up left behind may be collected by then. */
const SETTLE_MS = 3000;

interface Start {
  readonly readyMs: number;
  readonly megabytes: number;
}

async function starts(bench: Bench, fleet: Fleet): Promise<readonly Start[]> {
  const found: Start[] = [];
  for (let i = 0; i < (bench.options.quick ? 1 : 5); i++) {
    const running = await startWaypoint(bench.backend, {
      name: 'waypoint',
      executable: bench.executable,
      workers: 1,
      fleet,
    });
    try {
      await sleep(SETTLE_MS);
      found.push({ readyMs: running.readyMs, megabytes: residentBytes(running.pid) / MB });
    } finally {
      await running.stop();
    }
  }
  return found;
}

function verdict(
  id: string,
  work: string,
  found: readonly Start[],
  most: { readyMs: number; megabytes: number },
): Verdict {
  const ready = found.map((start) => start.readyMs);
  const memory = found.map((start) => start.megabytes);
  const figure = (name: string, values: readonly number[], unit: string): Figure => ({
    name,
    value: median(values),
    unit,
    spread: [Math.min(...values), Math.max(...values)],
    note: '',
  });
  return {
    id,
    work,
    limit: `${most.readyMs} ms, ${most.megabytes} MB`,
    measured: `${median(ready).toFixed(0)} ms, ${median(memory).toFixed(0)} MB`,
    pass: median(ready) <= most.readyMs && median(memory) <= most.megabytes,
    figures: [figure('ready', ready, 'ms'), figure('resident', memory, 'MB')],
  };
}

export const firstLoad: Row = {
  ids: ['P8'],
  title: 'first load of 5,000 HTTPRoutes (50 namespaces × 100), one worker',
  needs: ['nginx'],
  measure: async (bench) => {
    const found = await starts(bench, { routes: 5000, namespaces: 50, layout: 'file-per-namespace' });
    return [verdict('P8', 'first load of 5,000 HTTPRoutes', found, { readyMs: 2000, megabytes: 150 })];
  },
};

export const idle: Row = {
  ids: ['P9'],
  title: 'one worker, one route, idle',
  needs: ['nginx'],
  measure: async (bench) => {
    const found = await starts(bench, { routes: 1, namespaces: 1, layout: 'file-per-namespace' });
    return [verdict('P9', 'idle, one worker, ready', found, { readyMs: 500, megabytes: 90 })];
  },
};
