// HTTPRoute, gateway.networking.k8s.io/v1, experimental channel.
import { parseDuration } from '../../policies/duration.ts';
import { filters } from './http-route-filter.ts';
import { resource } from './metadata.ts';
import * as names from './names.ts';
import { backendReference, parentRefs, weight } from './references.ts';
import { anything, integer, list, object, oneOf, type Rule, type Schema } from './schema.ts';
import { sessionPersistence } from './session-persistence.ts';

const everything = { type: 'PathPrefix', value: '/' };
const literal = "(self.type in ['Exact','PathPrefix']) ?";
const validPath = "^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$";

function mustNotContain(what: string): Rule {
  return {
    message: `must not contain '${what}' when type one of ['Exact', 'PathPrefix']`,
    rule: `${literal} !self.value.contains('${what}') : true`,
  };
}

function mustNotEndWith(what: string): Rule {
  return {
    message: `must not end with '${what}' when type one of ['Exact', 'PathPrefix']`,
    rule: `${literal} !self.value.endsWith('${what}') : true`,
  };
}

const plainCharacters = /^\/(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%(?!2[fF])[0-9a-fA-F]{2})*$/;
const dotSegments = /\/\/|\/\.{1,2}(?:\/|$)/;
const isPlainPath = (value: string): boolean => plainCharacters.test(value) && !dotSegments.test(value);

const path = object(
  {
    type: oneOf(['Exact', 'PathPrefix', 'RegularExpression'], { default: 'PathPrefix' }),
    value: { type: 'string', maxLength: 1024, default: '/' },
  },
  {
    default: everything,
    sure: (self: { type: string; value: string }) => self.type === 'RegularExpression' || isPlainPath(self.value),
    rules: [
      {
        message: "value must be an absolute path and start with '/' when type one of ['Exact', 'PathPrefix']",
        rule: `${literal} self.value.startsWith('/') : true`,
      },
      ...['//', '/./', '/../', '%2f', '%2F', '#'].map(mustNotContain),
      ...['/..', '/.'].map(mustNotEndWith),
      {
        message: "type must be one of ['Exact', 'PathPrefix', 'RegularExpression']",
        rule: "self.type in ['Exact','PathPrefix'] || self.type == 'RegularExpression'",
      },
      {
        message: `must only contain valid characters (matching ${validPath}) for types ['Exact', 'PathPrefix']`,
        rule: `${literal} self.value.matches(r"""${validPath}""") : true`,
      },
    ],
  },
);

function valueMatch(value: Schema): Schema {
  return list(
    object(
      { type: oneOf(['Exact', 'RegularExpression'], { default: 'Exact' }), name: names.headerName, value },
      { required: ['name', 'value'] },
    ),
    { maxItems: 16, listMapKeys: ['name'] },
  );
}

const match = object({
  path,
  headers: valueMatch(names.headerValue),
  queryParams: valueMatch({ type: 'string', minLength: 1, maxLength: 1024 }),
  method: oneOf(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']),
});

const timeouts = object(
  { request: names.duration, backendRequest: names.duration },
  {
    sure: ({ request, backendRequest }: { request?: string; backendRequest?: string }) =>
      request === undefined ||
      backendRequest === undefined ||
      parseDuration(backendRequest)! <= parseDuration(request)!,
    rules: [
      {
        message: 'backendRequest timeout cannot be longer than request timeout',
        rule: "!(has(self.request) && has(self.backendRequest) && duration(self.request) != duration('0s') && duration(self.backendRequest) > duration(self.request))",
      },
    ],
  },
);

const retry = object({
  codes: list(integer(400, 599), { uniqueItems: true }),
  attempts: integer(-(2 ** 31), 2 ** 31 - 1),
  backoff: names.duration,
});

const replacesPrefix = (settings: string): string =>
  `has(f.${settings}) && has(f.${settings}.path) && f.${settings}.path.type == 'ReplacePrefixMatch' && has(f.${settings}.path.replacePrefixMatch)`;
const onePrefix =
  "((size(self.matches) != 1 || !has(self.matches[0].path) || self.matches[0].path.type != 'PathPrefix') ? false : true) : true";

function prefixReplacement(filter: string, settings: string): Rule {
  return {
    message: `When using ${filter} filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified`,
    rule: `(has(self.filters) && self.filters.exists_one(f, ${replacesPrefix(settings)})) ? ${onePrefix}`,
  };
}

function prefixReplacementOfBackend(when: string, settings: string): Rule {
  return {
    message: `Within backendRefs, ${when} filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified`,
    rule: `(has(self.backendRefs) && self.backendRefs.exists_one(b, (has(b.filters) && b.filters.exists_one(f, ${replacesPrefix(settings)})) )) ? ${onePrefix}`,
  };
}

interface PathChange {
  readonly path?: { readonly replacePrefixMatch?: string };
}

interface Filter {
  readonly requestRedirect?: PathChange;
  readonly urlRewrite?: PathChange;
}

interface RouteRule {
  readonly matches: readonly { readonly path: { readonly type: string } }[];
  readonly filters?: readonly Filter[];
  readonly backendRefs?: readonly { readonly filters?: readonly Filter[] }[];
}

const noFilters: readonly Filter[] = [];
const replacesNoPrefix = (filter: Filter): boolean =>
  filter.requestRedirect?.path?.replacePrefixMatch === undefined &&
  filter.urlRewrite?.path?.replacePrefixMatch === undefined;

function filtersAgreeWithMatches(self: RouteRule): boolean {
  const { filters = noFilters, backendRefs = [] } = self;
  if (backendRefs.length > 0 && filters.some((filter) => filter.requestRedirect !== undefined)) return false;
  if (self.matches.length === 1 && self.matches[0]?.path.type === 'PathPrefix') return true;
  return (
    filters.every(replacesNoPrefix) &&
    backendRefs.every((backend) => (backend.filters ?? noFilters).every(replacesNoPrefix))
  );
}

const rule = object(
  {
    name: names.sectionName,
    matches: list(match, { maxItems: 64, default: [{ path: everything }] }),
    filters,
    backendRefs: list(backendReference({ weight, filters }), { maxItems: 16 }),
    timeouts,
    retry,
    sessionPersistence,
  },
  {
    sure: filtersAgreeWithMatches,
    rules: [
      {
        message: 'RequestRedirect filter must not be used together with backendRefs',
        rule: '(has(self.backendRefs) && size(self.backendRefs) > 0) ? (!has(self.filters) || self.filters.all(f, !has(f.requestRedirect))): true',
      },
      prefixReplacement('RequestRedirect', 'requestRedirect'),
      prefixReplacement('URLRewrite', 'urlRewrite'),
      prefixReplacementOfBackend('when using RequestRedirect', 'requestRedirect'),
      prefixReplacementOfBackend('When using URLRewrite', 'urlRewrite'),
    ],
  },
);

const matchesOf = (index: number): string => `(self.size() > ${index} ? self[${index}].matches.size() : 0)`;

const rules = list(rule, {
  minItems: 1,
  maxItems: 16,
  default: [{ matches: [{ path: everything }] }],
  sure: (self: readonly { name?: string; matches: readonly unknown[] }[]) => {
    const named = self.flatMap((each) => (each.name === undefined ? [] : [each.name]));
    return self.every((each) => each.matches.length <= 8) && new Set(named).size === named.length;
  },
  rules: [
    {
      message: 'Rule name must be unique within the route',
      rule: 'self.all(l1, !has(l1.name) || self.exists_one(l2, has(l2.name) && l1.name == l2.name))',
    },
    {
      message:
        'While 16 rules and 64 matches per rule are allowed, the total number of matches across all rules in a route must be less than 128',
      rule: `${Array.from({ length: 16 }, (_, index) => matchesOf(index)).join(' + ')} <= 128`,
    },
  ],
});

export const httpRoute: Schema = resource(
  {
    spec: object({
      parentRefs,
      useDefaultGateways: oneOf(['All', 'None']),
      hostnames: list(names.hostname, { maxItems: 16 }),
      rules,
    }),
    status: anything,
  },
  { name: names.dnsSubdomain, required: ['spec'] },
);
