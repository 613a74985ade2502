// P7: from the rename that edits one HTTPRoute among 5,000 to the moment when every worker serves it.

import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SMALL } from '../backend.ts';
import { startWaypoint, type WaypointContender } from '../contenders/waypoint.ts';
import { HttpClient, requestText } from '../http-client.ts';
import { LOADED_ROUTE_FILE, loadedRoute } from '../manifests.ts';
import { scratchFolder } from '../processes.ts';
import type { Row } from '../row.ts';
import { single } from '../row.ts';
import { quantile } from '../stats.ts';
import { together } from '../together.ts';

const WORKERS = 2;
/** The kernel deals connections to the workers by hash: that all of these miss one worker has a chance of 1 in 2^15. */
const CONNECTIONS = 16;
/** A connection asks again this long after its answer: the resolution of the figure. */
const POLL_MS = 1;
const GIVE_UP_MS = 10_000;
const LIMIT_MS = 10;

export const propagation: Row = {
  ids: ['P7'],
  title: `one HTTPRoute edited among 5,000 (one file each): until all of ${WORKERS} workers serve it`,
  needs: ['nginx'],
  measure: (bench) => {
    const starting = startWaypoint(bench.backend, {
      name: 'waypoint',
      executable: bench.executable,
      workers: WORKERS,
      fleet: { routes: 5000, namespaces: 50, layout: 'file-per-route' },
    });
    return together([starting], async ([waypoint]) => {
      const samples = await edits(waypoint as WaypointContender, bench.options.quick ? 20 : 100);
      const p50 = quantile(samples, 0.5);
      const p99 = quantile(samples, 0.99);
      return [
        {
          id: 'P7',
          work: 'one HTTPRoute edited among 5,000: file event to every worker',
          limit: `p99 ${LIMIT_MS} ms`,
          measured: `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
          pass: p99 <= LIMIT_MS,
          figures: [
            single('p50', p50, 'ms', `${samples.length} edits, resolution ${POLL_MS} ms`),
            single('p99', p99, 'ms', ''),
            single('max', quantile(samples, 1), 'ms', ''),
          ],
        },
      ];
    });
  },
};

async function edits(waypoint: WaypointContender, count: number): Promise<readonly number[]> {
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => HttpClient.open(waypoint.port)));
  const draft = join(scratchFolder('draft'), 'draft.yaml');
  const samples: number[] = [];
  try {
    // The first ones compile what the later ones run.
    for (let i = 1; i <= count + 5; i++) {
      writeFileSync(draft, loadedRoute(`edit-${i}`));
      const editedAt = performance.now();
      renameSync(draft, join(waypoint.folder, LOADED_ROUTE_FILE));
      const seen = await Promise.all(clients.map((client) => untilServed(client, `edit-${i}`, editedAt + GIVE_UP_MS)));
      if (i > 5) samples.push(Math.max(...seen) - editedAt);
      await sleep(20 + (i % 10)); // not in step with anything periodic
    }
  } finally {
    for (const client of clients) client.close();
  }
  return samples;
}

async function untilServed(client: HttpClient, version: string, giveUpAt: number): Promise<number> {
  const text = requestText(SMALL);
  const served = new RegExp(`^x-version: ${version}\r?$`, 'im');
  for (;;) {
    const answer = await client.request(text);
    const now = performance.now();
    if (answer === null) throw new Error('waypoint closed a connection while a route was edited');
    if (served.test(answer.head)) return now;
    if (now > giveUpAt) throw new Error(`an edit is not served after ${GIVE_UP_MS} ms (last answer ${answer.status})`);
    await sleep(POLL_MS);
  }
}
