import assert from 'node:assert/strict';
import { newRequestId } from './request-id.ts';

describe('request ids', () => {
  it('are UUIDs of version 4, each another', () => {
    const ids = new Set(Array.from({ length: 10_000 }, newRequestId));
    assert.equal(ids.size, 10_000);
    for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
