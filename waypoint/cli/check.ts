// `waypoint check`: what the API would say of each object, and what is probably not meant, before anything serves.

import type { Statuses } from '../../gateway-api/conditions.ts';
import { FileSource } from '../../gateway-api/files.ts';
import { analyse } from '../../gateway-api/findings.ts';
import type { Finding } from '../../gateway-api/store.ts';
import { translate } from '../../gateway-api/translate.ts';
import { choice, onOff } from '../flag-values.ts';
import { type Flag, parseFlags } from '../flags.ts';
import { readableJson } from '../ops/readable-json.ts';
import { SOURCE_FLAGS, type SourceFlags } from '../source-flags.ts';
import { ENVIRONMENT_FLAGS, type EnvironmentFlags, environmentOf } from './environment.ts';
import { findingLine } from './finding-line.ts';
import { translateWithNames } from './look-up.ts';
import { sarif } from './sarif.ts';
import { statusRows, statusTable } from './status-table.ts';
import { usageErrors } from './usage-errors.ts';

type Format = 'text' | 'json' | 'sarif';

type CheckFlags = Pick<SourceFlags, 'config'> &
  EnvironmentFlags & { readonly format: Flag<Format>; readonly lookUp: Flag<boolean> };

export const CHECK_FLAGS: CheckFlags = {
  format: choice<Format>(['text', 'json', 'sarif'], { help: 'how it is printed', initial: 'text' }),
  config: SOURCE_FLAGS.config,
  lookUp: onOff({ help: 'ask DNS for the names outside that backends are' }),
  ...ENVIRONMENT_FLAGS,
};

interface Checked {
  readonly objects: number;
  readonly findings: readonly Finding[];
  readonly statuses: Statuses;
}

export async function checkCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  // WAYPOINT_CONFIG is what `run` serves; here it is said what is checked.
  const withoutConfig = { ...env, WAYPOINT_CONFIG: undefined };
  const { values, positionals, errors } = parseFlags(CHECK_FLAGS, args, withoutConfig);
  const paths = [...positionals, ...values.config];
  const missing = paths.length === 0 ? ['no file or directory to check is named'] : [];
  if (errors.length + missing.length > 0) return usageErrors('check', [...errors, ...missing]);
  const source = new FileSource(paths, { stateDir: null, onChange: () => {}, log: { warn: () => {} } });
  source.load();
  const { resources, findings } = source.store;
  const environment = environmentOf(values);
  // Without a look-up nothing is said about addresses.
  const translation = values.lookUp
    ? await translateWithNames(resources, environment)
    : translate(resources, environment, null);
  source.close();
  const objects = Object.values(resources).reduce((sum, kind) => sum + kind.size, 0);
  const checked = {
    objects,
    findings: [...findings, ...analyse(resources, translation)],
    statuses: translation.statuses,
  };
  process.stdout.write(PRINTERS[values.format](checked));
  return isFine(checked) ? 0 : 1;
}

const PRINTERS: Readonly<Record<Format, (checked: Checked) => string>> = {
  text: checkText,
  json: ({ findings, statuses }) => readableJson({ findings, statuses }),
  sarif: ({ findings }) => sarif(findings),
};

function isFine({ findings, statuses }: Checked): boolean {
  return !findings.some(({ severity }) => severity === 'error') && !statusRows(statuses).some(({ problem }) => problem);
}

function checkText({ objects, findings, statuses }: Checked): string {
  const parts = [statusTable(statuses), findings.map((finding) => `${findingLine(finding)}\n`).join('')];
  const count = (severity: Finding['severity']) => findings.filter((finding) => finding.severity === severity).length;
  const problems = statusRows(statuses).filter(({ problem }) => problem).length;
  const summary = `${plural(objects, 'object')}: ${plural(problems, 'problem')} in conditions, ${plural(count('error'), 'error')}, ${plural(count('warning'), 'warning')}\n`;
  return [...parts.filter((part) => part !== ''), summary].join('\n');
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
