// Copies of requests to a second backend whose answer nobody waits for: which share of them, and to whom.

import type { PlanFailure } from './plan.ts';
import type { DecodeReport } from './policy.ts';

export interface MirrorPlan {
  /** Key of the backend (`namespace/name:port`); null when `failure` says why nothing is copied. */
  readonly backend: string | null;
  readonly failure: PlanFailure | null;
  /** numerator / denominator of the requests are copied; 100 / 100 where nothing is said. */
  readonly numerator: number;
  readonly denominator: number;
  /** How many filters of the same list stand before it: those have edited the copy. */
  readonly afterFilter: number;
}

/** A mirror whose backendRef waits for the translator to resolve it. */
export interface DecodedMirror {
  /** As written, of the resource's BackendObjectReference. */
  readonly backendRef: unknown;
  /** JSON path of the backendRef. */
  readonly path: string;
  readonly numerator: number;
  readonly denominator: number;
  readonly afterFilter: number;
}

/** `random` in [0, 1). */
export function shouldMirror(plan: MirrorPlan, random: number): boolean {
  return plan.backend !== null && random * plan.denominator < plan.numerator;
}

/** null after a report. `afterFilter`: how many filters were decoded before this one. */
export function decodeMirror(
  settings: unknown,
  path: string,
  report: DecodeReport,
  afterFilter: number,
): DecodedMirror | null {
  const { backendRef, percent, fraction } = (settings ?? {}) as {
    readonly backendRef?: unknown;
    readonly percent?: number;
    readonly fraction?: { readonly numerator: number; readonly denominator?: number };
  };
  if (typeof backendRef !== 'object' || backendRef === null) {
    report.unsupported(`${path}.backendRef`, 'a mirror needs a backendRef');
    return null;
  }
  if (percent !== undefined && fraction !== undefined) {
    report.unsupported(path, 'percent and fraction exclude each other: keep one');
    return null;
  }
  const numerator = fraction?.numerator ?? percent ?? 100;
  const denominator = fraction?.denominator ?? 100;
  if (!(denominator > 0 && numerator >= 0 && numerator <= denominator)) {
    const at = fraction === undefined ? `${path}.percent` : `${path}.fraction`;
    report.unsupported(at, `${numerator}/${denominator} is no share of the requests: write one between 0 and 1`);
    return null;
  }
  return { backendRef, path: `${path}.backendRef`, numerator, denominator, afterFilter };
}

/** One line for `waypoint explain`. */
export function describeMirror(plan: MirrorPlan): string {
  const share =
    plan.numerator === plan.denominator ? 'every request' : `${plan.numerator}/${plan.denominator} of requests`;
  return plan.backend === null
    ? `RequestMirror: nothing is copied (${plan.failure?.message ?? 'no backend'})`
    : `RequestMirror: a copy of ${share} to ${plan.backend}`;
}
