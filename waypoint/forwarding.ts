// The head as it goes upstream: what the client sent, without the fields of its hop, with those of ours.

import { isIP } from 'node:net';
import type { Peer, RequestHead } from '../routing/request.ts';
import type { Exchange } from './exchange.ts';
import { hopName } from './hop-name.ts';
import { newRequestId } from './request-id.ts';

const REQUEST_ID = /^[\w.:+/=@-]{1,128}$/;

/** The request head of the `tries`-th try, complete with its empty line. */
export function forwardedHead(x: Exchange, tries: number): string {
  if (x.upstreamHead === '') x.upstreamHead = firstHead(x);
  return tries === 1 ? x.upstreamHead : `${x.upstreamHead.slice(0, -FIRST_TRY.length - 2)}${ATTEMPTS}${tries}\r\n\r\n`;
}

/** The head of a copy: as the filters have made it so far. */
export function copiedHead(x: Exchange): string {
  return firstHead(x);
}

const ATTEMPTS = 'x-waypoint-attempt-count: ';
const FIRST_TRY = `${ATTEMPTS}1\r\n`;

function firstHead(x: Exchange): string {
  const { head, downstream } = x;
  // A filter that names the field does not stand beside what the client has proved.
  if (downstream.forwardedClientCert !== '') head.fields.remove('x-forwarded-client-cert');
  let lines = downstream.parser.trusted ? trustedLines(x) : untrustedLines(x);
  // The client's own line, if identify() kept it, goes through as it is.
  if (!x.clientId) lines += `x-request-id: ${x.id}\r\n`;
  lines += `via: 1.1 ${hopName(x.bind.gateway)}\r\n`;
  if (head.upgrade !== null) lines += `connection: upgrade\r\nupgrade: ${head.upgrade}\r\n`;
  if (head.authority === '' && head.forwardAuthority === null) lines += `host: ${fallbackHost(x)}\r\n`;
  return head.serialize(lines + FIRST_TRY);
}

/** Gives the exchange its id: the client's `x-request-id` if it is one plain value, else a new one. */
export function identify(x: Exchange): void {
  const { fields } = x.head;
  const sent = fields.get('x-request-id');
  if (sent === undefined) {
    x.id = newRequestId();
  } else if (REQUEST_ID.test(sent)) {
    x.id = sent;
    x.clientId = true;
  } else {
    fields.remove('x-request-id');
    x.id = newRequestId();
  }
}

/** Whether this request already passed a waypoint of this Gateway: our own mark is in its `Via`. */
export function looped(x: Exchange): boolean {
  const via = x.head.fields.get('via');
  return via?.includes(` ${hopName(x.bind.gateway)}`) === true && viaNames(via).includes(hopName(x.bind.gateway));
}

function viaNames(via: string): string[] {
  return via.split(',').map((hop) => hop.trim().split(/[ \t]+/)[1] ?? '');
}

function untrustedLines(x: Exchange): string {
  const { head, downstream } = x;
  if (downstream.forwardedLines === '') {
    downstream.forwardedLines = `x-forwarded-for: ${x.peer.address}\r\nx-forwarded-proto: ${head.scheme}\r\n${clientCertLine(x)}`;
  }
  return head.authority === ''
    ? downstream.forwardedLines
    : `${downstream.forwardedLines}x-forwarded-host: ${head.authority}\r\n`;
}

/** Made from the certificate that this connection proved, never from what a client sends. */
function clientCertLine({ downstream: { forwardedClientCert } }: Exchange): string {
  return forwardedClientCert === '' ? '' : `x-forwarded-client-cert: ${forwardedClientCert}\r\n`;
}

/** A trusted proxy in front of us said who the client is; our own view is added behind it. */
function trustedLines(x: Exchange): string {
  const { head } = x;
  const { fields } = head;
  if (x.forwardedFor === '') {
    const before = fields.get('x-forwarded-for');
    fields.remove('x-forwarded-for');
    x.forwardedFor = before === undefined ? x.peer.address : `${before}, ${x.peer.address}`;
  }
  let lines = `x-forwarded-for: ${x.forwardedFor}\r\n${clientCertLine(x)}`;
  if (!fields.has('x-forwarded-proto')) lines += `x-forwarded-proto: ${head.scheme}\r\n`;
  if (!fields.has('x-forwarded-host') && head.authority !== '') lines += `x-forwarded-host: ${head.authority}\r\n`;
  return lines;
}

interface Sent {
  readonly worker: { readonly trusts: (address: string) => boolean };
  readonly peer: Pick<Peer, 'address'>;
  readonly head: Pick<RequestHead, 'fields'>;
}

/** From the last hop of `x-forwarded-for` backwards: the first that is not trusted to tell of others. */
export function remoteAddress({ worker, peer, head }: Sent): string {
  if (!worker.trusts(peer.address)) return peer.address;
  let remote = peer.address;
  for (const hop of (head.fields.get('x-forwarded-for') ?? '').split(',').reverse()) {
    const address = hop.trim();
    // What is no address was told by somebody who may not be believed further back either.
    if (!isAddress(address)) return remote;
    remote = address;
    if (!worker.trusts(address)) return remote;
  }
  return remote;
}

function isAddress(text: string): boolean {
  return isIP(text) !== 0;
}

/** HTTP/1.0 clients may send no Host; HTTP/1.1 endpoints need one. */
function fallbackHost(x: Exchange): string {
  const id = x.backend?.id ?? '';
  const [namespace = '', rest = ''] = id.split('/');
  return `${rest.split(':')[0]}.${namespace}`;
}
