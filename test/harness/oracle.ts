// The invariants that hold whatever was sent (I1, I2, I4): what backends parsed is what the access log decided.

import assert from 'node:assert/strict';
import type { AccessLog, LogEntry } from './access-log.ts';
import type { BackendRequest, ScriptedBackend } from './scripted-backend.ts';

interface Books {
  readonly log: AccessLog;
  readonly backends: readonly ScriptedBackend[];
}

/**
 * I1: every request a backend parsed is one decision of the log, with its method, path, host and body length, and in its
 * order where the client sent one after another. I2: no backend saw more than the log's tries. Every byte upstream was
 * part of a valid request, or of one that was visibly cut off.
 */
export async function assertInvariants(books: Books): Promise<void> {
  const arrived = books.backends.flatMap((backend) => backend.requests);
  const ids = new Set(arrived.map(requestId));
  await books.log.find((entry) => ids.has(String(entry['id'])), ids.size);
  for (const backend of books.backends) {
    for (const connection of backend.connections) assert.equal(connection.malformed, null, connection.received);
  }
  const decisions = new Map(books.log.entries.map((entry) => [String(entry['id']), entry]));
  for (const request of arrived) assertDecided(request, decisions.get(requestId(request)));
  const tries = [...decisions.values()].reduce((sum, entry) => sum + Number(entry['tries'] ?? 0), 0);
  assert.ok(arrived.length <= tries, `${arrived.length} requests upstream for ${tries} tries`);
  for (const backend of books.backends) assertOrder(backend, books.log.entries);
}

function requestId(request: BackendRequest): string {
  return request.message.get('x-request-id') ?? '';
}

function assertDecided(request: BackendRequest, entry: LogEntry | undefined): void {
  const { message } = request;
  assert.ok(entry !== undefined, `no decision for ${message.startLine}`);
  const path = message.target.split('?', 1)[0];
  const sent = { method: message.method, path, authority: message.get('host') };
  assert.deepEqual(sent, { method: entry['method'], path: entry['path'], authority: entry['authority'] });
  if (message.complete) assert.equal(message.bodyBytes, entry['request_bytes'], message.startLine);
}

/** Requests of one connection were decided in the order in which they arrived. */
function assertOrder(backend: ScriptedBackend, entries: readonly LogEntry[]): void {
  const position = new Map(entries.map((entry, i) => [String(entry['id']), i]));
  for (const connection of backend.connections) {
    const places = connection.requests.map((request) => position.get(requestId(request)) ?? -1);
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
      'decisions and requests in one order',
    );
  }
}
