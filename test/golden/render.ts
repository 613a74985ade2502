// A translation as reviewable YAML: sorted, without what is empty, conditions on one line each.

import { stringify } from 'yaml';
import type { Condition, ObjectStatus } from '../../gateway-api/conditions.ts';
import type { Translation } from '../../gateway-api/translate.ts';
import type { Origin } from '../../policies/traffic.ts';
import { publicSnapshot } from '../../waypoint/ops/public-snapshot.ts';

export function render({ snapshot, statuses }: Translation): string {
  const outcome = { statuses: sorted(statuses, statusOf), ...(prune(publicSnapshot(snapshot)) as object) };
  return stringify(outcome, { lineWidth: 0, aliasDuplicateObjects: false, collectionStyle: 'any' });
}

function statusOf(status: ObjectStatus): unknown {
  switch (status.kind) {
    case 'GatewayClass':
      return { conditions: lines(status.conditions), supportedFeatures: status.supportedFeatures.length };
    case 'Gateway':
      return {
        conditions: lines(status.conditions),
        addresses: status.addresses.map(({ type, value }) => `${type} ${value}`),
        listeners: status.listeners.map(({ conditions, supportedKinds, ...listener }) => ({
          ...listener,
          supportedKinds: supportedKinds.map(({ kind }) => kind),
          conditions: lines(conditions),
        })),
      };
    case 'HTTPRoute':
      return status.parents.map(({ parentRef, conditions }) => ({ parentRef, conditions: lines(conditions) }));
    case 'TrafficPolicy':
    case 'XBackendTrafficPolicy':
    case 'AuthorizationPolicy':
    case 'RequestAuthentication':
    case 'BackendTLSPolicy':
    case 'XBackend':
      return status.ancestors.map(({ ancestorRef, conditions }) => ({ ancestorRef, conditions: lines(conditions) }));
    case 'Service':
      return lines(status.conditions);
  }
}

function lines(conditions: readonly Condition[]): string[] {
  return conditions.map(
    ({ type, status, reason, message, observedGeneration }) =>
      `${type}=${status} ${reason} @${observedGeneration}: ${message}`,
  );
}

function sorted<V>(map: ReadonlyMap<string, V>, each: (value: V) => unknown): Record<string, unknown> {
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [key, each(value)]));
}

/** Maps become sorted objects; null, empty lists and empty objects say nothing and are left out, but for a table's entries. */
function prune(value: unknown): unknown {
  if (value instanceof Map) return sorted(value, prune);
  if (Array.isArray(value)) return value.map(prune);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([key, field]) => [key, fieldOf(key, field)] as const);
  return Object.fromEntries(fields.filter(([key, field]) => key === 'entries' || !isEmpty(field)));
}

function fieldOf(key: string, value: unknown): unknown {
  if (key === 'createdAt') return date(value as number);
  // Those of policies; CORS has others.
  return key === 'origins' && Array.isArray(value) ? (value as readonly Origin[]).map(line) : prune(value);
}

function line({ field, from, level, mode, value }: Origin): string {
  return `${mode === 'Shadow' ? 'Shadow ' : ''}${field}: ${value} (${from}, ${level})`;
}

/** Objects without a creation time get an arbitrary number in reading order. */
function date(createdAt: number): string | null {
  return createdAt > 0 ? new Date(createdAt).toISOString() : null;
}

function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}
