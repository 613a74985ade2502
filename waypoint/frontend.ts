// Which Service or Gateway listener a request was addressed to, and whose table therefore decides: told by the address that was dialled first.

import type { BindPlan, ListenerPlan, ServicePlan } from '../policies/plan.ts';
import { hostMatches } from '../routing/host.ts';
import type { Peer, RequestHead } from '../routing/request.ts';
import { RouteTable } from '../routing/table.ts';
import type { LivePlan } from './live-plan.ts';
import type { LiveService, LiveSnapshot } from './live-snapshot.ts';

/** What the choice looks at; an exchange is one. */
export interface Addressed {
  readonly bind: BindPlan;
  readonly head: RequestHead;
  readonly peer: Peer;
}

/** Filled in by `resolveFrontend`, so that a look-up allocates nothing; valid until the next one. */
export class Frontend {
  /** Set when an enrolled Service was addressed. */
  service: LiveService | null = null;
  /** The listener whose routes apply: of the port, or of the Service's Gateway where the Service has none of its own. */
  listener: ListenerPlan | null = null;
  /** null, with a service: no route is attached, it is forwarded to itself (`service.fallback`). */
  table: RouteTable<LivePlan> | null = null;
  tableId: string | null = null;
}

const EMPTY: RouteTable<LivePlan> = RouteTable.empty();

/** false: nothing here answers to this request, which is 404. With a table and no match in it the answer is 404, too. */
export function resolveFrontend(request: Addressed, snapshot: LiveSnapshot, out: Frontend): boolean {
  const { bind, head } = request;
  out.service = null;
  out.listener = null;
  out.table = null;
  out.tableId = null;
  const id = bind.service ?? serviceByDestination(request) ?? serviceByAuthority(bind, head);
  if (id !== undefined) {
    out.service = snapshot.services.get(id) ?? null;
    if (out.service === null) return false;
    chooseTable(out.service.plan, request, snapshot, out);
    return true;
  }
  for (const listener of bind.listeners) {
    if (listener.hostname !== null && !hostMatches(listener.hostname, head.host)) continue;
    out.listener = listener;
    setTable(listener.table, snapshot, out);
    return true;
  }
  return false;
}

/** Whether the connection was made for another listener's host than the request asks for (RFC 9110 section 15.5.20). */
export function misdirected({ bind, peer }: Addressed, { listener, service }: Frontend): boolean {
  if (bind.protocol !== 'HTTPS' || service !== null) return false;
  return bind.listeners.find(({ hostname }) => isFor(hostname, peer.serverName)) !== listener;
}

function isFor(hostname: string | null, serverName: string | null): boolean {
  return hostname === null || (serverName !== null && hostMatches(hostname, serverName));
}

/** What a trusted proxy says the client dialled. */
function serviceByDestination({ bind, peer }: Addressed): string | undefined {
  if (bind.destinations.size === 0) return undefined;
  const { localAddress, localPort } = peer;
  return bind.destinations.get(
    localAddress.includes(':') ? `[${localAddress}]:${localPort}` : `${localAddress}:${localPort}`,
  );
}

function serviceByAuthority(bind: BindPlan, head: RequestHead): string | undefined {
  if (bind.authorities.size === 0) return undefined;
  // As it is usually sent, lower-case and without a trailing dot, the authority is the key: no string is built.
  const found = bind.authorities.get(head.authority);
  if (found !== undefined || head.authority === head.host) return found;
  return bind.authorities.get(head.port === 0 ? head.host : `${head.host}:${head.port}`);
}

/** GAMMA: the client's own routes replace the producer's; routes of the Gateway are for Services without routes of their own. */
function chooseTable(service: ServicePlan, request: Addressed, snapshot: LiveSnapshot, out: Frontend): void {
  const { namespace } = request.peer;
  const own = (namespace === null ? undefined : service.consumers.get(namespace)) ?? service.producer;
  if (own !== null) {
    setTable(own, snapshot, out);
    return;
  }
  const { host } = request.head;
  for (const listener of service.listeners) {
    if (listener.hostname !== null && !hostMatches(listener.hostname, host)) continue;
    const table = snapshot.tables.get(listener.table);
    if (table === undefined || !table.names(host)) continue;
    out.listener = listener;
    setTable(listener.table, snapshot, out);
    return;
  }
}

function setTable(id: string, snapshot: LiveSnapshot, out: Frontend): void {
  out.tableId = id;
  out.table = snapshot.tables.get(id) ?? EMPTY;
}
