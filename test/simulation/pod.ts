// A pod as the simulation has it: so many requests at a time, the others wait, and a state that makes it good or bad.

import type { Outcome } from '../../routing/outcome.ts';

export interface PodKind {
  readonly name: string;
  /** Mean of the time a request takes once it is its turn; the times are exponential. */
  readonly meanMs: number;
  /** Requests worked on at a time. */
  readonly parallel: number;
  /** null: it works. Otherwise how a request that begins now fails, within `failMs`. */
  fails(now: number): Outcome | null;
  readonly failMs: number;
}

const sound = { meanMs: 10, parallel: 8, failMs: 1, fails: () => null };

export const steady: PodKind = { name: 'steady', ...sound };
/** Ten times as long for the same work. */
export const slow: PodKind = { name: 'slow', ...sound, meanMs: 100 };
/** Answers 503 at once. */
export const failing: PodKind = { name: 'failing', ...sound, fails: () => '5xx' };
/** Five seconds of service, five seconds of refused connections. */
export const flapping: PodKind = {
  name: 'flapping',
  ...sound,
  fails: (now) => (now % 10_000 < 5_000 ? null : 'connect-failure'),
};

export interface Answer {
  readonly at: number;
  readonly outcome: Outcome;
}

export class Pod {
  readonly kind: PodKind;
  /** When each of its places is free again. */
  readonly #freeAt: number[];

  constructor(kind: PodKind) {
    this.kind = kind;
    this.#freeAt = new Array<number>(kind.parallel).fill(0);
  }

  /** Takes a request now; says at once when and how it will be answered. */
  take(now: number, random: () => number): Answer {
    const { kind } = this;
    const failure = kind.fails(now);
    if (failure !== null) return { at: now + kind.failMs, outcome: failure };
    let place = 0;
    for (let other = 1; other < this.#freeAt.length; other += 1) {
      if (this.#freeAt[other]! < this.#freeAt[place]!) place = other;
    }
    const at = Math.max(now, this.#freeAt[place]!) - kind.meanMs * Math.log(1 - random());
    this.#freeAt[place] = at;
    return { at, outcome: 'ok' };
  }
}
