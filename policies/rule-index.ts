// Many rules of many policies, filed under what they ask for, so that a request only meets those that may match it.

import { principalOf } from './access-test.ts';
import type { AccessContext, AccessRule, AccessTest, AccessVerdict, AuthorizationPlan } from './authorization.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { hostPattern } from './operation-test.ts';
import { type Filed, PathIndex } from './path-index.ts';
import { isTemplate, PathTemplate } from './path-template.ts';
import { accountOf, namespaceOf } from './source-test.ts';
import { isExact, isPrefix } from './string-match.ts';
import { principalAliases } from './trust-domains.ts';

/** One rule of one policy. */
export interface RuleEntry {
  readonly plan: AuthorizationPlan;
  readonly index: number;
  readonly rule: CompiledRule;
  /** What is said when it decides. */
  readonly verdict: AccessVerdict;
}

/** What has but one text in a request. Everything that may match has one of the texts under which a rule is filed. */
type Dimension = 'path' | TextDimension;
type TextDimension = 'source.principal' | 'source.serviceAccount' | 'source.namespace' | 'host' | 'method';

interface Key {
  readonly text: string;
  readonly how: 'exact' | 'prefix';
}

interface Filing {
  readonly dimension: Dimension;
  readonly keys: readonly Key[];
}

const TEXTS: Readonly<Record<TextDimension, (context: AccessContext) => string>> = {
  'source.principal': principalOf,
  'source.serviceAccount': accountOf,
  'source.namespace': namespaceOf,
  host: ({ head }) => head.host,
  method: ({ head }) => head.method,
};

const DIMENSIONS: readonly Dimension[] = ['path', ...(Object.keys(TEXTS) as TextDimension[])];

/** Below this many rules looking them up costs more than asking them. */
const WORTH_FILING = 4;
const NONE: readonly never[] = [];

type Entries = readonly RuleEntry[];

interface Register {
  readonly textOf: (context: AccessContext) => string;
  readonly entries: ReadonlyMap<string, Entries>;
}

export class RuleIndex {
  readonly #paths: PathIndex<RuleEntry> | null;
  readonly #registers: readonly Register[];
  /** Those that are asked about every request. */
  readonly #others: Entries;

  constructor(entries: Entries, trustDomains: readonly string[]) {
    const filings = entries.map(({ plan, index }) => filingsOf(plan.rules[index] as AccessRule, trustDomains));
    const crowds = entries.length < WORTH_FILING ? null : crowdsOf(filings);
    const chosen = filings.map((all) => (crowds === null ? null : leastCrowded(all, crowds)));
    const filed = (dimension: Dimension): readonly Filed<RuleEntry>[] =>
      entries.flatMap((item, at): readonly Filed<RuleEntry>[] => {
        const filing = chosen[at];
        return filing?.dimension === dimension ? filing.keys.map((key) => ({ ...key, item })) : NONE;
      });
    const paths = filed('path');
    this.#paths = paths.length === 0 ? null : new PathIndex(paths);
    this.#registers = Object.entries(TEXTS)
      .map(([dimension, textOf]) => ({ textOf, entries: byText(filed(dimension as TextDimension)) }))
      .filter((register) => register.entries.size > 0);
    this.#others = entries.filter((_, at) => chosen[at] === null);
  }

  /** One that matches, null where none does. */
  find(context: AccessContext, path: string): RuleEntry | null {
    if (this.#paths !== null) {
      const found = this.#paths.find(path, matches, context);
      if (found !== null) return found;
    }
    for (const { textOf, entries } of this.#registers) {
      const candidates = entries.get(textOf(context));
      const found = candidates === undefined ? null : first(candidates, context, path);
      if (found !== null) return found;
    }
    return first(this.#others, context, path);
  }
}

function matches({ rule }: RuleEntry, context: AccessContext, path: string): boolean {
  return rule.matches(context, path);
}

function first(entries: Entries, context: AccessContext, path: string): RuleEntry | null {
  for (const entry of entries) if (entry.rule.matches(context, path)) return entry;
  return null;
}

function byText(filed: readonly Filed<RuleEntry>[]): ReadonlyMap<string, Entries> {
  const entries = new Map<string, RuleEntry[]>();
  for (const { text, item } of filed) {
    const known = entries.get(text);
    if (known === undefined) entries.set(text, [item]);
    else known.push(item);
  }
  return entries;
}

/** Every way in which the rule could be filed. */
function filingsOf({ from, to, when }: AccessRule, trustDomains: readonly string[]): readonly Filing[] {
  return DIMENSIONS.flatMap((dimension): readonly Filing[] => {
    for (const alternatives of [to, from, [when]]) {
      const keys = alternatives.length === 0 ? null : keysOf(alternatives, dimension, trustDomains);
      if (keys !== null) return [{ dimension, keys }];
    }
    return NONE;
  });
}

/** null: some alternative may match with other texts too. */
function keysOf(
  alternatives: readonly (readonly AccessTest[])[],
  dimension: Dimension,
  trustDomains: readonly string[],
): readonly Key[] | null {
  const keys = alternatives.flatMap((tests): readonly (Key | null)[] => {
    const test = tests.find(({ attribute, values }) => attribute === dimension && values.length > 0);
    return test === undefined ? [null] : test.values.flatMap((value) => keyOf(value, dimension, trustDomains));
  });
  if (!keys.every((key) => key !== null)) return null;
  // Filed once under each text, however many of its values begin so.
  return [...new Map(keys.map((key) => [`${key.how} ${key.text}`, key])).values()];
}

/** Shorter prefixes begin nearly every path. */
const SHORTEST_PREFIX = 3;

function keyOf(value: string, dimension: Dimension, trustDomains: readonly string[]): readonly (Key | null)[] {
  if (dimension === 'path') {
    if (isTemplate(value)) return [prefixKey(new PathTemplate(value).prefix)];
    if (isPrefix(value)) return [prefixKey(value.slice(0, -1))];
  }
  // A host with a port is compared with what the client wrote.
  if (
    !isExact(value) ||
    (dimension === 'source.namespace' && value.includes('*')) ||
    (dimension === 'host' && value.includes(':'))
  )
    return [null];
  if (dimension === 'source.principal') {
    return principalAliases(value, trustDomains).map((each) => ({ text: `spiffe://${each}`, how: 'exact' }));
  }
  return [{ text: dimension === 'host' ? hostPattern(value) : value, how: 'exact' }];
}

function prefixKey(text: string): Key | null {
  return text.length < SHORTEST_PREFIX ? null : { text, how: 'prefix' };
}

/** How many rules could be filed under each text. */
function crowdsOf(filings: readonly (readonly Filing[])[]): ReadonlyMap<string, number> {
  const crowds = new Map<string, number>();
  for (const all of filings) {
    for (const { dimension, keys } of all) {
      for (const { text } of keys) {
        const id = `${dimension} ${text}`;
        crowds.set(id, (crowds.get(id) ?? 0) + 1);
      }
    }
  }
  return crowds;
}

/** The way that shares its texts with the fewest others; null: there is none. */
function leastCrowded(filings: readonly Filing[], crowds: ReadonlyMap<string, number>): Filing | null {
  let best: Filing | null = null;
  let least = Infinity;
  for (const filing of filings) {
    const most = Math.max(...filing.keys.map(({ text }) => crowds.get(`${filing.dimension} ${text}`) as number));
    if (most < least) {
      best = filing;
      least = most;
    }
  }
  return best;
}
