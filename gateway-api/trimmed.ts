// A list that is kept for long, without the room for more that it was given while it grew.

/** A list that grew from nothing has room for 17 members; a copy has room for what is in it. */
export function trimmed<T>(list: readonly T[]): T[] {
  return list.slice();
}
