// The policies about access, as lines of the page of an explanation.

import type { PolicyExplanation } from '../../policies/authorization.ts';
import { decisionWords } from './access.ts';
import type { ExplainedAccess } from './report.ts';

export function accessLines(access: readonly ExplainedAccess[]): string[] {
  return access.flatMap((each) => {
    const { backend, targets, authentications, asked, policies, allowed } = each;
    const place = backend === null ? '' : `, on the way to ${backend}`;
    const decided = policies.length === 0 ? [] : [`           ${allowed ? 'allowed' : 'denied'}${by(each)}`];
    return [
      '',
      `Access     guarded at ${targets.join(', ')}${place}`,
      ...authentications.map((policy) => `           tokens: ${policy}`),
      ...asked.map((provider) => `           asked first: ${provider}`),
      ...policies.flatMap(policyLines),
      ...decided,
    ];
  });
}

function by(each: ExplainedAccess): string {
  if (!each.allowed) return ` by ${decisionWords(each)}`;
  return each.policy === '' ? ': no DENY policy matches, and there is no ALLOW policy' : ` by ${decisionWords(each)}`;
}

function policyLines({ policy, action, shadow, failure, matches, rules }: PolicyExplanation): string[] {
  const head = `           ${matches ? '=>' : ' x'} ${action} ${policy}${shadow ? ' (in the shadow)' : ''}`;
  if (failure !== null) return [`${head}: denies everything, because it could not be loaded: ${failure}`];
  if (rules.length === 0) return [`${head}: has no rules, so it matches nothing`];
  return [
    head,
    ...rules.map((each) => {
      const verb = each.matches ? 'matches' : 'does not match';
      return `                rule ${each.rule} ${verb}: ${each.why}`;
    }),
  ];
}
