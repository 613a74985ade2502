// Many rules of many policies, filed under what they ask for, so that a request only meets those that may match it.

import { principalOf } from './access-test.ts';
import type {
  AccessAttribute,
  AccessContext,
  AccessRule,
  AccessTest,
  AccessVerdict,
  AuthorizationPlan,
} from './authorization.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { type Filed, PathIndex } from './path-index.ts';
import { isTemplate, PathTemplate } from './path-template.ts';
import { namespaceOf } from './source-test.ts';
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

/** Everything that may match has one of the texts under which the rule is filed. */
type Dimension = 'path' | 'principal' | 'namespace' | 'method';

interface Key {
  readonly text: string;
  readonly how: 'exact' | 'prefix';
}

interface Filing {
  readonly dimension: Dimension;
  readonly keys: readonly Key[];
}

const DIMENSIONS: Readonly<Record<Dimension, { readonly attribute: AccessAttribute; readonly of: 'to' | 'from' }>> = {
  path: { attribute: 'path', of: 'to' },
  principal: { attribute: 'source.principal', of: 'from' },
  namespace: { attribute: 'source.namespace', of: 'from' },
  method: { attribute: 'method', of: 'to' },
};

/** Below this many rules looking them up costs more than asking them. */
const WORTH_FILING = 4;
const NONE: readonly never[] = [];

type Entries = readonly RuleEntry[];

export class RuleIndex {
  readonly #paths: PathIndex<RuleEntry> | null;
  readonly #principals: ReadonlyMap<string, Entries>;
  readonly #namespaces: ReadonlyMap<string, Entries>;
  readonly #methods: ReadonlyMap<string, Entries>;
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
    this.#principals = byText(filed('principal'));
    this.#namespaces = byText(filed('namespace'));
    this.#methods = byText(filed('method'));
    this.#others = entries.filter((_, at) => chosen[at] === null);
  }

  /** One that matches, null where none does. */
  find(context: AccessContext, path: string): RuleEntry | null {
    if (this.#paths !== null) {
      const found = this.#paths.find(path, matches, context);
      if (found !== null) return found;
    }
    return (
      firstOf(this.#principals, this.#principals.size === 0 ? '' : principalOf(context), context, path) ??
      firstOf(this.#namespaces, this.#namespaces.size === 0 ? '' : namespaceOf(context), context, path) ??
      firstOf(this.#methods, context.head.method, context, path) ??
      first(this.#others, context, path)
    );
  }
}

function matches({ rule }: RuleEntry, context: AccessContext, path: string): boolean {
  return rule.matches(context, path);
}

function first(entries: Entries, context: AccessContext, path: string): RuleEntry | null {
  for (const entry of entries) if (entry.rule.matches(context, path)) return entry;
  return null;
}

function firstOf(
  filed: ReadonlyMap<string, Entries>,
  text: string,
  context: AccessContext,
  path: string,
): RuleEntry | null {
  const entries = filed.size === 0 ? undefined : filed.get(text);
  return entries === undefined ? null : first(entries, context, path);
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
  return (Object.keys(DIMENSIONS) as Dimension[]).flatMap((dimension): Filing[] => {
    const { attribute, of } = DIMENSIONS[dimension];
    const alternatives = [of === 'to' ? to : from, [when]];
    for (const tests of alternatives) {
      const keys = tests.length === 0 ? null : keysOf(tests, attribute, trustDomains);
      if (keys !== null) return [{ dimension, keys }];
    }
    return [];
  });
}

/** null: some alternative may match with other texts too. */
function keysOf(
  alternatives: readonly (readonly AccessTest[])[],
  attribute: AccessAttribute,
  trustDomains: readonly string[],
): readonly Key[] | null {
  const keys = alternatives.flatMap((tests): readonly (Key | null)[] => {
    const test = tests.find((each) => each.attribute === attribute && each.values.length > 0);
    return test === undefined ? [null] : test.values.flatMap((value) => keyOf(value, attribute, trustDomains));
  });
  return keys.every((key) => key !== null) ? keys : null;
}

/** Shorter prefixes begin nearly every path. */
const SHORTEST_PREFIX = 3;

function keyOf(value: string, attribute: AccessAttribute, trustDomains: readonly string[]): readonly (Key | null)[] {
  if (attribute === 'path') {
    if (isTemplate(value)) return [prefixKey(new PathTemplate(value).prefix)];
    if (isPrefix(value)) return [prefixKey(value.slice(0, -1))];
  }
  if (!isExact(value) || (attribute === 'source.namespace' && value.includes('*'))) return [null];
  if (attribute !== 'source.principal') return [{ text: value, how: 'exact' }];
  return principalAliases(value, trustDomains).map((each) => ({ text: `spiffe://${each}`, how: 'exact' }));
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
