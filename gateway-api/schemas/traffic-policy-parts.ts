// Values that recur in a TrafficPolicy.
import { parseDuration } from '../../policies/duration.ts';
import * as names from './names.ts';
import { integer, type Rule, type Schema } from './schema.ts';

const most = 2 ** 31 - 1;

/** `0s` is allowed and means none. */
export function duration(doc: string): Schema {
  return { ...names.duration, maxLength: 32, doc };
}

export function period(doc: string): Schema {
  return {
    ...duration(doc),
    sure: (self: string) => parseDuration(self)! > 0,
    rules: [{ message: 'must be longer than 0s', rule: "duration(self) > duration('0s')" }],
  };
}

/** From 0. */
export function count(doc: string): Schema {
  return integer(0, most, { doc });
}

/** From 1. */
export function limit(doc: string): Schema {
  return integer(1, most, { doc });
}

/** Says something by being there. */
export function only(doc: string): Schema {
  return { type: 'boolean', enum: [true], doc };
}

export function exactlyOne(fields: readonly string[]): Rule {
  const set = fields.map((field) => `(has(self.${field}) ? 1 : 0)`).join(' + ');
  return { message: `exactly one of ${fields.join(', ')} must be set`, rule: `${set} == 1` };
}

/** `sure` of exactlyOne. */
export function hasOne(fields: readonly string[]): (self: object) => boolean {
  return (self) => fields.filter((field) => field in self).length === 1;
}
