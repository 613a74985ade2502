// The filters of an HTTPRoute, with the published rules of each.
import * as names from './names.ts';
import { backendReference, localReference } from './references.ts';
import { integer, list, object, oneOf, type Rule, type Schema, text, truth } from './schema.ts';

const header = object({ name: names.headerName, value: names.headerValue }, { required: ['name', 'value'] });
const headers = list(header, { maxItems: 16, listMapKeys: ['name'] });
const headerModifier = object({ set: headers, add: headers, remove: list(text, { maxItems: 16, uniqueItems: true }) });

interface PathModifier {
  readonly type: string;
  readonly replaceFullPath?: string;
  readonly replacePrefixMatch?: string;
}

const pathModifier = object(
  {
    type: oneOf(['ReplaceFullPath', 'ReplacePrefixMatch']),
    replaceFullPath: { type: 'string', maxLength: 1024 },
    replacePrefixMatch: { type: 'string', maxLength: 1024 },
  },
  {
    required: ['type'],
    sure: (self: PathModifier) =>
      (self.type === 'ReplaceFullPath') === (self.replaceFullPath !== undefined) &&
      (self.type === 'ReplacePrefixMatch') === (self.replacePrefixMatch !== undefined),
    rules: [
      {
        message: "replaceFullPath must be specified when type is set to 'ReplaceFullPath'",
        rule: "self.type == 'ReplaceFullPath' ? has(self.replaceFullPath) : true",
      },
      {
        message: "type must be 'ReplaceFullPath' when replaceFullPath is set",
        rule: "has(self.replaceFullPath) ? self.type == 'ReplaceFullPath' : true",
      },
      {
        message: "replacePrefixMatch must be specified when type is set to 'ReplacePrefixMatch'",
        rule: "self.type == 'ReplacePrefixMatch' ? has(self.replacePrefixMatch) : true",
      },
      {
        message: "type must be 'ReplacePrefixMatch' when replacePrefixMatch is set",
        rule: "has(self.replacePrefixMatch) ? self.type == 'ReplacePrefixMatch' : true",
      },
    ],
  },
);

const redirect = object({
  scheme: oneOf(['http', 'https']),
  hostname: names.preciseHostname,
  path: pathModifier,
  port: names.port,
  statusCode: { type: 'integer', enum: [301, 302, 303, 307, 308], default: 302 },
});

const fraction = object(
  { numerator: integer(0, 2 ** 31 - 1), denominator: integer(1, 2 ** 31 - 1, { default: 100 }) },
  {
    required: ['numerator'],
    sure: (self: { numerator: number; denominator: number }) => self.numerator <= self.denominator,
    rules: [
      {
        message: 'numerator must be less than or equal to denominator',
        rule: 'self.numerator <= self.denominator',
      },
    ],
  },
);

const mirror = object(
  { backendRef: backendReference({}), percent: integer(0, 100), fraction },
  {
    required: ['backendRef'],
    sure: (self: { percent?: number; fraction?: unknown }) => self.percent === undefined || self.fraction === undefined,
    rules: [
      {
        message: 'Only one of percent or fraction may be specified in HTTPRequestMirrorFilter',
        rule: '!(has(self.percent) && has(self.fraction))',
      },
    ],
  },
);

function wildcardAlone(items: Schema, maxItems: number, message: string): Schema {
  return list(items, {
    maxItems,
    uniqueItems: true,
    sure: (self: readonly string[]) => self.length <= 1 || !self.includes('*'),
    rules: [{ message, rule: "!('*' in self && self.size() > 1)" }],
  });
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];

const cors = object({
  allowOrigins: wildcardAlone(names.corsOrigin, 64, "AllowOrigins cannot contain '*' alongside other origins"),
  allowCredentials: truth,
  allowMethods: wildcardAlone(oneOf([...methods, '*']), 9, "AllowMethods cannot contain '*' alongside other methods"),
  allowHeaders: wildcardAlone(names.headerName, 64, "AllowHeaders cannot contain '*' alongside other methods"),
  exposeHeaders: list(names.headerName, { maxItems: 64, uniqueItems: true }),
  maxAge: integer(1, 2 ** 31 - 1, { default: 5 }),
});

const headerNames = list(text, { maxItems: 64, uniqueItems: true });

interface ExternalAuth {
  readonly protocol: string;
  readonly grpc?: unknown;
  readonly http?: unknown;
}

const externalAuth = object(
  {
    protocol: oneOf(['HTTP', 'GRPC']),
    backendRef: backendReference({}),
    grpc: object({ allowedHeaders: headerNames }),
    http: object({
      path: {
        type: 'string',
        maxLength: 1024,
        pattern: "^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$",
        description: 'a path prefix of characters that are valid in a URL path',
      },
      allowedHeaders: headerNames,
      allowedResponseHeaders: headerNames,
    }),
    forwardBody: object({ maxSize: integer(0, 2 ** 31 - 1) }),
  },
  {
    required: ['protocol', 'backendRef'],
    sure: (self: ExternalAuth) =>
      (self.protocol === 'GRPC') === (self.grpc !== undefined) &&
      (self.protocol === 'HTTP') === (self.http !== undefined),
    rules: [
      {
        message: "grpc must be specified when protocol is set to 'GRPC'",
        rule: "self.protocol == 'GRPC' ? has(self.grpc) : true",
      },
      { message: "protocol must be 'GRPC' when grpc is set", rule: "has(self.grpc) ? self.protocol == 'GRPC' : true" },
      {
        message: "http must be specified when protocol is set to 'HTTP'",
        rule: "self.protocol == 'HTTP' ? has(self.http) : true",
      },
      { message: "protocol must be 'HTTP' when http is set", rule: "has(self.http) ? self.protocol == 'HTTP' : true" },
    ],
  },
);

/** Filter type → the field that holds its settings, in the order of the published rules. */
const settings: readonly (readonly [type: string, field: string, schema: Schema])[] = [
  ['CORS', 'cors', cors],
  ['RequestHeaderModifier', 'requestHeaderModifier', headerModifier],
  ['ResponseHeaderModifier', 'responseHeaderModifier', headerModifier],
  ['RequestMirror', 'requestMirror', mirror],
  ['RequestRedirect', 'requestRedirect', redirect],
  ['URLRewrite', 'urlRewrite', object({ hostname: names.preciseHostname, path: pathModifier })],
  ['ExternalAuth', 'externalAuth', externalAuth],
  ['ExtensionRef', 'extensionRef', localReference],
];

const fieldOf = new Map(settings.map(([type, field]) => [type, field]));

const filter = object(
  {
    type: oneOf([
      'RequestHeaderModifier',
      'ResponseHeaderModifier',
      'RequestMirror',
      'RequestRedirect',
      'URLRewrite',
      'ExtensionRef',
      'CORS',
      'ExternalAuth',
    ]),
    ...Object.fromEntries(settings.map(([, field, schema]) => [field, schema])),
  },
  {
    required: ['type'],
    sure: (self: { type: string }) => {
      const field = fieldOf.get(self.type);
      return field !== undefined && field in self && Object.keys(self).length === 2;
    },
    rules: settings.flatMap(([type, field]): Rule[] => [
      {
        message: `filter.${field} must be nil if the filter.type is not ${type}`,
        rule: `!(has(self.${field}) && self.type != '${type}')`,
      },
      {
        message: `filter.${field} must be specified for ${type} filter.type`,
        rule: `!(!has(self.${field}) && self.type == '${type}')`,
      },
    ]),
  },
);

const once = ['CORS', 'RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestRedirect', 'URLRewrite'];

function noneRepeated(types: readonly string[]): boolean {
  const distinct = new Set(types);
  return distinct.size === types.length && !(distinct.has('RequestRedirect') && distinct.has('URLRewrite'));
}

export const filters: Schema = list(filter, {
  maxItems: 16,
  sure: (self: readonly { type: string }[]) => self.length <= 1 || noneRepeated(self.map((each) => each.type)),
  rules: [
    {
      message: 'May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both',
      rule: "!(self.exists(f, f.type == 'RequestRedirect') && self.exists(f, f.type == 'URLRewrite'))",
    },
    ...once.map((type) => ({
      message: `${type} filter cannot be repeated`,
      rule: `self.filter(f, f.type == '${type}').size() <= 1`,
    })),
  ],
});
