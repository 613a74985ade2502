// A rule of an AuthorizationPolicy compiled: what is cheap to ask is asked first.

import { type AccessCondition, type CompileScope, compileTest } from './access-test.ts';
import type { AccessAttribute, AccessContext, AccessRule, AccessTest } from './authorization.ts';

/** What asking costs, in no unit. */
const COSTS: Readonly<Record<AccessAttribute, number>> = {
  method: 1,
  'destination.port': 1,
  'source.principal': 2,
  'source.namespace': 2,
  'source.serviceAccount': 3,
  'source.trustDomain': 2,
  'connection.sni': 2,
  path: 3,
  host: 3,
  'request.auth.presenter': 3,
  'request.auth.principal': 4,
  'source.ip': 5,
  'destination.ip': 5,
  'remote.ip': 6,
  'request.auth.audiences': 6,
  'request.auth.claims': 7,
  'request.headers': 8,
};

type All = readonly AccessCondition[];

export class CompiledRule {
  /** Conditions of `when`, and of a source or operation without alternative. */
  readonly #all: All;
  /** Sources and operations where there are several to choose from. */
  readonly #choices: readonly (readonly All[])[];

  constructor({ from, to, when }: AccessRule, scope: CompileScope) {
    const compile = (tests: readonly AccessTest[]): All =>
      tests.toSorted((a, b) => costOf(a) - costOf(b)).map((test) => compileTest(test, scope));
    const parts = [to, from];
    this.#all = compile([...parts.filter(({ length }) => length === 1).flat(2), ...when]);
    this.#choices = parts.filter(({ length }) => length > 1).map((alternatives) => alternatives.map(compile));
  }

  matches(context: AccessContext, path: string): boolean {
    for (const condition of this.#all) if (!condition.holds(context, path)) return false;
    for (const alternatives of this.#choices) if (!any(alternatives, context, path)) return false;
    return true;
  }
}

function costOf({ attribute, values, notValues }: AccessTest): number {
  return COSTS[attribute] * (1 + (values.length + notValues.length) / 8);
}

function any(alternatives: readonly All[], context: AccessContext, path: string): boolean {
  for (const conditions of alternatives) if (all(conditions, context, path)) return true;
  return false;
}

function all(conditions: All, context: AccessContext, path: string): boolean {
  for (const condition of conditions) if (!condition.holds(context, path)) return false;
  return true;
}
