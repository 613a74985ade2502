// Statuses of objects as a table for people: one line per condition, problems first.

import type { Condition, ObjectStatus, Statuses } from '../../gateway-api/conditions.ts';
import { table } from './table.ts';

/** One condition of one object, or of a part of it. */
interface StatusRow {
  /** `Gateway shop/shop listener services`, `HTTPRoute shop/orders via Service orders`. */
  readonly object: string;
  readonly condition: Condition;
  readonly problem: boolean;
}

/** Conditions that are good news when they are False; every other is good news when it is True. */
const BAD_WHEN_TRUE: ReadonlySet<string> = new Set(['Conflicted', 'OverlappingTLSConfig', 'PartiallyInvalid']);

export function statusRows(statuses: Statuses): readonly StatusRow[] {
  const rows = [...statuses.values()].flatMap((status) =>
    parts(status).flatMap(({ name, conditions }) =>
      conditions.map((condition) => ({ object: name, condition, problem: isProblem(condition) })),
    ),
  );
  return rows.sort((a, b) => Number(b.problem) - Number(a.problem));
}

/** Ends with a line break; '' when there is nothing to say. */
export function statusTable(statuses: Statuses): string {
  const rows = statusRows(statuses).map(({ object, condition, problem }) => [
    problem ? '!' : '',
    object,
    condition.type,
    condition.status,
    condition.reason,
    condition.message,
  ]);
  return rows.length === 0 ? '' : table(['', 'OBJECT', 'CONDITION', 'STATUS', 'REASON', 'MESSAGE'], rows);
}

function isProblem({ type, status }: Condition): boolean {
  return status !== (BAD_WHEN_TRUE.has(type) ? 'False' : 'True');
}

function parts(status: ObjectStatus): { name: string; conditions: readonly Condition[] }[] {
  const name = `${status.kind} ${status.key}`;
  switch (status.kind) {
    case 'GatewayClass':
    case 'Service':
      return [{ name, conditions: status.conditions }];
    case 'Gateway':
      return [
        { name, conditions: status.conditions },
        ...status.listeners.map((listener) => ({
          name: `${name} listener ${listener.name}`,
          conditions: listener.conditions,
        })),
      ];
    case 'TrafficPolicy':
    case 'XBackendTrafficPolicy':
    case 'AuthorizationPolicy':
    case 'RequestAuthentication':
    case 'BackendTLSPolicy':
    case 'XBackend':
      return status.ancestors.map(({ ancestorRef, conditions }) => ({
        name: `${name} on ${parentName(ancestorRef)}`,
        conditions,
      }));
    case 'HTTPRoute':
      return status.parents.map(({ parentRef, conditions }) => ({
        name: `${name} via ${parentName(parentRef)}`,
        conditions,
      }));
  }
}

function parentName(parent: {
  readonly kind?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly sectionName?: string;
  readonly port?: number;
}): string {
  const namespace = parent.namespace ? `${parent.namespace}/` : '';
  const section = parent.sectionName === undefined ? '' : `, section ${parent.sectionName}`;
  const port = parent.port === undefined ? '' : `, port ${parent.port}`;
  return `${parent.kind ?? 'Gateway'} ${namespace}${parent.name}${section}${port}`;
}
