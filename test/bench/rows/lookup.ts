// P6: what 10,000 routes cost a request over one route.

import { SMALL, SMALL_BYTES } from '../backend.ts';
import { compare, cpuFigures, cpuRatio, errorsOf } from '../compare.ts';
import { startWaypoint } from '../contenders/waypoint.ts';
import type { Row } from '../row.ts';
import { together } from '../together.ts';

export const lookup: Row = {
  ids: ['P6'],
  title: 'CPU per request with 10,000 HTTPRoutes against 1',
  needs: ['nginx', 'wrk'],
  measure: (bench) => {
    const one = (name: string, routes: number, namespaces: number): ReturnType<typeof startWaypoint> =>
      startWaypoint(bench.backend, {
        name,
        executable: bench.executable,
        workers: 1,
        fleet: { routes, namespaces, layout: 'file-per-namespace' },
      });
    return together([one('1 route', 1, 1), one('10000 routes', 10_000, 100)], async (contenders) => {
      const rounds = await compare(contenders, { work: SMALL, answerBytes: SMALL_BYTES }, bench.options);
      const ratio = cpuRatio(rounds, '10000 routes', '1 route');
      return [
        {
          id: 'P6',
          work: 'route lookup, 10,000 routes against 1',
          limit: '1.05 ×',
          measured: ratio.text,
          pass: errorsOf(rounds) === 0 && ratio.value <= 1.05,
          figures: cpuFigures(rounds, ['1 route']),
        },
      ];
    });
  },
};
