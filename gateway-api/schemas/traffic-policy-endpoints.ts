// The parts of a TrafficPolicy that are about the endpoints of a Service.
import { parseDuration } from '../../policies/duration.ts';
import * as names from './names.ts';
import { integer, list, number, object, oneOf, type Schema, text } from './schema.ts';
import { count, duration, exactlyOne, hasOne, limit, only, period } from './traffic-policy-parts.ts';

const keys = ['header', 'cookie', 'query', 'sourceIP'];

const consistentHash = object(
  {
    header: { ...names.headerName, doc: 'The value of this header.' },
    cookie: object(
      {
        name: { ...names.headerName, doc: 'Name of the cookie.' },
        ttl: duration('How long a cookie lives that is generated where a client sent none; absent or 0s: none is.'),
        path: { ...text, maxLength: 1024, doc: 'Path of a generated cookie, / where absent.' },
      },
      { required: ['name'], doc: 'The value of this cookie.' },
    ),
    query: { ...text, minLength: 1, maxLength: 1024, doc: 'The value of this query parameter.' },
    sourceIP: only("The client's address."),
  },
  {
    doc: 'What requests are told apart by; equal ones go to the same endpoint while it is there.',
    sure: hasOne(keys),
    rules: [exactlyOne(keys)],
  },
);

const slowStart = object(
  {
    window: period('How long a new endpoint is spared.'),
    minWeightPercent: number(0, 100, { doc: 'Its weight in the beginning, 10 where absent.' }),
    aggression: number(1, 100, { doc: 'How fast its weight grows at first: 1, where absent, is linear.' }),
  },
  { required: ['window'], doc: 'Spares endpoints that are new.' },
);

export const loadBalancing: Schema = object(
  {
    algorithm: oneOf(['PeakEWMA', 'LeastRequest', 'RoundRobin', 'Random', 'ConsistentHash'], {
      doc: 'PeakEWMA where absent; ConsistentHash where consistentHash is set.',
    }),
    consistentHash,
    slowStart,
    locality: oneOf(['PreferZone', 'Strict', 'Any'], { doc: 'Whether endpoints of the own zone come first.' }),
  },
  {
    doc: 'How an endpoint is chosen.',
    sure: (self: { algorithm?: string; consistentHash?: unknown }) =>
      self.algorithm !== 'ConsistentHash' || self.consistentHash !== undefined,
    rules: [
      {
        message: 'algorithm ConsistentHash needs consistentHash: what requests are told apart by',
        rule: "!has(self.algorithm) || self.algorithm != 'ConsistentHash' || has(self.consistentHash)",
      },
    ],
  },
);

export const connections: Schema = object(
  {
    connectTimeout: period('How long opening a connection may take.'),
    idleTimeout: duration('After how much silence an idle connection is closed; 0s: never.'),
    maxRequestsPerConnection: count('After how many requests a connection is closed; 0: never.'),
    maxAge: duration('Age at which a connection takes no further request; 0s: none.'),
    proxyProtocol: oneOf(['V1', 'V2'], {
      doc: 'Announces the client by a PROXY protocol header, on a connection of its own for each of its connections.',
    }),
  },
  { doc: 'Connections to the endpoints.' },
);

export const circuitBreaker: Schema = object(
  {
    maxConnections: limit('Open connections, 1024 where absent.'),
    maxPendingRequests: count('Requests that wait for a connection, 1024 where absent.'),
    maxRequests: limit('Requests under way, 1024 where absent.'),
    maxRetries: count('Retries under way, 3 where absent.'),
  },
  { doc: 'Limits towards one port of the Service, of all workers together; what exceeds them is answered 503.' },
);

const successRate = object(
  {
    minHosts: limit('Endpoints with enough requests that there must be, 5 where absent.'),
    minRequests: limit('Requests in an interval that make an endpoint count, 100 where absent.'),
    stdevFactor: number(0, 100, { doc: 'How many standard deviations below the mean is too few, 1.9 where absent.' }),
  },
  { doc: 'Also ejects endpoints that fail far more often than the others; absent: it does not.' },
);

const percent = (doc: string): Schema => number(0, 100, { doc });
const second = 1000;

interface Outlier {
  readonly baseEjectionTime?: string;
  readonly maxEjectionTime?: string;
}

const ejection = (field: string, fallback: string): string =>
  `(has(self.${field}) ? duration(self.${field}) : duration('${fallback}'))`;

export const outlierDetection: Schema = object(
  {
    consecutive5xx: count('Failures in a row, 5 where absent; 0: not looked at.'),
    consecutiveLocalOriginFailures: count('Likewise of connections: refused, reset, timed out; 5 where absent.'),
    interval: period('How often ejected endpoints are looked at, 10s where absent.'),
    baseEjectionTime: period('How long the first ejection lasts, 30s where absent; each further one longer.'),
    maxEjectionTime: period('No ejection lasts longer, 300s where absent.'),
    maxEjectionPercent: percent('Share of the endpoints that may be ejected, 10 where absent; one may always be.'),
    panicThresholdPercent: percent('Below this share of healthy endpoints all are used, 50 where absent.'),
    successRate,
  },
  {
    doc: 'Ejects endpoints that fail, for a while.',
    sure: ({ baseEjectionTime = '30s', maxEjectionTime = '300s' }: Outlier) =>
      parseDuration(baseEjectionTime)! <= parseDuration(maxEjectionTime)!,
    rules: [
      {
        message: 'maxEjectionTime (300s where absent) must not be shorter than baseEjectionTime (30s where absent)',
        rule: `${ejection('baseEjectionTime', '30s')} <= ${ejection('maxEjectionTime', '300s')}`,
      },
    ],
  },
);

const http = object(
  {
    path: {
      ...text,
      minLength: 1,
      maxLength: 1024,
      pattern: '^/[!"$-;=?-~]*$',
      description: 'a path such as /healthz',
    },
    expectedStatuses: list(integer(200, 599), {
      minItems: 1,
      maxItems: 16,
      uniqueItems: true,
      doc: 'What a healthy endpoint answers, 200 where absent.',
    }),
  },
  { required: ['path'], doc: 'GET of a path.' },
);

interface HealthCheck {
  readonly interval?: string;
  readonly timeout?: string;
}

const time = (field: string, fallback: string): string =>
  `(has(self.${field}) ? duration(self.${field}) : duration('${fallback}'))`;

export const healthCheck: Schema = object(
  {
    http,
    tcp: object({}, { doc: 'A connection that opens.' }),
    interval: period('Between two checks of an endpoint, 5s where absent.'),
    timeout: period('How long one check may take, 1s where absent; not longer than the interval.'),
    unhealthyThreshold: limit('Failures in a row that take an endpoint out, 3 where absent.'),
    healthyThreshold: limit('Successes in a row that bring it back, 2 where absent.'),
  },
  {
    doc: 'Asks endpoints whether they are well.',
    sure: (self: HealthCheck) =>
      hasOne(['http', 'tcp'])(self) &&
      (self.interval === undefined ? 5 * second : parseDuration(self.interval)!) >=
        (self.timeout === undefined ? second : parseDuration(self.timeout)!),
    rules: [
      exactlyOne(['http', 'tcp']),
      {
        message: 'timeout (1s where absent) must not be longer than interval (5s where absent)',
        rule: `${time('timeout', '1s')} <= ${time('interval', '5s')}`,
      },
    ],
  },
);
