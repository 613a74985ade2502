// External authorization over HTTP: the request that is made of a request, and what its answer means.

import type { ExternalAuthPlan } from '../../policies/external-auth.ts';
import { type HeaderLine, isAnswerable, isEditable } from '../../policies/header-edits.ts';
import { type HeaderNames, includes } from '../../policies/header-names.ts';
import type { Exchange } from '../exchange.ts';
import type { Consent, Refusal } from './auth-verdict.ts';
import { forwardedBody } from './forwarded-body.ts';
import type { HttpAnswer, HttpQuestion } from './http-call.ts';

/** Envoy's: whether the body is told in full. */
const PARTIAL = 'x-envoy-auth-partial-body';
/** Envoy's: which fields of the request are to go. */
const REMOVE = 'x-envoy-auth-headers-to-remove';

/** The method, the path behind the prefix, Host, Authorization and Content-Length always; of other fields those of the plan. */
export function questionOf(x: Exchange, plan: ExternalAuthPlan): HttpQuestion {
  const { head } = x;
  const { pieces, bytes, isPartial } = forwardedBody(x, plan.forwardBody);
  const path = head.path === '*' && plan.pathPrefix !== '' ? '/' : head.path;
  let text = `${head.method} ${plan.pathPrefix}${path}${head.forwardedQuery} HTTP/1.1\r\n`;
  text += `host: ${head.authority === '' ? plan.provider : head.authority}\r\ncontent-length: ${bytes}\r\n`;
  const fixed = new Set(plan.additionalHeaders.map(([name]) => name));
  for (const [sent, value] of head.fields.entries()) {
    const name = sent.toLowerCase();
    if (!fixed.has(name) && isTold(name, plan.allowedHeaders)) text += `${name}: ${value}\r\n`;
  }
  for (const [name, value] of plan.additionalHeaders) text += `${name}: ${value}\r\n`;
  if (plan.forwardBody !== null) text += `${PARTIAL}: ${isPartial}\r\n`;
  return { method: head.method, head: `${text}\r\n`, body: pieces };
}

function isTold(name: string, names: HeaderNames | null): boolean {
  if (name === 'authorization') return true;
  // Framing is of the message itself, and what an attacker sends in Envoy's name is not Envoy's.
  if (name === 'host' || name === PARTIAL || !isAnswerable(name)) return false;
  return names === null || includes(names, name);
}

/** Of 200, which is the only consent. */
export function consentOf({ fields }: HttpAnswer, plan: ExternalAuthPlan): Consent {
  const set: HeaderLine[] = [];
  const append: HeaderLine[] = [];
  const remove: string[] = [];
  const responseHeaders: HeaderLine[] = [];
  const seen = new Set<string>();
  for (const line of fields) {
    const [name, value] = line;
    if (name === REMOVE) {
      remove.push(
        ...value
          .split(',')
          .map((each) => each.trim().toLowerCase())
          .filter(isEditable),
      );
      continue;
    }
    if (isWanted(name, plan.allowedResponseHeaders)) {
      (seen.has(name) ? append : set).push(line);
      seen.add(name);
    }
    if (includes(plan.clientHeadersOnAllow, name) && isAnswerable(name) && !isRepresentation(name))
      responseHeaders.push(line);
  }
  const isSame = set.length + remove.length === 0;
  return { edits: isSame ? null : { remove, set, append }, query: null, responseHeaders };
}

/** Of any other status. */
export function refusalOf({ status, fields, body }: HttpAnswer): Refusal {
  return { status, headers: fields, body: body ?? '' };
}

function isWanted(name: string, names: HeaderNames | null): boolean {
  return isEditable(name) && !isRepresentation(name) && (names === null || includes(names, name));
}

/** It speaks of the body that it came with (RFC 9110 section 8): put on another it would be a lie. */
function isRepresentation(name: string): boolean {
  return name.startsWith('content-') || name === 'etag' || name === 'last-modified';
}
