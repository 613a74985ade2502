import assert from 'node:assert/strict';
import { REPLAY_BYTES, RequestBody } from './request-body.ts';

describe('request body', () => {
  it('keeps what was sent as long as all of it fits', () => {
    const body = new RequestBody();
    body.add(Buffer.alloc(REPLAY_BYTES), 'sent');
    assert.deepEqual([body.kept, body.held], [true, REPLAY_BYTES]);
    body.add(Buffer.alloc(1), 'sent');
    assert.deepEqual([body.kept, body.held, body.pieces.length], [false, 0, 0]);
  });

  it('never loses what still waits, however long it is', () => {
    const body = new RequestBody();
    body.add(Buffer.alloc(REPLAY_BYTES), 'waiting');
    body.add(Buffer.from('x'), 'waiting');
    assert.deepEqual([body.kept, body.held], [false, REPLAY_BYTES + 1]);
    body.sent();
    assert.equal(body.held, 0);
  });

  it('keeps a short body for the next try after it was sent, until it is released', () => {
    const body = new RequestBody();
    body.add(Buffer.from('abc'), 'waiting');
    body.sent();
    assert.equal(Buffer.concat(body.pieces).toString(), 'abc');
    body.release();
    assert.deepEqual([body.kept, body.held], [false, 0]);
  });
});
