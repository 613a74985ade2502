// One HTTPRoute: the tables it enters and with what, the backends it needs, its status, and what all of that was read from.

import type { RoutePlanEntry, RulePlan } from '../policies/plan.ts';
import { type Attachment, type AttachScope, attachmentsOf, type Reads } from './attach.ts';
import type { HTTPRouteStatus } from './conditions.ts';
import type { Grants } from './references.ts';
import type { HTTPRoute } from './resources.ts';
import { reuse } from './reuse.ts';
import { areAllRefused, parentStatus } from './route-status.ts';
import { type TranslatedRule, translateRule } from './translate-rule.ts';
import { trimmed } from './trimmed.ts';

export interface RouteScope extends AttachScope {
  readonly grants: Grants;
}

export interface TableEntry {
  readonly table: string;
  readonly entry: RoutePlanEntry;
  /** The listener that counts it as attached; null: none does. */
  readonly listener: string | null;
}

/** The outcome for one route; stays valid while the route and everything in `reads` is unchanged. */
export interface RouteState {
  readonly route: HTTPRoute;
  /** `Kind key` of all that was asked for, found or not. */
  readonly reads: readonly string[];
  /** By table. */
  readonly entries: readonly TableEntry[];
  /** Backends that its entries lead to, each once. */
  readonly backends: readonly string[];
  /** null: no parent of it is ours. */
  readonly status: HTTPRouteStatus | null;
}

const NONE: readonly never[] = [];

export function translateRoute(route: HTTPRoute, scope: RouteScope, previous: RouteState | undefined): RouteState {
  const reads: Reads = new Set();
  const attachments = attachmentsOf(route, scope, reads);
  if (attachments.length === 0) return { route, reads: [...reads], entries: NONE, backends: NONE, status: null };
  const rules = new RulesByReach(route, scope, reads);
  const entries = reuse(previous?.entries, entriesOf(route, attachments, rules, previous));
  const status = reuse(previous?.status ?? undefined, statusOf(route, attachments, rules));
  const backends = reuse(previous?.backends, backendsOf(entries));
  // Last: rules are translated, and read, when they are first asked for.
  return { route, reads: reuse(previous?.reads, [...reads]), entries, backends, status };
}

interface Rules {
  readonly translated: readonly TranslatedRule[];
  readonly plans: readonly RulePlan[];
}

/** A route's rules are the same at each of its parents, but for namespaces that only some of them make reachable. */
class RulesByReach {
  readonly #route: HTTPRoute;
  readonly #scope: RouteScope;
  readonly #reads: Reads;
  readonly #known = new Map<string | null, Rules>();

  constructor(route: HTTPRoute, scope: RouteScope, reads: Reads) {
    this.#route = route;
    this.#scope = scope;
    this.#reads = reads;
  }

  of({ serviceNamespace }: Attachment): Rules {
    const reachable = serviceNamespace === this.#route.metadata.namespace ? null : serviceNamespace;
    const known = this.#known.get(reachable);
    if (known !== undefined) return known;
    const rules = this.#translate(reachable);
    this.#known.set(reachable, rules);
    return rules;
  }

  #translate(reachable: string | null): Rules {
    const { resources, grants } = this.#scope;
    const requester = { namespace: this.#route.metadata.namespace, reachable };
    const scope = { resources, grants, route: this.#route, requester, reads: this.#reads };
    const translated = this.#route.spec.rules.map((rule, index) => translateRule(rule, index, scope));
    return { translated, plans: trimmed(translated.map(({ rule }) => rule).filter((rule) => rule !== null)) };
  }
}

function statusOf(route: HTTPRoute, attachments: readonly Attachment[], rules: RulesByReach): HTTPRouteStatus {
  const { namespace, name, generation } = route.metadata;
  const parents = attachments.map((attachment) =>
    parentStatus(attachment, rules.of(attachment).translated, generation),
  );
  return { kind: 'HTTPRoute', key: `${namespace}/${name}`, parents };
}

/** A route that enters a table through two parentRefs is in it once. */
function entriesOf(
  route: HTTPRoute,
  attachments: readonly Attachment[],
  rules: RulesByReach,
  previous: RouteState | undefined,
): readonly TableEntry[] {
  const before = new Map(previous?.entries.map(({ table, entry }) => [table, entry]));
  const byTable = new Map<string, TableEntry>();
  let last: RoutePlanEntry | null = null;
  for (const attachment of attachments) {
    if (attachment.places.length === 0) continue;
    const { translated, plans } = rules.of(attachment);
    const isCounted = !areAllRefused(translated);
    for (const { table, hostnames, listener } of attachment.places) {
      if (byTable.has(table)) continue;
      const entry: RoutePlanEntry =
        last?.rules === plans && isSame(last.hostnames, hostnames) ? last : planEntry(route, hostnames, plans);
      last = entry;
      byTable.set(table, { table, entry: reuse(before.get(table), entry), listener: isCounted ? listener : null });
    }
  }
  return byTable.size === 0 ? NONE : [...byTable.values()];
}

function planEntry(route: HTTPRoute, hostnames: readonly string[], rules: readonly RulePlan[]): RoutePlanEntry {
  const { namespace, name } = route.metadata;
  const key = `HTTPRoute/${namespace}/${name}`;
  return { key, kind: 'HTTPRoute', namespace, name, createdAt: route.createdAt, hostnames, rules };
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((value, index) => value === b[index]));
}

function backendsOf(entries: readonly TableEntry[]): readonly string[] {
  const backends = new Set<string>();
  for (const { entry } of new Set(entries)) {
    for (const { plan } of entry.rules) {
      for (const { backend } of plan.mirrors) if (backend !== null) backends.add(backend);
      for (const share of plan.backends) {
        if (share.backend !== null) backends.add(share.backend);
        for (const { backend } of share.mirrors) if (backend !== null) backends.add(backend);
      }
    }
  }
  return backends.size === 0 ? NONE : [...backends];
}
