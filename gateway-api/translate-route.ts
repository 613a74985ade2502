// One HTTPRoute: the tables it enters and with what, the backends it needs, its status, and what all of that was read from.

import type { RoutePlan, RoutePlanEntry, RulePlan } from '../policies/plan.ts';
import { type Attachment, type AttachScope, attachmentsOf, type Reads } from './attach.ts';
import { limitServices } from './called-services.ts';
import type { HTTPRouteStatus } from './conditions.ts';
import type { Destinations } from './destinations.ts';
import { isTarget } from './policies/layers.ts';
import type { Frontend } from './policies/request-policy.ts';
import type { PolicyIndex } from './policies/targets.ts';
import type { Grants } from './references.ts';
import type { HTTPRoute } from './resources.ts';
import { reuse } from './reuse.ts';
import { areAllRefused, parentStatus } from './route-status.ts';
import { type TranslatedRule, translateRule } from './translate-rule.ts';
import { trimmed } from './trimmed.ts';

export interface RouteScope extends AttachScope {
  readonly grants: Grants;
  readonly policies: PolicyIndex;
  readonly destinations: Destinations;
}

export interface TableEntry {
  readonly table: string;
  readonly entry: RoutePlanEntry;
  /** The listener that counts it as attached; null: none does. */
  readonly listener: string | null;
  /** The Gateway through which its requests come. */
  readonly gateway: string;
}

/** The outcome for one route; stays valid while the route and everything in `reads` is unchanged. */
export interface RouteState {
  readonly route: HTTPRoute;
  /** `Kind key` of all that was asked for, found or not. */
  readonly reads: readonly string[];
  /** By table. */
  readonly entries: readonly TableEntry[];
  /** Backends that its entries lead to, and through which Gateway (`backend@gateway`), each once. */
  readonly backends: readonly string[];
  /** null: no parent of it is ours. */
  readonly status: HTTPRouteStatus | null;
}

const NONE: readonly never[] = [];
/** Of a parent that refused the route. */
const NOWHERE: Frontend = { gateway: '', parent: null };

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

/** A route's rules are the same at each of its parents, but for what only some of them make reachable, or have policies for. */
class RulesByReach {
  readonly #route: HTTPRoute;
  readonly #scope: RouteScope;
  readonly #reads: Reads;
  readonly #known = new Map<string, Rules>();
  #last: Rules | undefined;

  constructor(route: HTTPRoute, scope: RouteScope, reads: Reads) {
    this.#route = route;
    this.#scope = scope;
    this.#reads = reads;
  }

  /** `frontend`: of one of the attachment's places, where it has any. */
  of({ serviceNamespace }: Attachment, frontend: Frontend): Rules {
    const reachable = serviceNamespace === this.#route.metadata.namespace ? null : serviceNamespace;
    const key = `${reachable} ${this.#identity(frontend)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    // Equal ones are one object, so that tables share their entries.
    const rules = reuse(this.#last, this.#translate(reachable, frontend));
    this.#last = rules;
    this.#known.set(key, rules);
    return rules;
  }

  /** What of the frontend makes a difference to policies. */
  #identity({ gateway, parent }: Frontend): string {
    const { policies } = this.#scope;
    this.#reads.add(`Policy Gateway ${gateway}`);
    const through = isTarget(policies, `Gateway ${gateway}`) ? gateway : '';
    if (parent === null) return `${through} Gateway`;
    this.#reads.add(`Policy Service ${parent.service}`);
    return `${through} Service ${isTarget(policies, `Service ${parent.service}`) ? `${parent.service} ${parent.port}` : ''}`;
  }

  #translate(reachable: string | null, frontend: Frontend): Rules {
    const requester = { namespace: this.#route.metadata.namespace, reachable };
    const scope = { ...this.#scope, route: this.#route, requester, frontend, reads: this.#reads };
    const translated = this.#route.spec.rules.map((rule, index) => translateRule(rule, index, scope));
    return { translated, plans: trimmed(translated.map(({ rule }) => rule).filter((rule) => rule !== null)) };
  }
}

function statusOf(route: HTTPRoute, attachments: readonly Attachment[], rules: RulesByReach): HTTPRouteStatus {
  const { namespace, name, generation } = route.metadata;
  const parents = attachments.map((attachment) =>
    parentStatus(attachment, rules.of(attachment, attachment.places[0]?.frontend ?? NOWHERE).translated, generation),
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
    for (const { table, hostnames, listener, frontend } of attachment.places) {
      if (byTable.has(table)) continue;
      const { translated, plans } = rules.of(attachment, frontend);
      const isCounted = !areAllRefused(translated);
      const entry: RoutePlanEntry =
        last?.rules === plans && isSame(last.hostnames, hostnames) ? last : planEntry(route, hostnames, plans);
      last = entry;
      byTable.set(table, {
        table,
        entry: reuse(before.get(table), entry),
        listener: isCounted ? listener : null,
        gateway: frontend.gateway,
      });
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

type Calling = Pick<RoutePlan, 'filters' | 'mirrors' | 'policy'>;

/** Backends that a request goes to beside the one it is forwarded to: copies, and services that are asked about it. */
function* called({ filters, mirrors, policy }: Calling): Iterable<string | null> {
  for (const { backend } of mirrors) yield backend;
  for (const filter of filters) if (filter.kind === 'ExternalAuth') yield filter.plan.backend;
  yield* limitServices(policy);
}

function backendsOf(entries: readonly TableEntry[]): readonly string[] {
  const backends = new Set<string>();
  const add = (backend: string | null, gateway: string): void => {
    if (backend !== null) backends.add(backend).add(`${backend}@${gateway}`);
  };
  for (const { entry, gateway } of entries) {
    for (const { plan } of entry.rules) {
      for (const backend of called(plan)) add(backend, gateway);
      for (const share of plan.backends) {
        add(share.backend, gateway);
        for (const backend of called(share)) add(backend, gateway);
      }
    }
  }
  return backends.size === 0 ? NONE : [...backends];
}
