// What commands that go on with half of the resources say about the other half.

import type { Finding } from '../../gateway-api/store.ts';
import { findingLine } from './finding-line.ts';

/** '' where all of them were read without error. */
export function leftOut(findings: readonly Finding[]): string {
  const [first, ...others] = findings.filter(({ severity }) => severity === 'error');
  if (first === undefined) return '';
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return `what has errors is left out (waypoint check lists it): ${findingLine(first)}${more}`;
}
