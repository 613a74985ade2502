// EXT: what asking an external authorizer over gRPC costs each request, of our own CPU.

import { SMALL, SMALL_BYTES } from '../backend.ts';
import { compare, cpuAdded, cpuFigures, errorsOf } from '../compare.ts';
import { startWaypoint, type WaypointContender } from '../contenders/waypoint.ts';
import type { Fleet } from '../manifests.ts';
import { freePort, start, untilListening } from '../processes.ts';
import type { Bench, Row } from '../row.ts';
import { together } from '../together.ts';

const LIMIT_MICROS = 100;
const AUTHORIZER = new URL('../authorizer.ts', import.meta.url).pathname;

export const external: Row = {
  ids: ['EXT'],
  title: 'P1 with an external authorizer that is asked over gRPC about each request, and without',
  needs: ['wrk'],
  measure: async (bench) => {
    const port = await freePort();
    const authorizer = start('authorizer', process.execPath, [AUTHORIZER, String(port)]);
    await untilListening(port, 5000);
    try {
      return await together(
        [startOne(bench, 'without', {}), startOne(bench, 'asked', { authorizerPort: port })],
        async (contenders) => {
          const rounds = await compare(contenders, { work: SMALL, answerBytes: SMALL_BYTES }, bench.options);
          const added = cpuAdded(rounds, 'asked', 'without');
          return [
            {
              id: 'EXT',
              work: 'an external check over gRPC, CPU added per request',
              limit: `${LIMIT_MICROS} µs`,
              measured: added.text,
              pass: errorsOf(rounds) === 0 && added.value <= LIMIT_MICROS,
              figures: cpuFigures(rounds, ['without']),
            },
          ];
        },
      );
    } finally {
      await authorizer.stop();
    }
  },
};

function startOne({ backend, executable }: Bench, name: string, more: Partial<Fleet>): Promise<WaypointContender> {
  const fleet: Fleet = { routes: 100, namespaces: 5, layout: 'file-per-namespace', ...more };
  return startWaypoint(backend, { name, executable, workers: 1, fleet });
}
