// A waypoint inside another program: the options of `waypoint run`, and a handle to end it.

export { DEFAULT_LIMITS, type Limits, parseRunOptions, type RunOptions } from './config.ts';
export { type RunningWaypoint, run } from './main.ts';
