// Path prefixes by their elements: a look-up goes as deep as prefixes exist, whatever the length of the path.

import type { Candidate, RouteEntry } from './candidate.ts';
import type { Group } from './group.ts';
import { editGroup, firstAccepted } from './group.ts';
import { compareWithinPath } from './precedence.ts';
import type { Probe } from './probe.ts';

export interface PrefixNode<P> {
  /** Those whose prefix ends here. */
  readonly group: Group<P>;
  readonly children: ReadonlyMap<string, PrefixNode<P>>;
  /** Length of the longest key of `children`: a longer element is not even hashed. */
  readonly longest: number;
}

interface PrefixEdit<P> {
  readonly elements: readonly string[];
  readonly added: readonly Candidate<P>[];
}

/**
 * The tree after the edits, which say what is added at which prefix (an empty list: something there is removed). Only
 * nodes on the way to an edited prefix are made anew; null: nothing is left.
 */
export function editTree<P>(
  root: PrefixNode<P> | null,
  edits: ReadonlyMap<string, readonly Candidate<P>[]>,
  removed: ReadonlySet<RouteEntry<P>>,
): PrefixNode<P> | null {
  const list: PrefixEdit<P>[] = [];
  for (const [prefix, added] of edits) list.push({ elements: elementsOf(prefix), added });
  return editNode(root, list, 0, removed);
}

function elementsOf(prefix: string): readonly string[] {
  return prefix === '/' ? [] : prefix.slice(1).split('/');
}

function editNode<P>(
  node: PrefixNode<P> | null,
  edits: readonly PrefixEdit<P>[],
  depth: number,
  removed: ReadonlySet<RouteEntry<P>>,
): PrefixNode<P> | null {
  let group: Group<P> = node === null ? [] : node.group;
  const below = new Map<string, PrefixEdit<P>[]>();
  for (const edit of edits) {
    const element = edit.elements[depth];
    if (element === undefined) group = editGroup(group, removed, edit.added, compareWithinPath);
    else {
      const list = below.get(element);
      if (list === undefined) below.set(element, [edit]);
      else list.push(edit);
    }
  }
  let children: ReadonlyMap<string, PrefixNode<P>> = node === null ? NO_CHILDREN : node.children;
  let longest = node === null ? 0 : node.longest;
  if (below.size > 0) {
    const edited = new Map<string, PrefixNode<P>>(children);
    longest = editChildren(edited, below, depth + 1, removed);
    children = edited.size === 0 ? NO_CHILDREN : edited;
  }
  return group.length === 0 && children.size === 0 ? null : { group, children, longest };
}

/** Most nodes are leaves; they share this one. */
const NO_CHILDREN: ReadonlyMap<string, never> = new Map<string, never>();

/** Edits the fresh copy in place; returns the length of its longest key. */
function editChildren<P>(
  children: Map<string, PrefixNode<P>>,
  edits: ReadonlyMap<string, PrefixEdit<P>[]>,
  depth: number,
  removed: ReadonlySet<RouteEntry<P>>,
): number {
  for (const [element, list] of edits) {
    const child = editNode(children.get(element) ?? null, list, depth, removed);
    if (child === null) children.delete(element);
    else children.set(element, child);
  }
  let longest = 0;
  for (const element of children.keys()) longest = Math.max(longest, element.length);
  return longest;
}

/** The first candidate of the longest prefix that has one. `slash` is the '/' behind the elements of the node, or the end. */
export function findPrefix<P>(node: PrefixNode<P>, probe: Probe, slash: number): Candidate<P> | null {
  const { path } = probe;
  if (slash < path.length && node.children.size > 0) {
    const next = path.indexOf('/', slash + 1);
    const end = next === -1 ? path.length : next;
    if (end - slash - 1 <= node.longest) {
      const child = node.children.get(path.slice(slash + 1, end));
      if (child !== undefined) {
        const found = findPrefix(child, probe, end);
        if (found !== null) return found;
      }
    }
  }
  return firstAccepted(node.group, probe);
}

export function* allPrefixes<P>(node: PrefixNode<P>): Generator<Candidate<P>> {
  yield* node.group;
  for (const child of node.children.values()) yield* allPrefixes(child);
}
