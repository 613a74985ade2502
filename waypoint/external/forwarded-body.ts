// As much of a request's body as an authorizer is told.

import type { ForwardBody } from '../../policies/external-auth.ts';
import type { Exchange } from '../exchange.ts';

export interface ForwardedBody {
  readonly pieces: readonly Buffer[];
  readonly bytes: number;
  readonly isPartial: boolean;
}

const NOTHING: ForwardedBody = { pieces: [], bytes: 0, isPartial: false };

export function forwardedBody({ body }: Exchange, plan: ForwardBody | null): ForwardedBody {
  if (plan === null || body === null) return NOTHING;
  const pieces: Buffer[] = [];
  let bytes = 0;
  for (const piece of body.pieces) {
    const part = piece.subarray(0, plan.maxBytes - bytes);
    if (part.length === 0) break;
    pieces.push(part);
    bytes += part.length;
  }
  return { pieces, bytes, isPartial: !body.complete || body.held > bytes };
}
