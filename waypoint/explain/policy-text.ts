// The effective policy, the session and the choice by a key, as lines of the page of an explanation.

import type { Origin } from '../../policies/traffic.ts';
import type { ExplainedBackend, ExplainedChoice, ExplainedRule, ExplainedSection, ExplainedSession } from './report.ts';

/** What is the same for all backends of a rule is said once, of the rule. */
export function rulePolicyLines({ policy, backends }: ExplainedRule): string[] {
  const shared = commonPolicy(backends) ?? policy;
  return policyLines(shared, 'Policy     ', '');
}

export function backendPolicyLines(backend: ExplainedBackend, rule: ExplainedRule): string[] {
  const own = commonPolicy(rule.backends) === null ? backend.policy : [];
  return policyLines([...own, ...backend.endpointPolicy], '           policy ', '           ');
}

export function sessionLines(session: ExplainedSession | null): string[] {
  if (session === null) return [];
  const { name, backend, endpoint } = session;
  if (backend === null) return [`Session    a new one begins: the request has no valid token in ${name}`];
  if (endpoint === null) return [`Session    in ${name}: stays with ${backend}, at another endpoint: its own is gone`];
  return [`Session    in ${name}: comes back to ${endpoint} of ${backend}, whatever the weights say`];
}

export function choiceLines(choice: ExplainedChoice | null): string[] {
  if (choice === null) return [];
  const { by, key, endpoint } = choice;
  if (key === '') return [`           chosen by ${by}, which this request lacks or nobody knows yet`];
  return [`           chosen by ${by} = ${key}: ${endpoint ?? 'nobody'}, as long as it has room`];
}

function commonPolicy(backends: readonly ExplainedBackend[]): readonly ExplainedSection[] | null {
  const [first, ...others] = backends;
  if (first === undefined) return null;
  const text = JSON.stringify(first.policy);
  return others.every(({ policy }) => JSON.stringify(policy) === text) ? first.policy : null;
}

/** What nobody set and does nothing takes one line together. */
function policyLines(sections: readonly ExplainedSection[], label: string, indent: string): string[] {
  const absent = sections.filter(({ effect, fields }) => effect === 'none' && fields.length === 0);
  const lines = sections
    .filter((section) => !absent.includes(section))
    .flatMap((section) => sectionLines(section, label, indent));
  if (absent.length === 0) return lines;
  return [...lines, `${label}${absent.map(({ section }) => section).join(', ')}: none (default)`];
}

function sectionLines({ section, effect, shadow, fields }: ExplainedSection, label: string, indent: string): string[] {
  const isDefault = fields.every(({ level }) => level === 'default');
  const lines = [`${label}${section}: ${effect}${isDefault ? ' (default)' : ''}`];
  if (shadow !== null) lines.push(`${indent}    in mode Shadow it would be: ${shadow}`);
  if (isDefault) return lines;
  const width = Math.max(...fields.map((field) => written(field).length));
  return [...lines, ...fields.map((field) => `${indent}    ${written(field).padEnd(width)}  ${origin(field)}`)];
}

function written({ field, value, mode }: Origin): string {
  const name = field.slice(field.indexOf('.') + 1);
  return `${mode === 'Shadow' ? '(shadow) ' : ''}${name}: ${value}`;
}

function origin({ from, level }: Origin): string {
  return level === 'default' ? 'default' : `${from}, ${level}`;
}
