// Values of an AuthorizationPolicy that no request can have, and rules that therefore match nothing.

import type { AccessRule, AccessTest } from '../../policies/authorization.ts';
import { isTemplate } from '../../policies/path-template.ts';
import { normalisePath } from '../../routing/path.ts';
import { coversPattern } from './access-cover.ts';

interface Vain {
  readonly values: readonly { readonly path: string; readonly message: string }[];
  /** The rule as a whole matches nothing. */
  readonly isWhole: boolean;
}

export function vainValues({ from, to, when }: AccessRule): Vain {
  const values: { path: string; message: string }[] = [];
  const isVain = (test: AccessTest, path: string): boolean => {
    const reasons = test.values.map((value) => reasonOf(test, value));
    for (const [index, reason] of reasons.entries()) {
      if (reason !== null) values.push({ path, message: `${test.values[index]} never matches: ${reason}` });
    }
    return test.values.length > 0 && reasons.every((reason) => reason !== null);
  };
  const areVain = (
    alternatives: readonly (readonly AccessTest[])[],
    part: (at: number, test: AccessTest) => string,
  ): boolean => {
    const vain = alternatives.map((tests, at) => tests.map((test) => isVain(test, part(at, test))).includes(true));
    return vain.length > 0 && !vain.includes(false);
  };
  const parts = [
    areVain(from, (at, { name }) => `from[${at}].source.${name}`),
    areVain(to, (at, { name }) => `to[${at}].operation.${name}`),
    when.map((test, at) => isVain(test, `when[${at}].values`)).includes(true),
  ];
  return { values, isWhole: parts.includes(true) };
}

/** null: some request may have the value. */
function reasonOf(test: AccessTest, value: string): string | null {
  const excluded = test.notValues.find((other) => coversPattern(test, other, value));
  if (excluded !== undefined) return `what it matches is excluded by ${excluded}`;
  switch (test.attribute) {
    case 'method':
      return /[a-z]/.test(value) ? 'methods are case-sensitive and in capitals' : null;
    case 'path':
      return pathReason(value);
    case 'host':
      return /[/@?#\s]/.test(value) ? 'a host has no scheme, path or user' : null;
    default:
      return null;
  }
}

function pathReason(value: string): string | null {
  if (/[?#]/.test(value)) return 'paths are compared without query and fragment';
  if (!value.startsWith('/') && !value.startsWith('*')) return 'a path begins with /';
  const literal = value.replace(/^\*|\*$/g, '');
  if (isTemplate(value) || !literal.startsWith('/') || value.endsWith('*')) return null;
  const normal = normalisePath(literal, 'base');
  if (normal === literal) return null;
  return `paths are normalised first${normal === null ? '' : `: write ${normal}`}`;
}
