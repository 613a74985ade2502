// What a route's owner is told at one parent: accepted or not, references resolved or not, rules dropped or not.

import type { Attachment } from './attach.ts';
import { type Condition, condition, no, type ParentStatus, type Verdict, yes } from './conditions.ts';
import { CONTROLLER_NAME } from './environment.ts';
import type { Problem, TranslatedRule } from './translate-rule.ts';

const RESOLVED = yes('ResolvedRefs', 'References are resolved');
/** A status message that nobody reads to its end helps nobody. */
const MAX_PROBLEMS = 8;

export function parentStatus(
  attachment: Attachment,
  rules: readonly TranslatedRule[],
  generation: number,
): ParentStatus {
  const refusals = problemsOf(rules, 'Accepted');
  const accepted = acceptance(attachment.accepted, rules, refusals);
  const conditions: Condition[] = [
    condition('Accepted', accepted, generation),
    condition('ResolvedRefs', resolution(problemsOf(rules, 'ResolvedRefs')), generation),
  ];
  if (accepted.status === 'True' && refusals.length > 0) {
    conditions.push(
      condition('PartiallyInvalid', yes(refusals[0]!.reason, `Dropped Rule: ${describe(refusals)}`), generation),
    );
  }
  return { parentRef: attachment.ref, controllerName: CONTROLLER_NAME, conditions };
}

/** No rule of the route does what it was ordered to: then the route as a whole is not accepted. */
export function areAllRefused(rules: readonly TranslatedRule[]): boolean {
  return rules.length > 0 && rules.every((rule) => rule.isRefused);
}

function acceptance(attached: Verdict, rules: readonly TranslatedRule[], refusals: readonly Problem[]): Verdict {
  if (attached.status === 'False') return attached;
  if (areAllRefused(rules)) return no(refusals[0]!.reason, describe(refusals));
  return attached;
}

function resolution(problems: readonly Problem[]): Verdict {
  return problems.length === 0 ? RESOLVED : no(problems[0]!.reason, describe(problems));
}

function problemsOf(rules: readonly TranslatedRule[], type: Problem['condition']): readonly Problem[] {
  return rules.flatMap((rule) => rule.problems.filter((problem) => problem.condition === type));
}

function describe(problems: readonly Problem[]): string {
  const shown = problems.slice(0, MAX_PROBLEMS).map(({ path, message }) => `${path}: ${message}`);
  const more = problems.length - shown.length;
  return `${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}
