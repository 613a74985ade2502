// Whereto a request that is thought of is sent, and by whom.

import type { Snapshot } from '../../policies/plan.ts';
import { type Client, clientOf } from './client.ts';
import { chooseBind, type Dialled } from './dialled.ts';
import type { ExplainOptions, ExplainRequest } from './explain.ts';
import { type Target, Thought } from './thought.ts';

export interface Arrival {
  readonly dialled: Dialled;
  readonly client: Client;
  readonly thought: Thought;
}

/** A string says what is wrong with the question. */
export function arrive(asked: ExplainRequest, snapshot: Snapshot, options: ExplainOptions): Arrival | string {
  const url = /^(https?):\/\/([^/?#\s]+)([^\s]*)$/.exec(asked.url);
  if (url === null) return `'${asked.url}' is no URL of the form http://host:port/path`;
  const [, scheme, authority, path] = url as unknown as [string, Target['scheme'], string, string];
  const dialled = chooseBind(authority, snapshot, scheme);
  if (typeof dialled === 'string') return dialled;
  const { credentials } = snapshot;
  const client = clientOf(asked, authority, dialled.bind, { trustDomains: trustDomainsOf(options), credentials });
  if (typeof client === 'string') return client;
  const thought = new Thought(asked, { scheme, authority, path }, client.peer, options);
  return { dialled, client: forwarded(client, thought), thought };
}

function forwarded(client: Client, { peer, remoteAddress }: Thought): Client {
  if (remoteAddress === peer.address) return client;
  const words = `${remoteAddress}, as the trusted proxy ${peer.address} tells in x-forwarded-for`;
  return { ...client, words: client.words === '' ? words : `${words}; ${client.words}` };
}

/** Its own first. */
export function trustDomainsOf({
  trustDomain = 'cluster.local',
  trustDomainAliases = [],
}: ExplainOptions): readonly string[] {
  return [trustDomain, ...trustDomainAliases];
}
