// Chunks as they leave: one system call each, never an empty one, readable by our own decoder.

import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { lastChunk, writeChunk } from './body-writer.ts';

describe('Writing chunks', () => {
  it('writes size, data and line end together', async () => {
    const batches: string[] = [];
    const socket = new Writable({
      writev(chunks, done) {
        batches.push(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)).toString('latin1'));
        done();
      },
    });
    assert.equal(writeChunk(socket, Buffer.from('x'.repeat(26))), true);
    assert.equal(writeChunk(socket, Buffer.alloc(0)), true);
    socket.end(lastChunk(''), 'latin1');
    await new Promise((resolve) => socket.once('finish', resolve));
    assert.deepEqual(batches, [`1a\r\n${'x'.repeat(26)}\r\n`, '0\r\n\r\n']);
  });

  it('passes on that the socket is full', () => {
    const socket = new Writable({ highWaterMark: 4, write() {} });
    assert.equal(writeChunk(socket, Buffer.from('hello')), false);
    assert.equal(writeChunk(socket, Buffer.alloc(0)), false);
  });

  it('puts trailers before the empty line', () => {
    assert.equal(lastChunk('a: b\r\n'), '0\r\na: b\r\n\r\n');
  });
});
