// The candidates of one hostname, indexed by path: exact paths, then patterns, then prefixes.

import type { Candidate, RouteEntry } from './candidate.ts';
import type { RouteMatch } from './condition.ts';
import { pathValue } from './conditions.ts';
import type { Group } from './group.ts';
import { editGroup, firstAccepted } from './group.ts';
import { compareCandidates, compareWithinPath } from './precedence.ts';
import type { PrefixNode } from './prefix-tree.ts';
import { allPrefixes, editTree, findPrefix } from './prefix-tree.ts';
import type { Probe } from './probe.ts';

/** What changes in one bucket: for each path that is touched the candidates added there, perhaps none. */
export class BucketEdit<P> {
  readonly exact: Map<string, Candidate<P>[]> = new Map();
  readonly prefixes: Map<string, Candidate<P>[]> = new Map();
  readonly patterns: Candidate<P>[] = [];
  patternsTouched = false;

  remove(match: RouteMatch): void {
    if (match.path.type === 'RegularExpression') this.patternsTouched = true;
    else this.at(match);
  }

  add(candidate: Candidate<P>): void {
    if (candidate.match.path.type === 'RegularExpression') {
      this.patternsTouched = true;
      this.patterns.push(candidate);
    } else this.at(candidate.match).push(candidate);
  }

  private at(match: RouteMatch): Candidate<P>[] {
    const paths = match.path.type === 'Exact' ? this.exact : this.prefixes;
    const value = pathValue(match.path);
    let added = paths.get(value);
    if (added === undefined) {
      added = [];
      paths.set(value, added);
    }
    return added;
  }
}

/** Immutable; an edit shares the groups it does not touch. */
export class Bucket<P> {
  private readonly exact: ReadonlyMap<string, Group<P>>;
  /** Length of the longest exact path: a longer one is not even hashed. */
  private readonly longest: number;
  private readonly patterns: Group<P>;
  private readonly prefixes: PrefixNode<P> | null;

  private constructor(exact: ReadonlyMap<string, Group<P>>, patterns: Group<P>, prefixes: PrefixNode<P> | null) {
    this.exact = exact;
    this.patterns = patterns;
    this.prefixes = prefixes;
    let longest = -1;
    for (const path of exact.keys()) longest = Math.max(longest, path.length);
    this.longest = longest;
  }

  static empty<P>(): Bucket<P> {
    return new Bucket<P>(new Map(), [], null);
  }

  /** null: nothing is left. */
  edit(edit: BucketEdit<P>, removed: ReadonlySet<RouteEntry<P>>): Bucket<P> | null {
    const exact = edit.exact.size === 0 ? this.exact : editExact(this.exact, edit.exact, removed);
    const patterns = edit.patternsTouched
      ? editGroup(this.patterns, removed, edit.patterns, compareCandidates)
      : this.patterns;
    const prefixes = edit.prefixes.size === 0 ? this.prefixes : editTree(this.prefixes, edit.prefixes, removed);
    if (exact.size === 0 && patterns.length === 0 && prefixes === null) return null;
    return new Bucket(exact, patterns, prefixes);
  }

  find(probe: Probe): Candidate<P> | null {
    const { path } = probe;
    if (path.length <= this.longest) {
      const group = this.exact.get(path);
      const found = group === undefined ? null : firstAccepted(group, probe);
      if (found !== null) return found;
    }
    const { patterns } = this;
    for (let at = 0; at < patterns.length; at += 1) {
      const { conditions } = patterns[at]!;
      // The pattern last: it is what costs.
      if (conditions.accepts(probe) && conditions.acceptsPath(path)) return patterns[at]!;
    }
    if (this.prefixes === null || path.charCodeAt(0) !== 47) return null;
    return findPrefix(this.prefixes, probe, 0);
  }

  *all(): Generator<Candidate<P>> {
    for (const group of this.exact.values()) yield* group;
    yield* this.patterns;
    if (this.prefixes !== null) yield* allPrefixes(this.prefixes);
  }
}

function editExact<P>(
  paths: ReadonlyMap<string, Group<P>>,
  edits: ReadonlyMap<string, readonly Candidate<P>[]>,
  removed: ReadonlySet<RouteEntry<P>>,
): ReadonlyMap<string, Group<P>> {
  const edited = new Map(paths);
  for (const [path, added] of edits) {
    const group = editGroup(edited.get(path) ?? [], removed, added, compareWithinPath);
    if (group.length === 0) edited.delete(path);
    else edited.set(path, group);
  }
  return edited;
}
