import assert from 'node:assert/strict';
import { RequestBody } from './request-body.ts';

const LIMIT = 65_536;

describe('request body', () => {
  it('keeps what was sent as long as all of it fits', () => {
    const body = new RequestBody(0, LIMIT);
    body.sent(Buffer.alloc(LIMIT));
    assert.deepEqual([body.kept, body.held], [true, LIMIT]);
    body.sent(Buffer.alloc(1));
    assert.deepEqual([body.kept, body.held, body.pieces.length], [false, 0, 0]);
  });

  it('keeps nothing of a body that says that it is too long', () => {
    const body = new RequestBody(LIMIT + 1, LIMIT);
    body.sent(Buffer.from('x'));
    assert.deepEqual([body.kept, body.held], [false, 0]);
  });

  it('never loses what still waits, however long it is', () => {
    const body = new RequestBody(0, LIMIT);
    body.wait(Buffer.alloc(LIMIT));
    body.wait(Buffer.from('x'));
    assert.deepEqual([body.kept, body.held], [false, LIMIT + 1]);
    body.taken();
    assert.equal(body.held, 0);
  });

  it('keeps a short body for the next try after it was sent, until it is released', () => {
    const body = new RequestBody(3, LIMIT);
    const bytes = Buffer.from('abc');
    body.wait(bytes);
    // The bytes were another's: they change with its next read.
    bytes.fill(0);
    body.taken();
    assert.equal(Buffer.concat(body.pieces).toString(), 'abc');
    body.release();
    assert.deepEqual([body.kept, body.held], [false, 0]);
  });
});
