// RoundRobin: the endpoints in turn, per worker and backend, whatever their load.

import type { Algorithm } from './balancer.ts';
import { WeightedTurns } from './weighted-turns.ts';

export const roundRobin: Algorithm = new WeightedTurns(0);
