// Files in order of their paths, and the range of order numbers that each one's objects have.
import { numberInOrder } from './order.ts';

/** Below zero, so that what says nothing about its creation counts as older than everything that does. */
const lowest = -(2 ** 52);
/** Room between two files, for objects appended to the first. */
const fileSpacing = 2 ** 32;

interface Range {
  readonly first: number;
  readonly last: number;
}

export class FileOrder {
  readonly #files: string[] = [];
  readonly #ranges = new Map<string, Range>();

  /** Numbers for the file's objects between those of its neighbours; null when only `restart` makes room. */
  place(file: string, had: readonly (number | null)[]): number[] | null {
    const index = this.#indexOf(file);
    if (this.#files[index] !== file) this.#files.splice(index, 0, file);
    const low = this.#before(index);
    const high = this.#behind(index);
    const start = had.some((number) => number !== null)
      ? low
      : low + Math.min(fileSpacing, Math.floor((high - low) / 2));
    const numbers = numberInOrder(had, start, high) ?? numberInOrder(had.map(nobody), low, high);
    if (numbers !== null) this.#remember(file, numbers);
    return numbers;
  }

  remove(file: string): void {
    const index = this.#indexOf(file);
    if (this.#files[index] === file) this.#files.splice(index, 1);
    this.#ranges.delete(file);
  }

  /** New numbers for every file's objects, spaced as at the first reading. */
  restart(count: (file: string) => number): [file: string, numbers: number[]][] {
    let last = lowest;
    return this.#files.map((file) => {
      const numbers = numberInOrder(new Array<null>(count(file)).fill(null), last + fileSpacing, 0) ?? [];
      last = numbers.at(-1) ?? last;
      this.#remember(file, numbers);
      return [file, numbers];
    });
  }

  #remember(file: string, numbers: readonly number[]): void {
    const first = numbers[0];
    if (first === undefined) this.#ranges.delete(file);
    else this.#ranges.set(file, { first, last: numbers.at(-1)! });
  }

  #before(index: number): number {
    for (let at = index - 1; at >= 0; at--) {
      const range = this.#ranges.get(this.#files[at]!);
      if (range !== undefined) return range.last;
    }
    return lowest;
  }

  #behind(index: number): number {
    for (let at = index + 1; at < this.#files.length; at++) {
      const range = this.#ranges.get(this.#files[at]!);
      if (range !== undefined) return range.first;
    }
    return 0;
  }

  #indexOf(file: string): number {
    let from = 0;
    let to = this.#files.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#files[middle]! < file) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

const nobody = (): null => null;
