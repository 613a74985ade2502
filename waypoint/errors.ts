// Every way an exchange can fail: one row gives the answer, the flag in the log, and whether another try is safe.

/**
 * Why the waypoint itself ended an exchange. `flag` is Envoy's response flag where one fits; `hint` tells an operator
 * where to look next. `origin` says whose fault it is.
 */
export interface Failure {
  readonly reason: string;
  readonly status: number;
  readonly flag: string;
  readonly origin: 'client' | 'route' | 'upstream' | 'waypoint';
  readonly body: string;
}

function row(reason: string, status: number, flag: string, origin: Failure['origin'], body: string): Failure {
  return { reason, status, flag, origin, body };
}

type Name =
  | 'noFrontend'
  | 'noRoute'
  | 'misdirected'
  | 'noBackend'
  | 'noEndpoint'
  | 'connectFailed'
  | 'connectTimeout'
  | 'upstreamTls'
  | 'refusedAddress'
  | 'upstreamReset'
  | 'upstreamProtocol'
  | 'upstreamTruncated'
  | 'requestTimeout'
  | 'backendTimeout'
  | 'loop'
  | 'badRequest'
  | 'clientGone'
  | 'bodyTimeout';

export const FAILURES: Readonly<Record<Name, Failure>> = {
  noFrontend: row('no_frontend', 404, 'NR', 'client', 'no service or listener here answers to this authority\n'),
  noRoute: row('no_route', 404, 'NR', 'route', 'no route matches\n'),
  misdirected: row('misdirected', 421, 'NR', 'client', 'this connection is for another host\n'),
  noBackend: row('no_backend', 500, 'NC', 'route', 'the route has no usable backend\n'),
  noEndpoint: row('no_endpoint', 503, 'UH', 'upstream', 'no endpoint is ready\n'),
  connectFailed: row('connect_failed', 503, 'UF', 'upstream', 'upstream connect failed\n'),
  connectTimeout: row('connect_timeout', 503, 'UF', 'upstream', 'upstream connect timed out\n'),
  upstreamTls: row('upstream_tls', 503, 'UF', 'upstream', 'upstream connect failed\n'),
  refusedAddress: row('refused_address', 503, 'UF', 'upstream', 'upstream connect failed\n'),
  upstreamReset: row('upstream_reset', 503, 'UC', 'upstream', 'upstream closed the connection before it answered\n'),
  upstreamProtocol: row('upstream_protocol', 502, 'UPE', 'upstream', 'upstream sent an invalid response\n'),
  upstreamTruncated: row('upstream_truncated', 502, 'UC', 'upstream', ''),
  requestTimeout: row('request_timeout', 504, 'UT', 'upstream', 'request timed out\n'),
  backendTimeout: row('backend_timeout', 504, 'UT', 'upstream', 'upstream request timed out\n'),
  loop: row('loop_detected', 508, 'NR', 'client', 'this request already passed here\n'),
  badRequest: row('bad_request', 400, 'DPE', 'client', 'bad request\n'),
  clientGone: row('client_gone', 499, 'DC', 'client', ''),
  bodyTimeout: row('body_timeout', 408, 'DI', 'client', 'request body timed out\n'),
};

/** `BackendNotFound` → `backend_not_found`, as every other reason in log and metrics. */
export function snake(reason: string): string {
  return reason.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase();
}
