// The names by which clients address enrolled Services on a shared port.

import type { Enrolment } from './enrolment.ts';

export interface AuthorityScope {
  /** Namespace of the Gateway: its Services are known by their bare names too. */
  readonly home: string;
  readonly clusterDomain: string;
  /** Port of the listener: clients that follow DNS alone may name it in place of the Service's. */
  readonly port: number;
}

/** Lower-case `host` and `host:port` -> id of the ServicePlan. */
export function authoritiesOf(services: readonly Enrolment[], scope: AuthorityScope): ReadonlyMap<string, string> {
  const authorities = new Map<string, string>();
  for (const service of services) {
    const main = mainPort(service);
    for (const host of hostsOf(service, scope)) {
      authorities.set(host, main);
      authorities.set(`${host}:${scope.port}`, main);
      for (const { port, id } of service.ports) authorities.set(`${host}:${port}`, id);
    }
  }
  return authorities;
}

function hostsOf({ name, namespace }: Enrolment, { home, clusterDomain }: AuthorityScope): readonly string[] {
  const hosts = [
    `${name}.${namespace}`,
    `${name}.${namespace}.svc`,
    `${name}.${namespace}.svc.${clusterDomain.toLowerCase()}`,
  ];
  if (namespace === home) hosts.push(name);
  return hosts;
}

/** The only port, else 80, else the one named http, else the first. */
function mainPort({ ports }: Enrolment): string {
  const main = ports.find(({ port }) => port === 80) ?? ports.find(({ name }) => name === 'http') ?? ports[0]!;
  return main.id;
}
