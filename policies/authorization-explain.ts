// Why an AuthorizationPolicy matches a request or not, in words: each rule with the first condition that failed.

import { hasParameters, withoutParameters } from '../routing/path-parameters.ts';
import { type CompileScope, compileTest } from './access-test.ts';
import type {
  AccessContext,
  AccessRule,
  AccessTest,
  AuthorizationPlan,
  PolicyExplanation,
  RuleExplanation,
} from './authorization.ts';
import { accountOf, addressOf, namespaceOf } from './source-test.ts';
import { claimOf } from './token-test.ts';

export function explainPolicy(
  plan: AuthorizationPlan,
  context: AccessContext,
  trustDomains: readonly string[],
): PolicyExplanation {
  const { policy, action, shadow, failure } = plan;
  if (failure !== null) return { policy, action, shadow, failure, matches: true, rules: [] };
  const scope = { action, trustDomains };
  const rules = plan.rules.map((rule, index) => ({ rule: String(index), ...explainRule(rule, context, scope) }));
  return { policy, action, shadow, failure, matches: rules.some(({ matches }) => matches), rules };
}

type Explained = Omit<RuleExplanation, 'rule'>;

/** Of a path with parameters both readings count: an ALLOW rule must match both to be of use, any other rule one. */
function explainRule(rule: AccessRule, context: AccessContext, scope: CompileScope): Explained {
  const { path } = context.head;
  const whole = explainView(rule, { context, path, scope });
  const isSettled = scope.action === 'ALLOW' ? !whole.matches : whole.matches;
  if (isSettled || !hasParameters(path)) return whole;
  return explainView(rule, { context, path: withoutParameters(path), scope });
}

interface View {
  readonly context: AccessContext;
  readonly path: string;
  readonly scope: CompileScope;
}

function explainView({ from, to, when }: AccessRule, view: View): Explained {
  const held: string[] = [];
  const parts: readonly (readonly [name: string, alternatives: readonly (readonly AccessTest[])[]])[] = [
    ['to', to],
    ['from', from],
    ['when', when.map((_, index) => when.slice(index, index + 1))],
  ];
  for (const [name, alternatives] of parts) {
    const explained = alternatives.map((tests) => explainAll(tests, view));
    const failed = explained.filter(({ matches }) => !matches);
    const isMet = name === 'when' ? failed.length === 0 : alternatives.length === 0 || failed.length < explained.length;
    if (!isMet) return { matches: false, why: failed.map(({ why }) => why).join('; or ') };
    held.push(...explained.filter(({ matches }) => matches).map(({ why }) => why));
  }
  const why = [...new Set(held)].join('; ');
  return { matches: true, why: why === '' ? 'it matches every request' : why };
}

function explainAll(tests: readonly AccessTest[], view: View): Explained {
  const held: string[] = [];
  for (const test of tests) {
    const why = `${test.name}: ${seen(test, view)}`;
    if (test.values.length > 0 && !holds({ ...test, notValues: [] }, view)) {
      return { matches: false, why: `${why} is ${isSingle(test.values) ? 'not' : 'none of'} ${list(test.values)}` };
    }
    if (!holds(test, view)) {
      const among = isSingle(test.notValues) ? '' : ' among';
      return { matches: false, why: `${why} is${among} the excluded ${list(test.notValues)}` };
    }
    const [named, values] = test.values.length > 0 ? ['', test.values] : ['not ', test.notValues];
    held.push(`${why} is ${named}${isSingle(values) ? '' : 'one of '}${list(values)}`);
  }
  return { matches: true, why: held.join(', ') };
}

function holds(test: AccessTest, { context, path, scope }: View): boolean {
  return compileTest(test, scope).holds(context, path);
}

function isSingle(values: readonly string[]): boolean {
  return values.length === 1;
}

const MOST = 5;

function list(values: readonly string[]): string {
  const shown = values.slice(0, MOST).join(', ');
  return values.length > MOST ? `${shown} or ${values.length - MOST} more` : shown;
}

/** What the request has there. */
function seen(test: AccessTest, { context, path }: View): string {
  const { head, peer, token, destinationPort } = context;
  switch (test.attribute) {
    case 'host':
      return head.authority || 'no host';
    case 'method':
      return head.method;
    case 'path':
      return path;
    case 'destination.port':
      return String(destinationPort);
    case 'connection.sni':
      return peer.serverName ?? 'no server name';
    case 'source.ip':
    case 'remote.ip':
    case 'destination.ip':
      return addressOf(context, test.attribute);
    case 'source.namespace':
      return namespaceOf(context) || 'no namespace';
    case 'source.principal':
      return peer.identity?.uri.replace('spiffe://', '') ?? NOBODY;
    case 'source.trustDomain':
      return peer.identity?.trustDomain ?? NOBODY;
    case 'source.serviceAccount':
      return accountOf(context) || (peer.identity?.uri ?? NOBODY);
    case 'request.headers':
      return texts(head.fields.values(test.key[0] as string), 'no such header');
    case 'request.auth.principal':
      return token === null ? NO_TOKEN : token.principal || 'a token without subject';
    case 'request.auth.presenter':
      return token === null ? NO_TOKEN : token.presenter || 'a token without azp';
    case 'request.auth.audiences':
      return token === null ? NO_TOKEN : texts(token.audiences, 'a token without audience');
    case 'request.auth.claims':
      return token === null ? NO_TOKEN : claimText(claimOf(token, test.key));
  }
}

const NOBODY = 'a client without identity';
const NO_TOKEN = 'a request without token';

function texts(values: readonly string[], none: string): string {
  return values.length === 0 ? none : values.map((value) => JSON.stringify(value)).join(', ');
}

function claimText(claim: unknown): string {
  return claim === undefined ? 'a token without this claim' : JSON.stringify(claim);
}
