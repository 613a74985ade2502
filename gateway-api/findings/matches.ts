// Matches that never take a request, because another one that comes first takes all of theirs.

import type { RoutePlanEntry, Snapshot } from '../../policies/plan.ts';
import type { RouteMatch } from '../../routing/condition.ts';
import type { HTTPRoute, Resources } from '../resources.ts';
import { BroadPatterns } from './broad-patterns.ts';
import { matchIdentity } from './match-identity.ts';
import { type FindingReport, type Note, nameOf, placeOf } from './report.ts';

/** One match as written in a route, wherever the route is attached. */
interface Spot {
  readonly entry: RoutePlanEntry;
  readonly ruleIndex: number;
  readonly matchIndex: number;
  readonly match: RouteMatch;
  /** Tables and hostnames under which it could take requests, and how many of them others take from it. */
  places: number;
  readonly losses: Loss[];
}

interface Loss {
  readonly winner: Spot;
  readonly hostname: string | null;
  readonly how: 'same' | 'covered';
}

export function reportMatches(resources: Resources, snapshot: Snapshot, report: FindingReport): void {
  const spots = new Map<string, Spot>();
  for (const table of snapshot.tables.values()) {
    for (const [hostname, group] of byHostname(table.entries.values(), spots)) judge(hostname, group);
  }
  for (const spot of spots.values()) {
    if (spot.losses.length > 0) reportSpot(spot, resources, report);
  }
}

/** Candidates of different hostnames never shadow each other: the more specific hostname comes first. */
function byHostname(entries: Iterable<RoutePlanEntry>, spots: Map<string, Spot>): Map<string | null, Spot[]> {
  const groups = new Map<string | null, Spot[]>();
  for (const entry of entries) {
    const own = spotsOf(entry, spots);
    for (const hostname of entry.hostnames.length === 0 ? [null] : entry.hostnames) {
      const group = groups.get(hostname);
      if (group === undefined) groups.set(hostname, [...own]);
      else for (const spot of own) group.push(spot);
    }
  }
  return groups;
}

function spotsOf(entry: RoutePlanEntry, spots: Map<string, Spot>): Spot[] {
  const own: Spot[] = [];
  for (const [ruleIndex, { matches, plan }] of entry.rules.entries()) {
    for (const [matchIndex, match] of matches.entries()) {
      const id = `${entry.key} ${plan.rule} ${matchIndex}`;
      let spot = spots.get(id);
      if (spot === undefined) {
        spot = { entry, ruleIndex, matchIndex, match, places: 0, losses: [] };
        spots.set(id, spot);
      }
      own.push(spot);
    }
  }
  return own;
}

/** At one path only an equal match can come first and cover all of another; across paths only a pattern can. */
function judge(hostname: string | null, group: readonly Spot[]): void {
  const first = new Map<string, Spot>();
  const patterns = new BroadPatterns<Spot>();
  for (const spot of group) {
    spot.places++;
    const identity = matchIdentity(spot.match);
    const other = first.get(identity);
    if (other === undefined || precedes(spot, other)) first.set(identity, spot);
    patterns.add(spot.match, spot);
  }
  for (const spot of group) {
    const winner = first.get(matchIdentity(spot.match))!;
    if (winner !== spot) {
      spot.losses.push({ winner, hostname, how: 'same' });
      continue;
    }
    const covering = patterns.find(spot.match);
    if (covering !== null && !isSameRule(covering, spot))
      spot.losses.push({ winner: covering, hostname, how: 'covered' });
  }
}

/** The end of the order of candidates, for matches that are equal: older route, name, rule, match. */
function precedes(a: Spot, b: Spot): boolean {
  if (a.entry.createdAt !== b.entry.createdAt) return a.entry.createdAt < b.entry.createdAt;
  const [nameA, nameB] = [`${a.entry.namespace}/${a.entry.name}`, `${b.entry.namespace}/${b.entry.name}`];
  if (nameA !== nameB) return nameA < nameB;
  return a.ruleIndex === b.ruleIndex ? a.matchIndex < b.matchIndex : a.ruleIndex < b.ruleIndex;
}

function isSameRule(a: Spot, b: Spot): boolean {
  return a.entry.key === b.entry.key && a.ruleIndex === b.ruleIndex;
}

function reportSpot(spot: Spot, resources: Resources, report: FindingReport): void {
  const route = routeOf(spot, resources);
  const loss = spot.losses[0]!;
  const winner = routeOf(loss.winner, resources);
  if (route === undefined || winner === undefined) return;
  report.add(route, noteOf(spot, loss, { route, winner }));
}

function noteOf(
  spot: Spot,
  loss: Loss,
  { route, winner }: { readonly route: HTTPRoute; readonly winner: HTTPRoute },
): Note {
  const path = pathOf(spot, route);
  const always = spot.losses.length === spot.places;
  const hosts = [...new Set(spot.losses.map(({ hostname }) => hostname ?? 'any host'))].slice(0, 3).join(', ');
  const where = always ? '' : ` for ${hosts}`;
  const other =
    route === winner
      ? pathOf(loss.winner, winner)
      : `${pathOf(loss.winner, winner)} of ${nameOf(winner)} (${placeOf(winner)})`;
  if (route === winner && loss.winner.ruleIndex === spot.ruleIndex) {
    return { severity: 'info', code: 'repeated_match', path, message: `repeats ${other}: remove one of the two` };
  }
  const severity = always ? 'warning' : 'info';
  if (loss.how === 'covered') {
    const message = `never takes a request${where}: the pattern of ${other} comes first and covers it; narrow that pattern`;
    return { severity, code: 'shadowed_match', path, message };
  }
  if (route === winner) {
    const message = `never takes a request${where}: ${other} is the same and comes first; narrow or remove one`;
    return { severity, code: 'unreachable_match', path, message };
  }
  const why = winner.createdAt === route.createdAt ? 'comes first by name' : 'is older';
  const message = `never takes a request${where}: ${other} is the same and ${why}; narrow this one (header, method, longer path) or remove one`;
  return { severity, code: 'duplicate_match', path, message };
}

function routeOf({ entry }: Spot, resources: Resources): HTTPRoute | undefined {
  return resources.HTTPRoute.get(`${entry.namespace}/${entry.name}`);
}

/** Rules and matches that did not compile are missing in the plan: then the position says less, and the path stays shorter. */
function pathOf(spot: Spot, route: HTTPRoute): string {
  const { rules } = route.spec;
  const planned = spot.entry.rules[spot.ruleIndex]!;
  const isWhole = rules.length === spot.entry.rules.length;
  const index = isWhole
    ? spot.ruleIndex
    : rules.findIndex((rule, at) => (rule.name ?? String(at)) === planned.plan.rule);
  const isEvery = rules[index]?.matches.length === planned.matches.length;
  return `spec.rules[${index}].matches${isEvery ? `[${spot.matchIndex}]` : ''}`;
}
