// The states of a client connection, in the order of its life.

/** Reading a head, or idle between two requests. */
export const HEAD = 0;
export const BODY = 1;
/** The request is complete, its answer is not. */
export const WAIT = 2;
/** The answer is complete, the request is not: a little more of it is read and thrown away. */
export const DISCARD = 3;
export const TUNNEL = 4;
/** The last answer is written; what still comes is thrown away so that no reset overtakes it. */
export const CLOSING = 5;
export const CLOSED = 6;

export type State = 0 | 1 | 2 | 3 | 4 | 5 | 6;
