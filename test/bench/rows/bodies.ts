// P4: response and request bodies of 1 MiB, streamed by both sides (nginx: proxy_request_buffering off).

import { DOWNLOAD, MIB, UPLOAD, UPLOAD_ANSWER_BYTES } from '../backend.ts';
import { compare, cpuFigures, cpuRatio, errorsOf, type Rounds } from '../compare.ts';
import { startHaproxy } from '../contenders/haproxy.ts';
import { startNginx } from '../contenders/nginx.ts';
import { startWaypoint } from '../contenders/waypoint.ts';
import type { Row, Verdict } from '../row.ts';
import { together } from '../together.ts';

export const bodies: Row = {
  ids: ['P4'],
  title: '1 MiB responses, then 1 MiB requests, 16 connections',
  needs: ['nginx', 'haproxy', 'wrk'],
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
        const down = await compare(contenders, { work: DOWNLOAD, answerBytes: MIB }, bench.options);
        const up = await compare(contenders, { work: UPLOAD, answerBytes: UPLOAD_ANSWER_BYTES }, bench.options);
        return [verdict('1 MiB responses, CPU against nginx', down), verdict('1 MiB requests, CPU against nginx', up)];
      },
    ),
};

function verdict(work: string, rounds: Rounds): Verdict {
  const ratio = cpuRatio(rounds, 'waypoint', 'nginx');
  return {
    id: 'P4',
    work,
    limit: '1.0 ×',
    measured: ratio.text,
    pass: errorsOf(rounds) === 0 && ratio.value <= 1,
    figures: cpuFigures(rounds, ['nginx', 'haproxy']),
  };
}
