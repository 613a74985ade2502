// Hostnames of routes under which no request can arrive, and those that a more specific listener takes away.

import type { BindPlan, ListenerPlan, RoutePlanEntry, Snapshot } from '../../policies/plan.ts';
import { compareHostnames, intersect } from '../../routing/host.ts';
import type { HTTPRoute, Resources } from '../resources.ts';
import type { FindingReport } from './report.ts';

export function reportHostnames(resources: Resources, snapshot: Snapshot, report: FindingReport): void {
  const served = new Map<string, Set<string>>();
  for (const bind of snapshot.binds.values()) {
    for (const listener of bind.listeners) {
      const rivals = bind.listeners.filter((other) => compareHostnames(other.hostname, listener.hostname) < 0);
      for (const entry of snapshot.tables.get(listener.table)?.entries.values() ?? []) {
        collect(served, entry);
        if (rivals.length > 0) reportTaken({ bind, rivals, entry }, { resources, snapshot, report });
      }
    }
  }
  for (const route of resources.HTTPRoute.values()) reportUnserved(route, served, report);
}

interface Rivalry {
  readonly bind: BindPlan;
  /** Listeners of the same port that are asked before the one the route is attached to. */
  readonly rivals: readonly ListenerPlan[];
  readonly entry: RoutePlanEntry;
}

interface Scope {
  readonly resources: Resources;
  readonly snapshot: Snapshot;
  readonly report: FindingReport;
}

function collect(served: Map<string, Set<string>>, { namespace, name, hostnames }: RoutePlanEntry): void {
  const key = `${namespace}/${name}`;
  const all = served.get(key) ?? new Set();
  served.set(key, all);
  for (const hostname of hostnames) all.add(hostname);
}

/** A request belongs to the most specific listener alone (Gateway API, listener isolation). */
function reportTaken({ bind, rivals, entry }: Rivalry, { resources, snapshot, report }: Scope): void {
  const route = resources.HTTPRoute.get(`${entry.namespace}/${entry.name}`);
  if (route === undefined) return;
  for (const hostname of entry.hostnames) {
    const rival = rivals.find(
      (listener) => listener.hostname !== null && intersect(listener.hostname, [hostname])?.[0] === hostname,
    );
    if (rival === undefined || snapshot.tables.get(rival.table)?.entries.has(entry.key)) continue;
    const message = `requests for ${hostname} on port ${bind.port} go to listener "${rival.name}" of Gateway ${rival.gateway} alone, to which this route is not attached: add a parentRef with sectionName ${rival.name}`;
    report.add(route, { severity: 'warning', code: 'hostname_taken', path: pathOf(route, hostname), message });
  }
}

function reportUnserved(route: HTTPRoute, served: ReadonlyMap<string, Set<string>>, report: FindingReport): void {
  const { hostnames = [], parentRefs = [] } = route.spec;
  if (hostnames.length === 0) return;
  if (parentRefs.length > 0 && parentRefs.every((ref) => ref.kind === 'Service')) {
    const message = 'hostnames have no effect on a route of a Service, which is told by its address: remove them';
    report.add(route, { severity: 'info', code: 'hostnames_ignored', path: 'spec.hostnames', message });
    return;
  }
  const alive = served.get(`${route.metadata.namespace}/${route.metadata.name}`);
  if (alive === undefined) return;
  for (const [index, raw] of hostnames.entries()) {
    const hostname = raw.toLowerCase();
    if (alive.has(hostname) || [...alive].some((other) => intersect(hostname, [other]) !== null)) continue;
    const message = `${hostname} fits no listener that the route is attached to, so no request can arrive under it: change it, or the hostname of a listener`;
    report.add(route, {
      severity: 'warning',
      code: 'hostname_never_matches',
      path: `spec.hostnames[${index}]`,
      message,
    });
  }
}

/** '' where the hostname came from the listener. */
function pathOf(route: HTTPRoute, hostname: string): string {
  const index = (route.spec.hostnames ?? []).findIndex((raw) => raw.toLowerCase() === hostname);
  return index === -1 ? '' : `spec.hostnames[${index}]`;
}
