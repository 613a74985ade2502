// From resources to what the data plane runs and what the owners of the resources are told: a table of contents.

import type { Snapshot } from '../policies/plan.ts';
import type { Statuses } from './conditions.ts';
import type { Environment } from './environment.ts';
import type { Resources } from './resources.ts';

export type { Environment } from './environment.ts';

export interface Translation {
  readonly snapshot: Snapshot;
  readonly statuses: Statuses;
}

/** Pure. Whatever has the same inputs as in `previous` is the same object as in `previous`. */
export function translate(_resources: Resources, _environment: Environment, previous: Translation | null): Translation {
  if (previous !== null) return previous;
  const snapshot: Snapshot = { binds: new Map(), services: new Map(), tables: new Map(), backends: new Map() };
  return { snapshot, statuses: new Map() };
}
