// Label selectors, and the labels of a namespace that they are asked about.

import type { LabelSelector, ListenerSpec, Namespace } from './resources.ts';

type Labels = Readonly<Record<string, string>>;

function selects(selector: LabelSelector, labels: Labels): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) if (labels[key] !== value) return false;
  return (selector.matchExpressions ?? []).every((requirement) => meets(requirement, labels));
}

type Requirement = NonNullable<LabelSelector['matchExpressions']>[number];

function meets({ key, operator, values = [] }: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key]! : null;
  switch (operator) {
    case 'In':
      return value !== null && values.includes(value);
    case 'NotIn':
      return value === null || !values.includes(value);
    case 'Exists':
      return value !== null;
    case 'DoesNotExist':
      return value === null;
  }
}

/** Kubernetes labels every namespace with its own name, files need not. */
function namespaceLabels(namespaces: ReadonlyMap<string, Namespace>, name: string): Labels {
  return { ...namespaces.get(name)?.metadata.labels, 'kubernetes.io/metadata.name': name };
}

/** Whether a listener of a Gateway in namespace `home` lets routes of `namespace` attach. */
export function admitsNamespace(
  listener: ListenerSpec,
  home: string,
  namespace: string,
  namespaces: ReadonlyMap<string, Namespace>,
): boolean {
  const { from, selector } = listener.allowedRoutes.namespaces;
  switch (from) {
    case 'All':
      return true;
    case 'Same':
      return namespace === home;
    case 'Selector':
      return selector !== undefined && selects(selector, namespaceLabels(namespaces, namespace));
    case 'None':
      return false;
  }
}
