// DENY rules that change nothing, because a broader one at the same target denies all that they deny.

import type { AccessRule, AccessTest } from '../../policies/authorization.ts';
import { isTemplate } from '../../policies/path-template.ts';
import { decodedAuthorization, isShadow } from '../access/decode.ts';
import type { AccessPolicy, AuthorizationPolicy } from '../access/resources.ts';
import type { FindingReport } from './report.ts';

/** Every rule is compared with every other: beyond this it would take too long. */
const MOST_RULES = 500;

interface Denial {
  readonly policy: AuthorizationPolicy;
  readonly index: number;
  readonly rule: AccessRule;
}

export function reportCovered(
  index: Iterable<readonly [target: string, policies: readonly AccessPolicy[]]>,
  report: FindingReport,
): void {
  for (const [target, policies] of index) {
    const denials = policies.flatMap(denialsOf);
    if (denials.length < 2 || denials.length > MOST_RULES) continue;
    for (const [at, denial] of denials.entries()) {
      // Of two that deny the same the first one counts.
      const broader = denials.find(
        (other, place) =>
          place !== at && covers(other.rule, denial.rule) && (place < at || !covers(denial.rule, other.rule)),
      );
      if (broader === undefined) continue;
      const { namespace, name } = broader.policy.metadata;
      const where = broader.policy === denial.policy ? '' : `AuthorizationPolicy ${namespace}/${name} `;
      const message = `denies nothing more at ${target}: ${where}rule ${broader.index} denies all of it; remove one of them`;
      report.add(denial.policy, {
        severity: 'warning',
        code: 'deny_shadowed',
        path: `spec.rules[${denial.index}]`,
        message,
      });
    }
  }
}

function denialsOf(policy: AccessPolicy): readonly Denial[] {
  if (policy.kind !== 'AuthorizationPolicy' || isShadow(policy)) return [];
  const decoded = decodedAuthorization(policy);
  return decoded?.action === 'DENY' ? decoded.rules.map((rule, index) => ({ policy, index, rule })) : [];
}

/** Certain that whatever matches `narrow` matches `broad` too; false decides nothing. */
function covers(broad: AccessRule, narrow: AccessRule): boolean {
  return (
    alternativesCover(broad.from, narrow.from, narrow.when) &&
    alternativesCover(broad.to, narrow.to, narrow.when) &&
    broad.when.every((test) => narrow.when.some((other) => testCovers(test, other)))
  );
}

type Alternatives = readonly (readonly AccessTest[])[];

function alternativesCover(broad: Alternatives, narrow: Alternatives, besides: readonly AccessTest[]): boolean {
  if (broad.length === 0) return true;
  const each = narrow.length === 0 ? [[]] : narrow;
  return each.every((tests) =>
    broad.some((wanted) => wanted.every((test) => [...tests, ...besides].some((other) => testCovers(test, other)))),
  );
}

function testCovers(broad: AccessTest, narrow: AccessTest): boolean {
  if (broad.attribute !== narrow.attribute || broad.key.join('\n') !== narrow.key.join('\n')) return false;
  const isIncluded =
    broad.values.length === 0 ||
    (narrow.values.length > 0 &&
      narrow.values.every((value) => broad.values.some((pattern) => coversPattern(broad, pattern, value))));
  return (
    isIncluded &&
    broad.notValues.every((excluded) => narrow.notValues.some((pattern) => coversPattern(broad, pattern, excluded)))
  );
}

/** Attributes of which a value is more than a pattern of text. */
const OTHERWISE: ReadonlySet<AccessTest['attribute']> = new Set([
  'source.ip',
  'remote.ip',
  'destination.ip',
  'destination.port',
  'source.serviceAccount',
  'request.auth.principal',
]);

/** Whatever matches `value` matches `pattern`. */
export function coversPattern({ attribute }: AccessTest, pattern: string, value: string): boolean {
  const [broad, narrow] = attribute === 'host' ? [pattern.toLowerCase(), value.toLowerCase()] : [pattern, value];
  if (broad === narrow) return true;
  if (OTHERWISE.has(attribute)) return broad === '*';
  if (attribute === 'path' && (isTemplate(broad) || isTemplate(narrow))) return broad === '*';
  if (broad === '*') return true;
  if (broad.startsWith('*')) return !narrow.endsWith('*') && narrow.endsWith(broad.slice(1));
  if (broad.endsWith('*')) return !narrow.startsWith('*') && narrow.startsWith(broad.slice(0, -1));
  return false;
}
