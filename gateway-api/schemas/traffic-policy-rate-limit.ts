// The rateLimit section of a TrafficPolicy.
import * as names from './names.ts';
import { list, object, oneOf, type Schema, text } from './schema.ts';
import { exactlyOne, hasOne, limit, only, period } from './traffic-policy-parts.ts';

const keyParts = ['header', 'cookie', 'query', 'sourceIP', 'method', 'path'];

const rateKey = object(
  {
    header: { ...names.headerName, doc: 'The value of this header.' },
    cookie: { ...names.headerName, doc: 'The value of this cookie.' },
    query: { ...text, minLength: 1, maxLength: 1024, doc: 'The value of this query parameter.' },
    sourceIP: only("The client's address."),
    method: only('The method.'),
    path: only('The path.'),
  },
  { sure: hasOne(keyParts), rules: [exactlyOne(keyParts)] },
);

const localLimit = object(
  {
    requests: limit('How many requests.'),
    per: period('In how much time.'),
    burst: limit('How many at once after a pause; as many as requests where absent.'),
    key: list(rateKey, { maxItems: 8, doc: 'What requests are counted apart by; absent: all together.' }),
  },
  { required: ['requests', 'per'] },
);

const sources = ['value', 'header', 'cookie', 'query', 'claim', 'sourceIP', 'remoteIP', 'method', 'path', 'principal'];

const name: Schema = { ...text, minLength: 1, maxLength: 1024 };

const entry = object(
  {
    key: { ...name, maxLength: 256, doc: 'What the service knows the value under.' },
    value: { ...name, doc: 'A fixed value.' },
    header: { ...names.headerName, doc: 'The value of this header.' },
    cookie: { ...names.headerName, doc: 'The value of this cookie.' },
    query: { ...name, doc: 'The value of this query parameter.' },
    claim: { ...name, doc: 'The value of this claim of a verified token; a dot leads into a claim.' },
    sourceIP: only("The peer's address."),
    remoteIP: only("The client's address as trusted proxies tell it."),
    method: only('The method.'),
    path: only('The path.'),
    principal: only("The client's identity, as its certificate proves it."),
  },
  { required: ['key'], sure: hasOne(sources), rules: [exactlyOne(sources)] },
);

const globalLimit = object(
  {
    domain: { ...name, maxLength: 256, doc: 'What the service knows the limits under.' },
    service: object(
      { name: names.dnsLabel, port: names.port },
      { required: ['name', 'port'], doc: "The rate limit service: a Service of the policy's namespace." },
    ),
    descriptors: list(list(entry, { minItems: 1, maxItems: 16 }), {
      minItems: 1,
      maxItems: 16,
      doc: 'What the service is asked about, all in one call. One of which a part is missing in a request is left out.',
    }),
    timeout: period('How long to wait for an answer, 20ms where absent.'),
    failureMode: oneOf(['Open', 'Closed'], {
      doc: 'Whether a request passes where nobody answers (Open, where absent) or is answered 500.',
    }),
  },
  {
    required: ['domain', 'service', 'descriptors'],
    doc: "Asks a service that speaks Envoy's rate limit protocol (envoy.service.ratelimit.v3), for all waypoints.",
  },
);

export const rateLimit: Schema = object(
  {
    local: list(localLimit, { minItems: 1, maxItems: 16, doc: 'Each waypoint worker counts for itself.' }),
    global: globalLimit,
  },
  { doc: 'Answers 429 to what is too much.' },
);
