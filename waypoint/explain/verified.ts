// An explanation that knows what becomes of the request's token: first who looks for one, then what he says of it.

import type { Snapshot } from '../../policies/plan.ts';
import type { KeysNews } from '../messages.ts';
import { arrive } from './arrival.ts';
import { type ExplainOptions, type ExplainRequest, explain } from './explain.ts';
import type { ExplainReport } from './report.ts';
import { present } from './token.ts';

/** `known`: the keys behind URIs, as far as they are here. A string says what is wrong with the question. */
export async function explainVerified(
  asked: ExplainRequest,
  snapshot: Snapshot,
  options: ExplainOptions,
  known: readonly KeysNews[],
): Promise<ExplainReport | string> {
  const report = explain(asked, snapshot, options);
  if (typeof report === 'string' || (asked.claims ?? null) !== null) return report;
  const targets = new Set(report.access.flatMap((access) => access.targets));
  const plans = [...targets].flatMap((target) => snapshot.access.get(target)?.authentications ?? []);
  if (plans.length === 0) return report;
  const arrival = arrive(asked, snapshot, options);
  if (typeof arrival === 'string') return arrival;
  return explain(asked, snapshot, options, await present(plans, arrival.thought.accessContext(0), known));
}
