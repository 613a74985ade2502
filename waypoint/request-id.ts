// Ids for requests that bring none: in the form of a UUID (version 4), unique by a random prefix and a count.

/** Requests under one prefix: as many as six hex digits count. */
const SPAN = 0x1000000;

let prefix = '';
let count = SPAN;

/** A fresh id; ids of one worker follow each other, those of different workers or waypoints never meet. */
export function newRequestId(): string {
  if (count === SPAN) {
    prefix = newPrefix();
    count = 0;
  }
  // SPAN + count has seven hex digits, the first of them the 1 that keeps the zeros behind it.
  return prefix + (SPAN + count++).toString(16).slice(1);
}

function newPrefix(): string {
  // Fetched when the first request comes: an idle worker does without its 3 MB.
  const hex = process.getBuiltinModule('node:crypto').randomBytes(13).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 26)}`;
}
