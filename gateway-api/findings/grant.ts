// The ReferenceGrant that would permit a reference, as one line that can be saved as it is.

import { GATEWAY_GROUP } from '../environment.ts';
import type { HTTPRoute } from '../resources.ts';

interface Reference {
  readonly group?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name: string;
}

/** YAML in flow style; null where `path` leads to no backendRef. */
export function grantFor(route: HTTPRoute, path: string): string | null {
  const ref = read(route, path) as Reference | undefined;
  if (ref?.namespace === undefined) return null;
  const from = `{group: ${GATEWAY_GROUP}, kind: HTTPRoute, namespace: ${route.metadata.namespace}}`;
  const metadata = `{name: ${route.metadata.namespace}-to-${ref.name}, namespace: ${ref.namespace}}`;
  const { group = '', kind = 'Service' } = ref;
  const to = `{group: ${group === '' ? '""' : group}, kind: ${kind}, name: ${ref.name}}`;
  return `{apiVersion: ${GATEWAY_GROUP}/v1, kind: ReferenceGrant, metadata: ${metadata}, spec: {from: [${from}], to: [${to}]}}`;
}

function read(root: unknown, path: string): unknown {
  let at = root;
  for (const step of path.match(/[^.[\]]+/g) ?? []) at = (at as Readonly<Record<string, unknown>> | undefined)?.[step];
  return at;
}
