// Pods that collect metrics, as the flag of `waypoint lockdown` names them.

import type { Scrape } from '../../../gateway-api/network-policies.ts';

const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL = /^(?:[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const VALUE = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** `monitoring/app=prometheus:9090`; several labels are joined by `+`. undefined: malformed. */
export function parseScrape(text: string): Scrape | undefined {
  const slash = text.indexOf('/');
  const colon = text.lastIndexOf(':');
  const namespace = text.slice(0, Math.max(0, slash));
  const digits = text.slice(colon + 1);
  if (!NAME.test(namespace) || colon < slash || !/^[1-9]\d{0,4}$/.test(digits) || Number(digits) > 65_535) return;
  const pairs = text
    .slice(slash + 1, colon)
    .split('+')
    .map((pair) => pair.split('='));
  const areLabels = pairs.every(
    ([name = '', value = '', ...more]) => LABEL.test(name) && VALUE.test(value) && more.length === 0,
  );
  return areLabels ? { namespace, labels: Object.fromEntries(pairs), port: Number(digits) } : undefined;
}
