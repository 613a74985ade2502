// External authorization over gRPC: Envoy's Authorization service, v3, in its protobuf.

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { ExternalAuthPlan } from '../../policies/external-auth.ts';
import { type HeaderLine, isAnswerable, isEditable } from '../../policies/header-edits.ts';
import { includes } from '../../policies/header-names.ts';
import type { Fields } from '../../routing/request.ts';
import type { Exchange } from '../exchange.ts';
import { LENGTH, NONE } from '../http1/framing.ts';
import {
  HeaderValueOption_HeaderAppendAction as Action,
  CheckRequestSchema,
  type CheckResponse,
  CheckResponseSchema,
  type DeniedHttpResponse,
  type HeaderValueOption,
  type OkHttpResponse,
} from '../protos/gen/external-auth_pb.ts';
import type { Consent, Refusal } from './auth-verdict.ts';
import { forwardedBody } from './forwarded-body.ts';
import type { GrpcMethod } from './grpc-call.ts';
import { lineOf, wireText } from './wire-text.ts';

export const CHECK: GrpcMethod<CheckResponse> = {
  path: '/envoy.service.auth.v3.Authorization/Check',
  decode: (message) => fromBinary(CheckResponseSchema, message),
};

const PARTIAL = 'x-envoy-auth-partial-body';
const FORBIDDEN = 403;

export function checkRequest(x: Exchange, plan: ExternalAuthPlan): Uint8Array {
  const { head, peer } = x;
  const body = forwardedBody(x, plan.forwardBody);
  const packed = plan.forwardBody?.packAsBytes === true;
  const bytes = body.bytes === 0 ? Buffer.alloc(0) : Buffer.concat(body.pieces);
  const headers = headersOf(x, plan);
  if (plan.forwardBody !== null) headers[PARTIAL] = String(body.isPartial);
  const startedAt = performance.timeOrigin + x.startedAt;
  const http = {
    id: x.id,
    method: head.method,
    headers,
    path: target(x),
    host: head.authority,
    scheme: head.scheme,
    size: sizeOf(x),
    protocol: `HTTP/1.${head.minor}`,
    body: packed ? '' : bytes.toString('utf8'),
    rawBody: packed ? bytes : EMPTY,
  };
  const message = create(CheckRequestSchema, {
    attributes: {
      source: { address: address(peer.address, peer.port), principal: peer.identity?.uri ?? '' },
      destination: { address: address(peer.localAddress, peer.localPort) },
      request: {
        time: { seconds: BigInt(Math.trunc(startedAt / 1000)), nanos: Math.trunc(startedAt % 1000) * 1_000_000 },
        http,
      },
      ...(peer.serverName === null ? {} : { tlsSession: { sni: peer.serverName } }),
    },
  });
  return toBinary(CheckRequestSchema, message);
}

const EMPTY: Uint8Array = new Uint8Array();

function address(host: string, port: number): { socketAddress: { address: string; portValue: number } } {
  return { socketAddress: { address: host, portValue: port } };
}

function target({ head }: Exchange): string {
  // Without a token that was taken out of it already.
  return `${head.path}${head.forwardedQuery}`;
}

/** -1: not known. */
function sizeOf({ head }: Exchange): bigint {
  if (head.framing === NONE) return 0n;
  return head.framing === LENGTH ? BigInt(head.contentLength) : -1n;
}

/** Repeated ones joined as HTTP has it, with HTTP/2's pseudo-header fields among them, as Envoy has it. */
function headersOf(x: Exchange, { allowedHeaders, additionalHeaders }: ExternalAuthPlan): Record<string, string> {
  const { head } = x;
  const headers: Record<string, string> = Object.create(null);
  const tell = (name: string, value: string): void => {
    if (allowedHeaders !== null && !includes(allowedHeaders, name)) return;
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ','}${value}`;
  };
  tell(':authority', head.authority);
  tell(':method', head.method);
  tell(':path', target(x));
  tell(':scheme', head.scheme);
  for (const [name, value] of head.fields.entries()) {
    const lower = name.toLowerCase();
    if (lower !== 'host' && lower !== PARTIAL) tell(lower, value);
  }
  for (const [name, value] of additionalHeaders) headers[name] = value;
  return headers;
}

/** `fields`: of the request. @throws where it contradicts itself, or asks for what can not be written. */
export function readCheck({ status, httpResponse }: CheckResponse, fields: Fields): Consent | Refusal {
  const { case: kind, value } = httpResponse;
  if ((status?.code ?? 0) !== 0) return refusal(kind === 'deniedResponse' ? value : null);
  // Envoy would let it pass; who says both is not to be believed.
  if (kind === 'deniedResponse') throw new Error('status OK with a denied_response');
  return kind === 'okResponse' ? consent(value, fields) : { edits: null, query: null, responseHeaders: [] };
}

function refusal(denied: DeniedHttpResponse | null): Refusal {
  const code = denied?.status?.code ?? 0;
  return {
    status: code >= 200 && code <= 599 ? code : FORBIDDEN,
    headers: (denied?.headers ?? []).map(({ header }) => lineOf(header)),
    body: wireText(denied?.body ?? ''),
  };
}

function consent(ok: OkHttpResponse, fields: Fields): Consent {
  const set: HeaderLine[] = [];
  const append: HeaderLine[] = [];
  for (const option of ok.headers) {
    const line = lineOf(option.header);
    const [name] = line;
    if (!isEditable(name)) continue;
    const action = actionOf(option);
    if (action === Action.APPEND_IF_EXISTS_OR_ADD) append.push(line);
    else if (
      action === Action.OVERWRITE_IF_EXISTS_OR_ADD ||
      fields.has(name) === (action === Action.OVERWRITE_IF_EXISTS)
    )
      set.push(line);
  }
  const remove = ok.headersToRemove.map((name) => name.toLowerCase()).filter(isEditable);
  const query = {
    remove: ok.queryParametersToRemove,
    set: ok.queryParametersToSet.map(({ key, value }) => [key, value] as const),
  };
  return {
    edits: set.length + append.length + remove.length === 0 ? null : { remove, set, append },
    query: query.remove.length + query.set.length === 0 ? null : query,
    responseHeaders: ok.responseHeadersToAdd
      .map(({ header }) => lineOf(header))
      .filter(([name]) => isAnswerable(name) && name !== 'host'),
  };
}

/** Of a request's field. The deprecated `append` counts where it is written; where neither is, it is overwritten. */
function actionOf({ append, appendAction }: HeaderValueOption): Action {
  if (append !== undefined) return append.value ? Action.APPEND_IF_EXISTS_OR_ADD : Action.OVERWRITE_IF_EXISTS_OR_ADD;
  return appendAction === Action.APPEND_IF_EXISTS_OR_ADD ? Action.OVERWRITE_IF_EXISTS_OR_ADD : appendAction;
}
