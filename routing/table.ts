// Which candidate takes a request: an immutable index of routes by hostname and path, edited by sharing what stays.

import { Bucket, BucketEdit } from './bucket.ts';
import type { Candidate, RouteEntry } from './candidate.ts';
import { candidatesOf } from './candidate.ts';
import type { Mismatch } from './conditions.ts';
import { hostMatches, isWildcard } from './host.ts';
import { editMap } from './patched-map.ts';
import { compareCandidates } from './precedence.ts';
import { Probe } from './probe.ts';
import type { RequestHead } from './request.ts';

export type { Candidate, RouteEntry };

export interface Explanation<P> {
  readonly candidate: Candidate<P>;
  /** Why it does not take the request; null: it would, where none before it does. */
  readonly mismatch: Mismatch | null;
}

/** Key of the bucket of the candidates for any host: no hostname is empty. */
const ANY = '';

/** Buckets by hostname (wildcards by their suffix, `.example.com`). */
type Buckets<P> = ReadonlyMap<string, Bucket<P>>;

/** Reused: a look-up is synchronous and leaves nothing behind. */
const probe = new Probe();

export class RouteTable<P> {
  private readonly entries: ReadonlyMap<string, RouteEntry<P>>;
  private readonly exact: Buckets<P>;
  private readonly wildcards: Buckets<P>;
  private readonly any: Bucket<P> | null;
  /** Labels of the deepest wildcard: further to the left no label is worth a look. */
  private readonly depth: number;

  private constructor(
    entries: ReadonlyMap<string, RouteEntry<P>>,
    exact: Buckets<P>,
    wildcards: Buckets<P>,
    before: RouteTable<P> | null,
  ) {
    this.entries = entries;
    this.exact = exact;
    this.wildcards = wildcards;
    this.any = exact.get(ANY) ?? null;
    this.depth = before?.wildcards === wildcards ? before.depth : depthOf(wildcards);
  }

  static empty<P>(): RouteTable<P> {
    return new RouteTable<P>(new Map(), new Map(), new Map(), null);
  }

  /** The table with these routes in place of those of the same key and without the removed ones; itself when that changes nothing. */
  with(upserts: Iterable<RouteEntry<P>>, removals: Iterable<string>): RouteTable<P> {
    const wanted = new Map<string, RouteEntry<P> | undefined>();
    for (const key of removals) wanted.set(key, undefined);
    for (const entry of upserts) wanted.set(entry.key, entry);
    const edits = new TableEdit<P>();
    for (const [key, entry] of wanted) edits.replace(this.entries.get(key), entry);
    const entries = editMap(this.entries, wanted);
    if (edits.hosts.size === 0 && entries.size === this.entries.size) return this;
    return new RouteTable(entries, edits.apply(this.exact, isExact), edits.apply(this.wildcards, isWildcard), this);
  }

  /** null: 404. */
  find(head: RequestHead): Candidate<P> | null {
    probe.aim(head);
    try {
      return this.search(probe);
    } finally {
      probe.release();
    }
  }

  /** Whether some route here is for this host, whatever else it asks of the request. */
  names(host: string): boolean {
    if (this.any !== null || (host !== ANY && this.exact.has(host))) return true;
    if (this.depth === 0) return false;
    for (const suffix of this.wildcards.keys()) if (host.length > suffix.length && host.endsWith(suffix)) return true;
    return false;
  }

  /** Every candidate in order of precedence; the first without a mismatch is the one that `find` returns. */
  *explain(head: RequestHead): Generator<Explanation<P>> {
    const own = new Probe();
    own.aim(head);
    const all = [...this.exact.values(), ...this.wildcards.values()].flatMap((bucket) => [...bucket.all()]);
    for (const candidate of all.sort(compareCandidates)) {
      const { hostname, conditions } = candidate;
      const mismatch: Mismatch | null =
        hostname === null || hostMatches(hostname, head.host)
          ? conditions.mismatch(own)
          : { which: 'hostname', name: null, wanted: hostname, got: head.host };
      yield { candidate, mismatch };
    }
  }

  /** Exact host, then its wildcards from the longest, then any: the less specific where the more specific has no match. */
  private search(probe: Probe): Candidate<P> | null {
    const { host } = probe;
    if (host !== ANY && this.exact.size > 0) {
      const found = this.exact.get(host)?.find(probe) ?? null;
      if (found !== null) return found;
    }
    if (this.depth > 0) {
      const found = this.searchWildcards(probe);
      if (found !== null) return found;
    }
    return this.any === null ? null : this.any.find(probe);
  }

  private searchWildcards(probe: Probe): Candidate<P> | null {
    const { host } = probe;
    let dot = host.length;
    for (let label = 0; label < this.depth; label += 1) {
      const left = dot === 0 ? -1 : host.lastIndexOf('.', dot - 1);
      // A suffix needs at least one character before it.
      if (left <= 0) break;
      dot = left;
    }
    while (dot !== -1 && dot < host.length) {
      const found = this.wildcards.get(host.slice(dot))?.find(probe) ?? null;
      if (found !== null) return found;
      dot = host.indexOf('.', dot + 1);
    }
    return null;
  }
}

function depthOf(wildcards: Buckets<unknown>): number {
  let depth = 0;
  for (const suffix of wildcards.keys()) depth = Math.max(depth, suffix.split('.').length - 1);
  return depth;
}

function isExact(hostname: string): boolean {
  return !isWildcard(hostname);
}

/** What one call of `with` changes, gathered by bucket, so that each bucket and each path in it is rebuilt once. */
class TableEdit<P> {
  readonly hosts: Map<string, BucketEdit<P>> = new Map();
  private readonly removed = new Set<RouteEntry<P>>();

  replace(before: RouteEntry<P> | undefined, after: RouteEntry<P> | undefined): void {
    if (before === after) return;
    if (before !== undefined) this.remove(before);
    if (after === undefined) return;
    for (const candidate of candidatesOf(after)) this.host(candidate.hostname ?? ANY).add(candidate);
  }

  apply(buckets: Buckets<P>, mine: (hostname: string) => boolean): Buckets<P> {
    const edited = new Map<string, Bucket<P> | undefined>();
    for (const [hostname, edit] of this.hosts) {
      if (!mine(hostname)) continue;
      const key = isWildcard(hostname) ? hostname.slice(1) : hostname;
      edited.set(key, (buckets.get(key) ?? Bucket.empty<P>()).edit(edit, this.removed) ?? undefined);
    }
    return editMap(buckets, edited);
  }

  private remove(entry: RouteEntry<P>): void {
    this.removed.add(entry);
    for (const hostname of entry.hostnames.length === 0 ? [ANY] : entry.hostnames) {
      const host = this.host(hostname);
      for (const rule of entry.rules) for (const match of rule.matches) host.remove(match);
    }
  }

  private host(hostname: string): BucketEdit<P> {
    let edit = this.hosts.get(hostname);
    if (edit === undefined) {
      edit = new BucketEdit();
      this.hosts.set(hostname, edit);
    }
    return edit;
  }
}
