// P3: the requests of P1 over TLS 1.3 on connections that are kept.

import { SMALL, SMALL_BYTES } from '../backend.ts';
import { compare, cpuFigures, cpuRatio, errorsOf } from '../compare.ts';
import { startNginx } from '../contenders/nginx.ts';
import { startWaypoint } from '../contenders/waypoint.ts';
import type { Row } from '../row.ts';
import { together } from '../together.ts';

export const tls: Row = {
  ids: ['P3'],
  title: 'TLS 1.3 downstream, HTTP/1.1, otherwise as P1',
  needs: ['nginx', 'wrk'],
  measure: (bench) =>
    together(
      [
        startWaypoint(bench.backend, {
          name: 'waypoint',
          executable: bench.executable,
          workers: 1,
          scheme: 'https',
          fleet: { routes: 1000, namespaces: 20, layout: 'file-per-namespace' },
        }),
        startNginx(bench.backend, 'https'),
      ],
      async (contenders) => {
        const rounds = await compare(contenders, { work: SMALL, answerBytes: SMALL_BYTES }, bench.options);
        const ratio = cpuRatio(rounds, 'waypoint', 'nginx');
        return [
          {
            id: 'P3',
            work: 'small requests over TLS, CPU against nginx',
            limit: '1.2 ×',
            measured: ratio.text,
            pass: errorsOf(rounds) === 0 && ratio.value <= 1.2,
            figures: cpuFigures(rounds, ['nginx']),
          },
        ];
      },
    ),
};
