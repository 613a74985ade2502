// Command line flags from one table: parsing, environment, help text; every mistake is collected, none stops the rest.

export interface Flag<T> {
  /** What stands behind the flag in the help, `host:port`; null for a flag without a value. */
  readonly arg: string | null;
  readonly help: string;
  /** Completes "must be ...". */
  readonly expects: string;
  readonly initial: T;
  /** How `initial` reads in the help, '' to say nothing. */
  readonly shown: string;
  /** undefined: not what the flag expects. */
  readonly parse: (text: string) => T | undefined;
  /** Set where the flag may be repeated: joins two values. In the environment the values are separated by commas. */
  readonly join?: (first: T, next: T) => T;
  /** Short spelling, `-H`. */
  readonly short?: string;
}

/** By camelCase name: `drainDelay` is `--drain-delay` and `WAYPOINT_DRAIN_DELAY`. */
// biome-ignore lint/suspicious/noExplicitAny: a table mixes value types; Values<S> recovers each one
export type FlagTable = Readonly<Record<string, Flag<any>>>;

type Values<S> = { readonly [K in keyof S]: S[K] extends Flag<infer T> ? T : never };

export interface ParsedFlags<S> {
  readonly values: Values<S>;
  readonly positionals: readonly string[];
  readonly errors: readonly string[];
  /** Names (camelCase) that the command line or the environment set. */
  readonly given: ReadonlySet<string>;
}

/** Reads `--flag value`, `--flag=value`, `-f value` and `--` from argv, and `WAYPOINT_FLAG` from env where argv is silent. */
export function parseFlags<S extends FlagTable>(
  table: S,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ParsedFlags<S> {
  const reader = new Reader(table);
  reader.readArguments(argv);
  reader.readEnvironment(env);
  return {
    values: reader.finish() as Values<S>,
    positionals: reader.positionals,
    errors: reader.errors,
    given: new Set(reader.values.keys()),
  };
}

class Reader {
  readonly values = new Map<string, unknown>();
  readonly positionals: string[] = [];
  readonly errors: string[] = [];
  readonly #table: FlagTable;
  readonly #bySpelling = new Map<string, string>();
  readonly #seen = new Set<string>();

  constructor(table: FlagTable) {
    this.#table = table;
    for (const [name, flag] of Object.entries(table)) {
      this.#bySpelling.set(spelling(name), name);
      if (flag.short !== undefined) this.#bySpelling.set(flag.short, name);
    }
  }

  readArguments(argv: readonly string[]): void {
    for (let i = 0; i < argv.length; i++) {
      const word = argv[i]!;
      if (word === '--') {
        this.positionals.push(...argv.slice(i + 1));
        return;
      }
      if (word.length < 2 || word[0] !== '-') {
        this.positionals.push(word);
        continue;
      }
      const equals = word.startsWith('--') ? word.indexOf('=') : -1;
      const spelt = equals < 0 ? word : word.slice(0, equals);
      const name = this.#bySpelling.get(spelt);
      const attached = equals < 0 ? null : word.slice(equals + 1);
      if (name === undefined) {
        this.errors.push(`unknown flag ${spelt}${suggestion(spelt, this.#bySpelling.keys())}`);
        // Its value, when one follows, is not an argument of the command.
        if (attached === null && argv[i + 1] !== undefined && !argv[i + 1]!.startsWith('-')) i++;
        continue;
      }
      if (this.#table[name]!.arg === null) {
        if (attached === null) this.#take(name, '', spelt);
        else this.errors.push(`${spelt} takes no value`);
        continue;
      }
      const value = attached ?? argv[++i];
      if (value === undefined || (attached === null && value.startsWith('--'))) {
        this.errors.push(`${spelt} needs a value: ${this.#table[name]!.arg}`);
        if (value !== undefined) i--;
        continue;
      }
      this.#take(name, value, spelt);
    }
  }

  readEnvironment(env: Readonly<Record<string, string | undefined>>): void {
    for (const [name, flag] of Object.entries(this.#table)) {
      if (this.#seen.has(name) || flag.arg === null) continue;
      const variable = variableName(name);
      const text = env[variable];
      if (text === undefined || text === '') continue;
      for (const part of flag.join === undefined ? [text] : text.split(',')) this.#take(name, part.trim(), variable);
    }
  }

  finish(): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    for (const [name, flag] of Object.entries(this.#table)) {
      values[name] = this.values.has(name) ? this.values.get(name) : flag.initial;
    }
    return values;
  }

  #take(name: string, text: string, source: string): void {
    const flag = this.#table[name]!;
    const repeated = this.#seen.has(name);
    this.#seen.add(name);
    if (repeated && flag.join === undefined) {
      this.errors.push(`${source} was given twice`);
      return;
    }
    const value = flag.parse(text);
    if (value === undefined) {
      this.errors.push(`${source} must be ${flag.expects}, not '${text}'`);
      return;
    }
    this.values.set(name, this.values.has(name) && flag.join ? flag.join(this.values.get(name), value) : value);
  }
}

/** The table as help text, one flag a line or two. */
export function describeFlags(table: FlagTable): string {
  const lines: string[] = [];
  for (const [name, flag] of Object.entries(table)) {
    const short = flag.short === undefined ? '' : `${flag.short}, `;
    const head = `  ${short}${spelling(name)}${flag.arg === null ? '' : ` ${flag.arg}`}`;
    const text = `${flag.help}${flag.shown === '' ? '' : ` (default ${flag.shown})`}`;
    if (head.length < 35) lines.push(`${head.padEnd(36)}${text}`);
    else lines.push(head, `${' '.repeat(36)}${text}`);
  }
  return `${lines.join('\n')}\n`;
}

function spelling(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function variableName(name: string): string {
  return `WAYPOINT_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** ` (did you mean --x?)` for the nearest of the known words, '' when none is near. */
export function suggestion(word: string, known: Iterable<string>): string {
  let best = '';
  // Two letters changed places are a distance of 2.
  let bestDistance = Math.ceil(word.length * 0.4) + 1;
  for (const candidate of known) {
    const distance = editDistance(word, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best === '' ? '' : ` (did you mean ${best}?)`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
