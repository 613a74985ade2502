// The published validation rules, evaluated by CEL where a node is not provably fine without it.
import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import type { CelInput, CelResult } from '@bufbuild/cel';
import type { Path, Problem } from './problem.ts';
import { members } from './schemas/members.ts';
import type { Rule, Schema } from './schemas/schema.ts';

type Evaluate = (bindings: { self: CelInput }) => CelResult;

/** Violations of the rules attached anywhere in the schema; the value satisfies the schema itself already. */
export function violations(schema: Schema, value: unknown): Problem[] {
  const problems: Problem[] = [];
  collect(schema, value, { path: [], problems });
  return problems;
}

function collect(schema: Schema, value: unknown, found: { path: Path; problems: Problem[] }): void {
  if (schema.rules !== undefined && (schema.sure as ((self: unknown) => boolean) | undefined)?.(value) !== true) {
    for (const rule of schema.rules) {
      if (!holds(rule, value)) found.problems.push({ path: found.path, message: rule.message });
    }
  }
  for (const [step, member, below] of members(schema, value)) {
    collect(below, member, { path: [...found.path, step], problems: found.problems });
  }
}

/** False also where the rule cannot be evaluated (it reads a field that is absent), as on the API server. */
export function holds(rule: Rule, self: unknown): boolean {
  let evaluate = plans.get(rule);
  if (evaluate === undefined) {
    compile ??= load();
    evaluate = compile(rule.rule);
    plans.set(rule, evaluate);
  }
  return evaluate({ self: self as CelInput }) === true;
}

const plans = new WeakMap<Rule, Evaluate>();
let compile: ((rule: string) => Evaluate) | null = null;

/** CEL costs 22 MB and 80 ms to load: it is loaded by the first node that needs it. */
function load(): (rule: string) => Evaluate {
  const require = createRequire(import.meta.url);
  const { celEnv, celFunc, CelScalar, parse, plan } = require('@bufbuild/cel') as typeof import('@bufbuild/cel');
  const { strings } = require('@bufbuild/cel/ext') as typeof import('@bufbuild/cel/ext');
  // Kubernetes' own addition to the language.
  const ip = celFunc('isIP', [CelScalar.STRING], CelScalar.BOOL, (address) => isIP(address) !== 0);
  const env = celEnv({ funcs: [...strings, ip] });
  // Kubernetes escapes names that CEL reserves; this parser takes them as they are behind a dot.
  return (rule) => plan(env, parse(rule.replaceAll('__namespace__', 'namespace')));
}
