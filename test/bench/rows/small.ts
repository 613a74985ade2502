// P1, P1+ and P2: small HTTP/1.1 requests with nine usual headers, one waypoint worker with 1,000 HTTPRoutes, metrics and service policies on.

import { SMALL, SMALL_BYTES } from '../backend.ts';
import { compare, cpuFigures, cpuRatio, errorsOf } from '../compare.ts';
import { startHaproxy } from '../contenders/haproxy.ts';
import { startHttpProxy } from '../contenders/http-proxy.ts';
import { startNginx } from '../contenders/nginx.ts';
import { startNodeUndici } from '../contenders/node-undici.ts';
import { startWaypoint } from '../contenders/waypoint.ts';
import type { Row, Verdict } from '../row.ts';
import { together } from '../together.ts';

export const small: Row = {
  ids: ['P1', 'P1+', 'P2'],
  title:
    'HTTP/1.1, 9 usual headers, 61-byte answer, 64 connections; waypoint: 1,000 HTTPRoutes, 100 AuthorizationPolicies on the Service, metrics, retries, timeouts, outlier detection, circuit limits',
  needs: ['nginx', 'haproxy', 'wrk'],
  measure: (bench) =>
    together(
      [
        startWaypoint(bench.backend, {
          name: 'waypoint',
          executable: bench.executable,
          workers: 1,
          fleet: { routes: 1000, namespaces: 20, layout: 'file-per-namespace', policies: 100 },
        }),
        startNginx(bench.backend),
        startHaproxy(bench.backend),
        startHttpProxy(bench.backend),
        startNodeUndici(bench.backend),
      ],
      async (contenders) => {
        const rounds = await compare(contenders, { work: SMALL, answerBytes: SMALL_BYTES }, bench.options);
        const [waypoint, nginx] = contenders;
        const various = await compare(
          [waypoint!, nginx!],
          { work: { ...SMALL, varies: true }, answerBytes: SMALL_BYTES },
          bench.options,
        );
        return [...verdicts(rounds), ...variousVerdict(various)];
      },
    ),
};

/** Without a limit of its own: what is kept from one request to the next is of no use here. */
function variousVerdict(rounds: Awaited<ReturnType<typeof compare>>): readonly Verdict[] {
  const nginx = cpuRatio(rounds, 'waypoint', 'nginx');
  return [
    {
      id: 'P1+',
      work: 'the same, no two requests alike',
      limit: '–',
      measured: nginx.text,
      pass: errorsOf(rounds) === 0,
      figures: cpuFigures(rounds, ['nginx']),
    },
  ];
}

function verdicts(rounds: Awaited<ReturnType<typeof compare>>): readonly Verdict[] {
  const clean = errorsOf(rounds) === 0;
  const nginx = cpuRatio(rounds, 'waypoint', 'nginx');
  const httpProxy = cpuRatio(rounds, 'waypoint', 'http-proxy');
  return [
    {
      id: 'P1',
      work: 'small HTTP/1.1 requests, CPU against nginx',
      limit: '1.15 ×',
      measured: nginx.text,
      pass: clean && nginx.value <= 1.15,
      figures: cpuFigures(rounds, ['nginx', 'haproxy']),
    },
    {
      id: 'P2',
      work: 'the same, against http-proxy 1.18',
      limit: '0.25 ×',
      measured: httpProxy.text,
      pass: clean && httpProxy.value <= 0.25,
      figures: [],
    },
  ];
}
