// The walk from a value to its parts along its schema.
import type { Schema } from './schema.ts';

/** The parts of a value that its schema describes, each with its own schema. */
export function* members(schema: Schema, value: unknown): Generator<[string | number, unknown, Schema]> {
  if (Array.isArray(value)) {
    if (schema.items !== undefined)
      for (let index = 0; index < value.length; index++) yield [index, value[index], schema.items];
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      const values = schema.additionalProperties;
      const below = schema.properties?.[name] ?? (typeof values === 'object' ? values : undefined);
      if (below !== undefined) yield [name, member, below];
    }
  }
}
