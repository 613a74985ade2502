// Envoy's RateLimitService, v3, in its protobuf: what is asked, and what its answer means for the client.

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type HeaderLine, isAnswerable, isEditable } from '../../policies/header-edits.ts';
import type { LocalReply } from '../../policies/policy.ts';
import type { Descriptor } from '../../policies/rate-limit-global.ts';
import {
  RateLimitResponse_Code as Code,
  type RateLimitResponse_DescriptorStatus as DescriptorStatus,
  RateLimitRequestSchema,
  type RateLimitResponse,
  RateLimitResponseSchema,
} from '../protos/gen/rate-limit_pb.ts';
import type { GrpcMethod } from './grpc-call.ts';
import { lineOf } from './wire-text.ts';

export const SHOULD_RATE_LIMIT: GrpcMethod<RateLimitResponse> = {
  path: '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit',
  decode: (message) => fromBinary(RateLimitResponseSchema, message),
};

/** What a service decided. */
export interface Limited {
  /** null lets the request pass. */
  readonly reply: LocalReply | null;
  /** For the request that is forwarded. */
  readonly requestHeaders: readonly HeaderLine[];
  /** For the answer, whoever gives it. */
  readonly responseHeaders: readonly HeaderLine[];
}

const BODY_BYTES = 65_536;
/** By Unit: how long until such a limit surely begins anew, where the service does not say. */
const UNIT_SECONDS: readonly number[] = [1, 1, 60, 3600, 86_400, 2_678_400, 31_622_400];

export function rateLimitRequest(domain: string, descriptors: readonly Descriptor[]): Uint8Array {
  const message = create(RateLimitRequestSchema, {
    domain,
    descriptors: descriptors.map((entries) => ({ entries: entries.map(([key, value]) => ({ key, value })) })),
  });
  return toBinary(RateLimitRequestSchema, message);
}

/** @throws where it says neither, or asks for what can not be written. */
export function readLimits(response: RateLimitResponse): Limited {
  const { overallCode, statuses, rawBody } = response;
  const answerLines = response.responseHeadersToAdd.map(lineOf).filter(([name]) => isAnswerable(name));
  if (overallCode === Code.OK) {
    const requestHeaders = response.requestHeadersToAdd.map(lineOf).filter(([name]) => isEditable(name));
    return { reply: null, requestHeaders, responseHeaders: answerLines };
  }
  if (overallCode !== Code.OVER_LIMIT) throw new Error(`overall_code ${overallCode} says neither OK nor OVER_LIMIT`);
  const body = rawBody.length === 0 || rawBody.length > BODY_BYTES ? 'too many requests\n' : latin1(rawBody);
  const said = new Set(answerLines.map(([name]) => name));
  const headers = [...answerLines, ...limitLines(statuses).filter(([name]) => !said.has(name))];
  return { reply: { status: 429, reason: 'rate_limited', headers, body }, requestHeaders: [], responseHeaders: [] };
}

/** As a local limit says it, of the limit that is over for the longest time. */
function limitLines(statuses: readonly DescriptorStatus[]): readonly HeaderLine[] {
  const over = statuses.filter(({ code }) => code === Code.OVER_LIMIT);
  const worst = over.reduce<DescriptorStatus | null>(
    (most, each) => (most === null || resetSeconds(each) > resetSeconds(most) ? each : most),
    null,
  );
  if (worst === null) return [['retry-after', '1']];
  const reset = String(resetSeconds(worst));
  const lines: HeaderLine[] = [['retry-after', reset]];
  if (worst.currentLimit !== undefined) lines.push(['ratelimit-limit', String(worst.currentLimit.requestsPerUnit)]);
  lines.push(['ratelimit-remaining', String(worst.limitRemaining)], ['ratelimit-reset', reset]);
  return lines;
}

/** Rounded up: who returns then is not refused for the same reason. */
function resetSeconds({ durationUntilReset: until, currentLimit }: DescriptorStatus): number {
  if (until === undefined) return UNIT_SECONDS[currentLimit?.unit ?? 0] ?? 1;
  return Math.max(1, Number(until.seconds) + (until.nanos > 0 ? 1 : 0));
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
