// Every golden/<case>.in.yaml must translate to its golden/<case>.out.yaml; UPDATE_GOLDEN=1 rewrites what differs.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { DEFAULT_ENVIRONMENT } from '../gateway-api/environment.ts';
import { NO_PORTS, type PortRange } from '../gateway-api/service-ports.ts';
import { type Finding, Store } from '../gateway-api/store.ts';
import { type Environment, translate } from '../gateway-api/translate.ts';
import { GoldenCertificates, NOW } from './golden/certificates.ts';
import { render } from './golden/render.ts';

const FOLDER = new URL('golden/', import.meta.url);
const IN = '.in.yaml';
/** A first line of a case: how the process was started, where that is not the usual way. */
const HEADER = /^# environment: (.*)$/m;

describe('golden translations', () => {
  const cases = readdirSync(FOLDER).filter((file) => file.endsWith(IN));
  for (const file of cases) {
    const name = file.slice(0, -IN.length);
    it(name, () => {
      const text = readFileSync(new URL(file, FOLDER), 'utf8');
      const certificates = new GoldenCertificates(text);
      const store = new Store();
      store.apply(file, certificates.fill(text));
      const environment = environmentOf(text, certificates);
      const actual = findingLines(store.findings) + render(translate(store.resources, environment, null));
      const out = new URL(`${name}.out.yaml`, FOLDER);
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(out, actual);
      assert.equal(actual, readFileSync(out, 'utf8'));
    });
  }
});

/** Nothing where the input is valid. */
function findingLines(findings: readonly Finding[]): string {
  if (findings.length === 0) return '';
  return stringify(
    { findings: findings.map(({ line, object, path, message }) => `${line} ${object} ${path}: ${message}`) },
    { lineWidth: 0 },
  );
}

type Read = 'addresses' | 'bindErrors' | 'credentials' | 'localAddresses' | 'servicePorts';

interface Header extends Partial<Omit<Environment, Read>> {
  readonly addresses?: Readonly<Record<string, readonly string[]>>;
  readonly bindErrors?: Readonly<Record<string, string>>;
  readonly localAddresses?: readonly string[];
  readonly servicePorts?: PortRange;
  readonly credentials?: Parameters<GoldenCertificates['credentials']>[0];
}

function environmentOf(text: string, certificates: GoldenCertificates): Environment {
  const {
    addresses = {},
    bindErrors = {},
    credentials = {},
    localAddresses,
    servicePorts,
    ...rest
  } = parse(HEADER.exec(text)?.[1] ?? '{}') as Header;
  return {
    ...DEFAULT_ENVIRONMENT,
    now: NOW,
    ...rest,
    addresses: new Map(Object.entries(addresses)),
    bindErrors: new Map(Object.entries(bindErrors)),
    localAddresses: localAddresses === undefined ? null : new Set(localAddresses),
    servicePorts: servicePorts === undefined ? null : { ...servicePorts, kept: NO_PORTS },
    credentials: certificates.credentials(credentials),
  };
}
