// Numbers that keep things in reading order, so that what does not move keeps its number.

/** Room between neighbours: what is inserted later finds place without renumbering. */
const spacing = 2 ** 20;

/**
 * An increasing number, above `low` and below `high`, for each item. Of the items that had a number as many as possible
 * keep theirs. null when there is no room left between two numbers.
 */
export function numberInOrder(had: readonly (number | null)[], low: number, high: number): number[] | null {
  const kept = longestIncreasing(had, low, high);
  const numbers: number[] = [];
  let before = low;
  for (let index = 0; index < had.length; ) {
    let end = index;
    while (end < had.length && !kept.has(end)) end++;
    const after = end < had.length ? had[end]! : high;
    const count = end - index;
    const step = Math.min(spacing, Math.floor((after - before) / (count + 1)));
    if (step < 1) return null;
    // What is put in front stays close to what it is in front of, so that more fits before it.
    if (index === 0 && end < had.length) before = after - (count + 1) * step;
    for (let nth = 1; nth <= count; nth++) numbers.push(before + nth * step);
    if (end < had.length) numbers.push(after);
    before = after;
    index = end + 1;
  }
  return numbers;
}

/** Indexes of a longest increasing subsequence of the numbers between the bounds (patience sorting). */
function longestIncreasing(had: readonly (number | null)[], low: number, high: number): Set<number> {
  const tails: number[] = [];
  const previous: number[] = [];
  for (const [index, number] of had.entries()) {
    if (number === null || number <= low || number >= high) continue;
    let from = 0;
    let to = tails.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (had[tails[middle]!]! < number) from = middle + 1;
      else to = middle;
    }
    previous[index] = from > 0 ? tails[from - 1]! : -1;
    tails[from] = index;
  }
  const kept = new Set<number>();
  for (let index = tails.at(-1) ?? -1; index >= 0; index = previous[index]!) kept.add(index);
  return kept;
}
