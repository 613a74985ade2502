// The buckets of every duration histogram: OpenTelemetry's advice for HTTP, with two below it for a proxy's own share.

/** Upper bounds in seconds, the last bucket (+Inf) not among them. */
export const BOUNDS: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Buckets with +Inf. */
export const BUCKETS: number = BOUNDS.length + 1;

/** Place of a duration among the buckets. */
export function bucketOf(seconds: number): number {
  let at = 0;
  while (at < BOUNDS.length && seconds > BOUNDS[at]!) at++;
  return at;
}
