// Reads the spec of an AuthorizationPolicy: what Istio would refuse, and what it would silently ignore, is reported.

import { conditionOf, FIELDS, type Field } from './access-fields.ts';
import type { AccessRule, AccessTest, AuthorizationAction } from './authorization.ts';
import type { DecodeReport } from './policy.ts';
import { quote, SettingsReader } from './settings-reader.ts';

/** What does not depend on other objects. */
export interface DecodedAuthorization {
  readonly action: AuthorizationAction;
  readonly rules: readonly AccessRule[];
  /** Of CUSTOM, as written. */
  readonly provider: string | null;
}

const ACTIONS: readonly AuthorizationAction[] = ['ALLOW', 'DENY', 'AUDIT', 'CUSTOM'];
const SPEC_FIELDS = ['selector', 'targetRef', 'targetRefs', 'mode', 'action', 'provider', 'rules'];

/** `namespace`: of the policy. null after at least one report. */
export function decodeAuthorization(
  spec: unknown,
  path: string,
  namespace: string,
  report: DecodeReport,
): DecodedAuthorization | null {
  const settings = new SettingsReader(spec, path, report, SPEC_FIELDS);
  const written = settings.value('action') ?? 'ALLOW';
  const action = ACTIONS.find((each) => each === written);
  if (action === undefined) settings.refuse('action', `${quote(written)} is no action: write ${ACTIONS.join(', ')}`);
  const provider = providerOf(settings, action ?? 'ALLOW', report);
  const rules: AccessRule[] = [];
  for (const [index, raw] of (settings.list('rules') ?? []).entries()) {
    const rule = decodeRule(raw, `${settings.at('rules')}[${index}]`, { namespace, report });
    if (rule !== null) rules.push(rule);
    else settings.sound = false;
  }
  return settings.sound && action !== undefined ? { action, rules, provider } : null;
}

function providerOf(settings: SettingsReader, action: AuthorizationAction, report: DecodeReport): string | null {
  const raw = settings.value('provider');
  if (action !== 'CUSTOM') {
    if (raw !== undefined) settings.refuse('provider', `goes with action CUSTOM only, not with ${action}`);
    return null;
  }
  if (raw === undefined) {
    settings.refuse('provider', 'is missing: action CUSTOM asks the extension provider that it names');
    return null;
  }
  const provider = new SettingsReader(raw, settings.at('provider'), report, ['name']);
  const name = provider.value('name');
  const isName = typeof name === 'string' && name !== '';
  if (!isName) provider.refuse('name', 'must name an extension provider');
  if (!provider.sound) settings.sound = false;
  return isName ? name : null;
}

interface Scope {
  readonly namespace: string;
  readonly report: DecodeReport;
}

function decodeRule(raw: unknown, path: string, scope: Scope): AccessRule | null {
  const settings = new SettingsReader(raw, path, scope.report, ['from', 'to', 'when']);
  const from = decodeAlternatives(settings, 'from', scope);
  const to = decodeAlternatives(settings, 'to', scope);
  const when: AccessTest[] = [];
  for (const [index, condition] of (settings.list('when') ?? []).entries()) {
    const test = decodeCondition(condition, `${settings.at('when')}[${index}]`, scope);
    if (test !== null) when.push(test);
    else settings.sound = false;
  }
  return settings.sound ? { from, to, when } : null;
}

const WRAPPERS = { from: 'source', to: 'operation' } as const;

/** `from[].source` or `to[].operation`: each the tests of one alternative. */
function decodeAlternatives(settings: SettingsReader, part: 'from' | 'to', scope: Scope): readonly AccessTest[][] {
  const wrapper = WRAPPERS[part];
  const items = settings.list(part);
  if (items?.length === 0) settings.refuse(part, `is empty: leave it out, or list at least one ${wrapper}`);
  const alternatives: AccessTest[][] = [];
  for (const [index, item] of (items ?? []).entries()) {
    const outer = new SettingsReader(item, `${settings.at(part)}[${index}]`, scope.report, [wrapper]);
    outer.mandatory(wrapper);
    const tests = outer.has(wrapper) ? decodeFields(outer.value(wrapper), outer.at(wrapper), part, scope) : null;
    if (outer.sound && tests !== null) alternatives.push(tests);
    else settings.sound = false;
  }
  return alternatives;
}

function decodeFields(raw: unknown, path: string, part: 'from' | 'to', scope: Scope): AccessTest[] | null {
  const fields = FIELDS[part];
  const names = fields.flatMap(({ name }) => [name, negated(name)]);
  const settings = new SettingsReader(raw, path, scope.report, names);
  if (!names.some((name) => settings.has(name)))
    settings.refuse('', `is empty: set at least one of ${names.join(', ')}`);
  const tests = fields.flatMap((field): AccessTest[] => {
    const values = valuesOf(settings, field.name, field, scope);
    const notValues = valuesOf(settings, negated(field.name), field, scope);
    const { name, attribute } = field;
    return values.length + notValues.length === 0 ? [] : [{ attribute, name, key: [], values, notValues }];
  });
  if (part === 'from' && tests.some(isOf('source.serviceAccount')) && tests.some(isIdentity)) {
    settings.refuse('serviceAccounts', 'does not go with principals or namespaces: a service account names its own');
  }
  return settings.sound ? tests : null;
}

function isOf(attribute: AccessTest['attribute']): (test: AccessTest) => boolean {
  return (test) => test.attribute === attribute;
}

function isIdentity({ attribute }: AccessTest): boolean {
  return attribute === 'source.principal' || attribute === 'source.namespace';
}

/** `notPrincipals`. */
function negated(name: string): string {
  return `not${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

/** Every value must make sense; an empty list is a slip that would open or close everything. */
function valuesOf(settings: SettingsReader, name: string, field: Field, scope: Scope): readonly string[] {
  const list = settings.list(name);
  if (list?.length === 0) settings.refuse(name, 'is empty: leave it out, or list at least one value');
  return (list ?? []).flatMap((value, index) => {
    const at = `${name}[${index}]`;
    if (typeof value !== 'string') settings.refuse(at, `${quote(value)} is no text: put it in quotes`);
    else if (value === '') settings.refuse(at, 'must not be empty');
    else {
      const problem = field.problem(value);
      if (problem === null) return [field.canonical(value, scope.namespace)];
      settings.refuse(at, problem);
    }
    return [];
  });
}

function decodeCondition(raw: unknown, path: string, scope: Scope): AccessTest | null {
  const settings = new SettingsReader(raw, path, scope.report, ['key', 'values', 'notValues']);
  settings.mandatory('key');
  const key = settings.value('key');
  if (key === undefined) return null;
  const found = conditionOf(key);
  if (typeof found === 'string') {
    settings.refuse('key', found);
    return null;
  }
  if (!settings.has('values') && !settings.has('notValues')) settings.refuse('', 'needs values or notValues');
  const values = valuesOf(settings, 'values', found.field, scope);
  const notValues = valuesOf(settings, 'notValues', found.field, scope);
  const { attribute } = found.field;
  return settings.sound ? { attribute, name: String(key), key: found.key, values, notValues } : null;
}
