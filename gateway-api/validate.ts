// Whether an object is what the API server would admit, and the same object with defaults filled in.
import { violations } from './cel.ts';
import { explain } from './explain.ts';
import type { Problem } from './problem.ts';
import { ACCEPTED, accept, SCHEMA_IN_DOUBT } from './schemas/accept.ts';
import type { Schema } from './schemas/schema.ts';

/**
 * Everything that is wrong with the object; none: it is valid. Nulls are dropped from it and defaults filled in, in
 * place. Rules are only evaluated on an object that satisfies its schema, because they rely on it.
 */
export function validate(schema: Schema, object: unknown): readonly Problem[] {
  const verdict = accept(schema, object);
  if (verdict === ACCEPTED) return none;
  if (verdict === SCHEMA_IN_DOUBT) {
    const problems = explain(schema, object);
    if (problems.length > 0) return problems;
  }
  return violations(schema, object);
}

const none: readonly Problem[] = [];
