// P10: resident memory of 10,000 idle keep-alive connections, each of which was served one request.

import { setTimeout as sleep } from 'node:timers/promises';
import { SMALL } from '../backend.ts';
import type { Contender } from '../contenders/contender.ts';
import { startNginx } from '../contenders/nginx.ts';
import { startWaypoint } from '../contenders/waypoint.ts';
import { HttpClient, requestText } from '../http-client.ts';
import { load } from '../load.ts';
import { residentBytes } from '../proc.ts';
import type { Bench, Row } from '../row.ts';
import { single } from '../row.ts';
import { together } from '../together.ts';

const AT_ONCE = 50;
const SETTLE_MS = 3000;
const LIMIT_KB = 10;

export const connections: Row = {
  ids: ['P10'],
  title: '10,000 idle keep-alive connections',
  needs: ['nginx', 'wrk'],
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
      ],
      async (contenders) => {
        const figures = [];
        for (const contender of contenders) {
          const kilobytes = await kilobytesEach(contender, bench);
          figures.push(
            single(contender.name, kilobytes, 'kB/connection', 'resident memory, kernel buffers not counted'),
          );
        }
        const measured = figures[0]?.value ?? Number.NaN;
        return [
          {
            id: 'P10',
            work: '10,000 idle keep-alive connections',
            limit: `${LIMIT_KB} kB each`,
            measured: `${measured.toFixed(1)} kB each`,
            pass: measured <= LIMIT_KB,
            figures,
          },
        ];
      },
    ),
};

async function kilobytesEach(contender: Contender, bench: Bench): Promise<number> {
  const count = bench.options.quick ? 1000 : 10_000;
  // A heap that has seen load first: its growth is not the connections' doing.
  await load(contender, SMALL, bench.options.quick ? 1 : 5);
  await sleep(SETTLE_MS);
  const before = residentBytes(contender.pid);
  const clients: HttpClient[] = [];
  const text = requestText(SMALL);
  try {
    while (clients.length < count) {
      const batch = await Promise.all(Array.from({ length: AT_ONCE }, () => HttpClient.open(contender.port)));
      clients.push(...batch);
      const answers = await Promise.all(batch.map((client) => client.request(text)));
      const bad = answers.find((answer) => answer?.status !== 200);
      if (bad !== undefined)
        throw new Error(
          `${contender.name}: connection ${clients.length} was answered ${bad?.status ?? 'with a close'}`,
        );
    }
    await sleep(SETTLE_MS);
    const closed = clients.filter((client) => client.closed).length;
    if (closed > 0) throw new Error(`${contender.name}: closed ${closed} of ${count} idle connections`);
    return (residentBytes(contender.pid) - before) / 1000 / count;
  } finally {
    for (const client of clients) client.close();
  }
}
