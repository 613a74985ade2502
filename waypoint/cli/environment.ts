// What the commands that read resources and serve nothing know of the process that would serve them.

import { CredentialsDirectory } from '../../gateway-api/credentials/directory.ts';
import { DEFAULT_ENVIRONMENT, type Environment } from '../../gateway-api/environment.ts';
import { KeptPorts } from '../../gateway-api/kept-ports.ts';
import type { PortAllocation } from '../../gateway-api/service-ports.ts';
import type { CredentialPlan } from '../../policies/plan.ts';
import type { Flag } from '../flags.ts';
import { IDENTITY_FLAGS } from '../identity-flags.ts';
import { REDIRECT_FLAGS, type RedirectFlags, STATE_DIR } from '../redirect-flags.ts';
import { SOURCE_FLAGS, type SourceFlags } from '../source-flags.ts';

const { bind, gateway, clusterDomain } = SOURCE_FLAGS;
const { trustDomain, trustDomainAliases, credentials, allowExternalName } = IDENTITY_FLAGS;

export type EnvironmentFlags = Pick<SourceFlags, 'bind' | 'gateway' | 'clusterDomain'> &
  Pick<typeof IDENTITY_FLAGS, 'trustDomain' | 'trustDomainAliases' | 'credentials' | 'allowExternalName'> &
  Pick<RedirectFlags, 'servicePorts'> & { readonly stateDir: Flag<string | null> };

/** The flags of `run` that what resources mean depends on. */
export const ENVIRONMENT_FLAGS: EnvironmentFlags = {
  ...{ bind, gateway, clusterDomain },
  ...{ trustDomain, trustDomainAliases, credentials, allowExternalName },
  servicePorts: REDIRECT_FLAGS.servicePorts,
  stateDir: STATE_DIR,
};

type Values = { readonly [K in keyof EnvironmentFlags]: EnvironmentFlags[K] extends Flag<infer T> ? T : never };

/** Of the certificates those in the directory: whoever looks at resources is not the workload that an agent would know. */
export function environmentOf(values: Values): Environment {
  return {
    ...DEFAULT_ENVIRONMENT,
    ...{ gateway: values.gateway, clusterDomain: values.clusterDomain, bindAddress: values.bind, now: Date.now() },
    trustDomains: [values.trustDomain, ...values.trustDomainAliases],
    credentials: credentialsIn(values.credentials),
    allowExternalName: values.allowExternalName,
    servicePorts: values.servicePorts && { ...values.servicePorts, kept: keptIn(values.stateDir) },
  };
}

/** What a waypoint that serves the same resources allocated. */
function keptIn(stateDir: string | null): PortAllocation {
  const ports = new KeptPorts(stateDir, (message) => void process.stderr.write(`${message}\n`));
  ports.load();
  return ports.current;
}

function credentialsIn(directory: string | null): ReadonlyMap<string, CredentialPlan> {
  if (directory === null) return new Map();
  const warn = (message: string): void => void process.stderr.write(`${message}\n`);
  const source = new CredentialsDirectory(directory, { onChange: () => {}, log: { warn, info: () => {} } });
  source.load();
  source.close();
  return source.credentials;
}
