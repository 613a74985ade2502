// TrafficPolicy, waypoint.dev/v1alpha1. What is not written stays unset here: it is left to the policies of other levels.
import { resource } from './metadata.ts';
import * as names from './names.ts';
import { policyStatus, targetRefs } from './policy.ts';
import { integer, list, number, object, oneOf, type Schema } from './schema.ts';
import {
  circuitBreaker,
  connections,
  healthCheck,
  loadBalancing,
  outlierDetection,
} from './traffic-policy-endpoints.ts';
import { duration, period } from './traffic-policy-parts.ts';
import { rateLimit } from './traffic-policy-rate-limit.ts';

const method: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 64,
  pattern: '^[A-Z][A-Z0-9_-]*$',
  description: 'the name of a method in capitals, such as GET',
};

const conditions = [
  'connect-failure',
  'refused-stream',
  'reset-before-response',
  'reset',
  'gateway-error',
  '5xx',
  'retriable-4xx',
  'per-try-timeout',
];

const retry = object(
  {
    attempts: integer(0, 100, { doc: 'Retries after the first try; 0: none.' }),
    on: list(oneOf(conditions), { maxItems: 16, uniqueItems: true, doc: 'Failures that are tried again.' }),
    codes: list(integer(400, 599), { maxItems: 64, uniqueItems: true, doc: 'Statuses that are tried again.' }),
    methods: list(method, {
      maxItems: 16,
      uniqueItems: true,
      doc: 'Requests that may have been acted on are only tried again with these methods; the idempotent ones where absent.',
    }),
    perTryTimeout: duration('How long each try may take; 0s: no limit of its own.'),
    hedgeAfter: duration('When a second try starts beside one that has not answered; 0s: never.'),
    backoff: duration('The least time between two tries.'),
  },
  { doc: 'Tries again what failed. The retry stanza of a route comes before it, field by field.' },
);

const share: Schema = number(0, 100, { doc: 'Of the requests, in percent.' });

const fault = object(
  {
    delay: object(
      { duration: period('How long a request waits.'), percent: share },
      { required: ['duration', 'percent'], doc: 'Lets requests wait.' },
    ),
    abort: object(
      { httpStatus: integer(200, 599, { doc: 'What is answered instead.' }), percent: share },
      { required: ['httpStatus', 'percent'], doc: 'Answers requests without forwarding them.' },
    ),
  },
  { doc: 'Makes requests fail on purpose.' },
);

const sections = {
  loadBalancing,
  connections,
  circuitBreaker,
  outlierDetection,
  healthCheck,
  retry,
  rateLimit,
  fault,
};
const anySection = Object.keys(sections)
  .map((name) => `has(self.${name})`)
  .join(' || ');

export const trafficPolicy: Schema = resource(
  {
    spec: object(
      {
        targetRefs,
        mode: oneOf(['Enforce', 'Shadow'], {
          default: 'Enforce',
          doc: 'Shadow: decides, counts and logs what would have happened, and changes nothing.',
        }),
        ...sections,
      },
      {
        required: ['targetRefs'],
        sure: (self: object) => Object.keys(sections).some((name) => name in self),
        rules: [{ message: `at least one of ${Object.keys(sections).join(', ')} must be set`, rule: anySection }],
      },
    ),
    status: policyStatus,
  },
  { name: names.dnsSubdomain, required: ['spec'] },
);
