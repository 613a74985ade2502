// P12: routes edited 100 times a second under load, against the same waypoint left alone.

import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SMALL, SMALL_BYTES } from '../backend.ts';
import { compare, cpuFigures, cpuRatio, errorsOf, type Rounds } from '../compare.ts';
import { startWaypoint, type WaypointContender } from '../contenders/waypoint.ts';
import type { LoadResult } from '../load.ts';
import { type Fleet, namespaceOf, otherRoute, routeFile } from '../manifests.ts';
import { scratchFolder } from '../processes.ts';
import type { Row } from '../row.ts';
import { together } from '../together.ts';

const EDIT_EVERY_MS = 10;
const FLEET: Fleet = { routes: 1000, namespaces: 20, layout: 'file-per-route' };

export const churn: Row = {
  ids: ['P12'],
  title: `${1000 / EDIT_EVERY_MS} edits a second among ${FLEET.routes} HTTPRoutes (one file each) under load`,
  needs: ['nginx', 'wrk'],
  measure: (bench) => {
    const starting = startWaypoint(bench.backend, {
      name: 'waypoint',
      executable: bench.executable,
      workers: 1,
      fleet: FLEET,
    });
    return together([starting], async ([waypoint]) => {
      const job = { work: SMALL, answerBytes: SMALL_BYTES };
      const once = { ...bench.options, rounds: 1 };
      const still: LoadResult[] = [];
      const edited: LoadResult[] = [];
      let edits = 0;
      for (let round = 0; round < bench.options.rounds; round++) {
        still.push(...resultsOf(await compare([waypoint as WaypointContender], job, once)));
        const editor = startEditing(waypoint as WaypointContender);
        edited.push(...resultsOf(await compare([waypoint as WaypointContender], job, once)));
        edits += editor.stop();
      }
      const rounds: Rounds = new Map([
        ['unedited', still],
        ['edited', edited],
      ]);
      const ratio = cpuRatio(rounds, 'edited', 'unedited');
      const errors = errorsOf(rounds);
      return [
        {
          id: 'P12',
          work: 'routes edited 100 times a second under load',
          limit: '0 errors, 1.10 ×',
          measured: `${errors} errors, ${ratio.text}`,
          pass: errors === 0 && ratio.value <= 1.1,
          figures: cpuFigures(rounds, ['unedited']).map((figure) =>
            figure.name === 'edited' ? { ...figure, note: `${figure.note}, ${edits} edits` } : figure,
          ),
        },
      ];
    });
  },
};

function resultsOf(rounds: Rounds): readonly LoadResult[] {
  return rounds.get('waypoint') ?? [];
}

/** Each edit moves another route to another path; the loaded route is not touched. */
function startEditing(waypoint: WaypointContender): { stop(): number } {
  const drafts = scratchFolder('drafts');
  let edits = 0;
  const timer = setInterval(() => {
    const i = 1 + (edits % (FLEET.routes - 1));
    const text = otherRoute(i, namespaceOf(i, FLEET)).replace(/value: \/[a-z0-9/-]*/, `value: /edit-${edits}`);
    const draft = join(drafts, 'draft');
    writeFileSync(draft, text);
    renameSync(draft, join(waypoint.folder, routeFile(i, FLEET)));
    edits++;
  }, EDIT_EVERY_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return edits;
    },
  };
}
