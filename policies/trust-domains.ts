// Trust domains that mean the same: what a policy says of one of them it says of all.

/** Stands for the domains of this process in policies that were written without knowing them (Istio). */
const HERE = 'cluster.local';

/**
 * `<trust domain>/...` with every domain that means the same. A domain that begins with a star covers those that end
 * like it; where it covers one of ours, the others are meant too.
 */
export function principalAliases(value: string, domains: readonly string[]): readonly string[] {
  const slash = value.indexOf('/');
  if (slash < 1) return [value];
  const domain = value.slice(0, slash);
  if (domain === '*' || !isOurs(domain, domains)) return [value];
  const rest = value.slice(slash);
  const others = domains.filter((each) => !covers(domain, each)).map((each) => `${each}${rest}`);
  // `cluster.local` is only a name for ours where it is none of them.
  return domain === HERE && !domains.includes(HERE) ? others : [value, ...others];
}

/** A trust domain by itself. */
export function domainAliases(value: string, domains: readonly string[]): readonly string[] {
  return value === HERE || domains.includes(value) ? domains : [value];
}

/** Whether the principal's domain, as far as it names one, is one of ours. */
export function isOwnPrincipal(value: string, domains: readonly string[]): boolean {
  const slash = value.indexOf('/');
  return slash < 1 || value.startsWith('*/') || isOurs(value.slice(0, slash), domains);
}

function isOurs(domain: string, domains: readonly string[]): boolean {
  return domain === HERE || domains.some((each) => covers(domain, each));
}

function covers(pattern: string, domain: string): boolean {
  return pattern.startsWith('*') ? domain.endsWith(pattern.slice(1)) : pattern === domain;
}
