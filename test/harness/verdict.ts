// The three verdicts on a message: refused with nothing forwarded, aborted on the way, or forwarded once in canonical form.

import assert from 'node:assert/strict';
import { call } from './call.ts';
import { sentField } from './echoed.ts';
import { RawClient } from './raw-client.ts';
import type { BackendRequest } from './scripted-backend.ts';
import { eventually } from './signal.ts';
import type { Message } from './wire.ts';
import type { World } from './world.ts';

interface Mark {
  readonly requests: number;
  readonly bytes: number;
  readonly connections: number;
}

let probes = 0;

function mark(world: World): Mark {
  const { backend } = world;
  return { requests: backend.requests.length, bytes: backend.receivedBytes, connections: backend.connections.length };
}

/** An ordinary request still gets its own answer: neither waypoint nor pooled connections were poisoned. */
export async function probe(world: World): Promise<void> {
  const id = `probe-${++probes}`;
  const answer = await call(world.port, { path: '/probe', fields: [['x-test-id', id]] });
  assert.equal(answer.status, 200, `the next request is served: ${answer.body}`);
  assert.equal(answer.message.get('x-echo-id'), id, 'the next request gets its own answer');
  assert.equal(sentField(answer, 'x-test-id'), id);
}

/**
 * REJ: one final 4xx or 5xx with `connection: close`, the connection closed, and not a byte at the backend.
 * `statuses` empty: any 4xx or 501 or 505.
 */
export async function expectRejected(
  world: World,
  bytes: string | Buffer,
  statuses: readonly number[] = [],
): Promise<Message> {
  const before = mark(world);
  const client = await RawClient.connect(world.port);
  await client.send(bytes);
  const reader = await client.readResponse();
  assert.equal(reader.error, null, `a valid response: ${client.received}`);
  assert.ok(reader.done, `a response before the end: ${JSON.stringify(client.received)}`);
  const answer = reader.message;
  assertRefusal(answer, statuses);
  assert.equal(answer.get('connection')?.toLowerCase(), 'close', 'a refusal says that the connection closes');
  await client.closed();
  client.destroy();
  assert.equal(client.takeUnread().toString('latin1'), '', 'one response only');
  await probe(world);
  const arrived = world.backend.requests.slice(before.requests).map((request) => request.message.startLine);
  assert.deepEqual(arrived, ['GET /probe HTTP/1.1'], 'the backend sees nothing but the next request');
  assertNothingBroken(world);
  return answer;
}

function assertRefusal(answer: Message, statuses: readonly number[]): void {
  const fits =
    statuses.length === 0
      ? (answer.status >= 400 && answer.status < 500) || answer.status === 501 || answer.status === 505
      : statuses.includes(answer.status);
  assert.ok(fits, `refused with ${statuses.join(' or ') || '4xx, 501 or 505'}, not ${answer.startLine} ${answer.body}`);
}

function assertNothingBroken(world: World): void {
  for (const connection of world.backend.connections) {
    assert.equal(connection.malformed, null, `upstream bytes stay valid: ${connection.received.slice(-400)}`);
    assert.ok(!(connection.unfinished && connection.ended === null), 'no half request is left open upstream');
  }
}

/**
 * ABT: whatever of the message reached the backend never ends well, and its connection is closed;
 * the client gets an error or nothing, then the end.
 */
export async function expectAborted(world: World, head: string, rest: string): Promise<Message | null> {
  const before = mark(world);
  const client = await RawClient.connect(world.port);
  await client.send(head);
  if (rest !== '') await untilForwarded(world, before);
  await client.send(rest);
  const reader = await client.readResponse();
  if (reader.done) assertRefusal(reader.message, []);
  await client.closed();
  client.destroy();
  await assertDestroyed(world, before);
  await probe(world);
  return reader.done ? reader.message : null;
}

/** The head went on before the fault is sent. */
async function untilForwarded(world: World, before: Mark): Promise<void> {
  await world.backend.request(before.requests);
}

async function assertDestroyed(world: World, before: Mark): Promise<void> {
  for (const request of world.backend.requests.slice(before.requests)) {
    await request.connection.closed();
    assert.equal(request.message.complete, false, `never looks complete: ${request.connection.received}`);
  }
}

export interface Forwarded {
  readonly method?: string;
  readonly target?: string;
  readonly body?: string;
  /** Fields as the backend must see them, by lower-case name; null: absent. */
  readonly fields?: Readonly<Record<string, string | null>>;
}

/** SAN: forwarded exactly once, in canonical framing, and answered 200. The request must be complete. */
export async function expectForwarded(
  world: World,
  bytes: string | Buffer,
  expected: Forwarded = {},
): Promise<{ answer: Message; request: BackendRequest }> {
  const before = mark(world);
  const client = await RawClient.connect(world.port);
  await client.send(bytes);
  const method = bytes.toString('latin1').trimStart().split(' ', 1)[0] as string;
  const answer = await client.response(method);
  assert.equal(answer.status, 200, `${answer.startLine} ${answer.body}`);
  client.destroy();
  const arrived = world.backend.requests.slice(before.requests);
  assert.equal(arrived.length, 1, 'forwarded once');
  const request = arrived[0] as BackendRequest;
  await request.whole();
  assertForwarded(request.message, expected);
  assertNothingBroken(world);
  await probe(world);
  return { answer, request };
}

function assertForwarded(message: Message, expected: Forwarded): void {
  assert.ok(message.complete, 'the whole request arrived');
  if (expected.method !== undefined) assert.equal(message.method, expected.method);
  if (expected.target !== undefined) assert.equal(message.target, expected.target);
  if (expected.body !== undefined) assert.equal(message.body, expected.body);
  for (const [name, value] of Object.entries(expected.fields ?? {})) {
    assert.equal(message.get(name) ?? null, value, `${name} at the backend: ${JSON.stringify(message.fields)}`);
  }
}

/** Requests the backend saw since a count are exactly these start lines, in order. */
export async function expectArrived(world: World, from: number, lines: readonly string[]): Promise<void> {
  const seen = (): string[] => world.backend.requests.slice(from).map((request) => request.message.startLine);
  await eventually(() => seen().length >= lines.length, `${lines.length} requests at the backend, ${seen()}`);
  assert.deepEqual(seen(), lines);
}
