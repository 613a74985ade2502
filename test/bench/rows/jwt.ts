// JWT: what a verified token costs each request that carries it, once it was verified.

import { TestIssuer } from '../../harness/tokens.ts';
import { SMALL, SMALL_BYTES } from '../backend.ts';
import { compare, cpuAdded, cpuFigures, errorsOf } from '../compare.ts';
import { startWaypoint, type WaypointContender } from '../contenders/waypoint.ts';
import type { Fleet } from '../manifests.ts';
import type { Bench, Row } from '../row.ts';
import { together } from '../together.ts';

const LIMIT_MICROS = 3;
const issuer = new TestIssuer('https://issuer.example.com', 'RS256');

export const jwt: Row = {
  ids: ['JWT'],
  title: 'P1 with an RS256 token of 600 bytes in each request, with and without a RequestAuthentication on the Service',
  needs: ['wrk'],
  measure: (bench) =>
    together(
      [
        startOne(bench, 'without', {}),
        startOne(bench, 'tokens', { tokens: { issuer: issuer.issuer, jwks: issuer.jwks() } }),
      ],
      async (contenders) => {
        const work = { ...SMALL, authorization: `Bearer ${token()}` };
        const rounds = await compare(contenders, { work, answerBytes: SMALL_BYTES }, bench.options);
        const added = cpuAdded(rounds, 'tokens', 'without');
        return [
          {
            id: 'JWT',
            work: 'a token that was verified before, CPU added per request',
            limit: `${LIMIT_MICROS} µs`,
            measured: added.text,
            pass: errorsOf(rounds) === 0 && added.value <= LIMIT_MICROS,
            figures: cpuFigures(rounds, ['without']),
          },
        ];
      },
    ),
};

function startOne({ backend, executable }: Bench, name: string, more: Partial<Fleet>): Promise<WaypointContender> {
  const fleet: Fleet = { routes: 100, namespaces: 5, layout: 'file-per-namespace', ...more };
  return startWaypoint(backend, { name, executable, workers: 1, fleet });
}

/** As identity providers make them. */
function token(): string {
  const claims = {
    aud: 'shop',
    azp: 'app',
    scope: 'orders:read orders:write',
    name: 'Alice',
    email: 'alice@example.com',
  };
  return issuer.token({ claims: { ...claims, exp: Math.floor(Date.now() / 1000) + 86_400 } });
}
