// One question to one resolver: over UDP from a port of its own, over TCP where the answer is too long for that.

import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { SocketAddress } from '../../flag-values.ts';
import { FLAG, HEADER_BYTES, questionEnd, recordEnd, recordType } from './query.ts';

/** The answer, or why there is none. */
export type Outcome = Buffer | 'timeout' | 'unreachable' | 'forged';
export type Done = (outcome: Outcome) => void;

/** What was started and may be called off; then nobody is told anything any more. */
export interface Wait {
  cancel(): void;
}

/** So many packets that do not fit the question are somebody guessing (RFC 5452 9.3): TCP is not guessed. */
const MAX_STRAYS = 16;

/** `query`: as it is sent, its question behind its header. `done` is called once, and never within this call. */
export function askUdp(query: Buffer, resolver: SocketAddress, timeoutMs: number, done: Done): Wait {
  const socket = createSocket(isIPv6(resolver.host) ? 'udp6' : 'udp4');
  let strays = 0;
  let isOver = false;
  const end = (outcome: Outcome | null): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    socket.close();
    if (outcome !== null) done(outcome);
  };
  const timer = setTimeout(end, timeoutMs, 'timeout');
  socket.on('error', () => end('unreachable'));
  socket.on('message', (message) => {
    if (isAnswerTo(message, query)) end(message);
    else if (++strays >= MAX_STRAYS) end('forged');
  });
  // Connected: the kernel takes packets from this resolver alone, and tells when nobody listens there. It also picks
  // a source port that cannot be foreseen (RFC 5452 4.5).
  socket.connect(resolver.port, resolver.host, (error?: Error) => {
    if (error !== undefined) end('unreachable');
    else if (!isOver) socket.send(query, (failure) => failure !== null && end('unreachable'));
  });
  return { cancel: () => end(null) };
}

export function askTcp(query: Buffer, resolver: SocketAddress, timeoutMs: number, done: Done): Wait {
  const socket = connect({ host: resolver.host, port: resolver.port, noDelay: true });
  let received: Buffer = Buffer.alloc(0);
  let isOver = false;
  const end = (outcome: Outcome | null): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    socket.destroy();
    if (outcome !== null) done(outcome);
  };
  const timer = setTimeout(end, timeoutMs, 'timeout');
  socket.on('error', () => end('unreachable'));
  socket.on('close', () => end('unreachable'));
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
    const message = received.subarray(2, 2 + received.readUInt16BE(0));
    end(isAnswerTo(message, query) ? message : 'forged');
  });
  const length = Buffer.alloc(2);
  length.writeUInt16BE(query.length);
  socket.write(Buffer.concat([length, query]));
  return { cancel: () => end(null) };
}

/** Whole, an answer, to this very question: the number is the same, and so is the question but for its case. */
export function isAnswerTo(message: Buffer, query: Buffer): boolean {
  if (message.length < HEADER_BYTES || message.readUInt16BE(0) !== query.readUInt16BE(0)) return false;
  const word = message.readUInt16BE(2);
  if ((word & FLAG.QR) === 0 || (word & 0x7800) !== 0 || message.readUInt16BE(4) !== 1) return false;
  const end = questionEnd(message, HEADER_BYTES);
  if (end < 0 || end > query.length || !isSameQuestion(message, query, end)) return false;
  // Of an answer that was cut the rest is of no use, wherever it was cut.
  return (word & FLAG.TC) !== 0 || areRecords(message, end);
}

function areRecords(message: Buffer, from: number): boolean {
  let at = from;
  const count = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
  for (let record = 0; record < count; record++) {
    const type = recordType(message, at);
    at = type < 0 ? -1 : recordEnd(message, type);
    if (at < 0) return false;
  }
  return true;
}

function isSameQuestion(message: Buffer, query: Buffer, end: number): boolean {
  // Behind the name type and class, which have no case.
  const name = end - 4;
  for (let at = HEADER_BYTES; at < name; at++) if (lower(message[at]!) !== lower(query[at]!)) return false;
  return message.compare(query, name, end, name, end) === 0;
}

function lower(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte | 0x20 : byte;
}
