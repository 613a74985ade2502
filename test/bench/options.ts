// What the command line of the bench may say.

import { parseArgs } from 'node:util';

export const USAGE = `npm run bench -- [options]
  --rows P1,P4       only these rows of the table (default: all)
  --seconds N        length of one loaded run (default 5)
  --rounds N         runs of each contender, in turn (default 5)
  --quick            short runs and few of them: does it work, not how fast is it
  --json FILE        write the figures there too
  --help
`;

export interface BenchOptions {
  /** null: all. */
  readonly rows: readonly string[] | null;
  readonly seconds: number;
  readonly rounds: number;
  readonly quick: boolean;
  readonly json: string | null;
  readonly help: boolean;
}

export function parseOptions(argv: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rows: { type: 'string' },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { quick } = values;
  return {
    rows: values.rows === undefined ? null : values.rows.split(',').map((row) => row.trim().toUpperCase()),
    seconds: atLeastOne('seconds', values.seconds, quick ? 1 : 5),
    rounds: atLeastOne('rounds', values.rounds, quick ? 2 : 5),
    quick,
    json: values.json ?? null,
    help: values.help,
  };
}

function atLeastOne(name: string, text: string | undefined, initial: number): number {
  if (text === undefined) return initial;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 600)
    throw new Error(`--${name} ${text}: a whole number from 1 to 600 is needed`);
  return value;
}
