// One finding as editors and terminals know it: `file:line:column: severity: what`.

import type { Finding } from '../../gateway-api/store.ts';
import { printable } from '../ops/escape.ts';

export function findingLine({ severity, code, file, line, column, object, path, message }: Finding): string {
  const place = line > 0 ? `${file}:${line}:${column}` : file;
  const subject = [object, path].filter((part) => part !== '').join(' ');
  return printable(`${place}: ${severity}: ${subject === '' ? '' : `${subject}: `}${message} [${code}]`);
}
