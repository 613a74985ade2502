// Findings as SARIF 2.1.0, which code hosts show beside the lines they are about.

import { pathToFileURL } from 'node:url';
import type { Finding } from '../../gateway-api/store.ts';
import { VERSION } from '../version.ts';

const LEVELS: Readonly<Record<Finding['severity'], string>> = { error: 'error', warning: 'warning', info: 'note' };

export function sarif(findings: readonly Finding[]): string {
  const codes = [...new Set(findings.map(({ code }) => code))].sort();
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'waypoint',
            version: VERSION,
            rules: codes.map((code) => ({ id: code, shortDescription: { text: code.replaceAll('_', ' ') } })),
          },
        },
        columnKind: 'utf16CodeUnits',
        results: findings.map((finding) => result(finding, codes)),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function result(
  { severity, code, file, line, column, object, path, message }: Finding,
  codes: readonly string[],
): object {
  const subject = [object, path].filter((part) => part !== '').join(' ');
  const region = line > 0 ? { region: { startLine: line, startColumn: Math.max(1, column) } } : {};
  return {
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: LEVELS[severity],
    message: { text: subject === '' ? message : `${subject}: ${message}` },
    locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(file) }, ...region } }],
  };
}

/** Relative paths stay relative: they are those of the repository. */
function uriOf(file: string): string {
  return file.startsWith('/') ? pathToFileURL(file).href : file.split('/').map(encodeURIComponent).join('/');
}
