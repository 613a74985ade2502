// One loaded run: wrk drives a port while the CPU time of the process behind it is read before and after.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuMs } from './proc.ts';
import { complete, scratchFolder } from './processes.ts';

export interface Work {
  readonly path: string;
  readonly host: string;
  readonly connections: number;
  /** 0: a GET; otherwise a POST with a body of this size. */
  readonly bodyBytes: number;
  /** No two requests are alike. */
  readonly varies?: boolean;
  /** In place of the usual `Authorization`. */
  readonly authorization?: string;
}

export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Answers outside 2xx and 3xx, and connections that failed or timed out. */
  readonly errors: number;
  readonly cpuMicrosPerRequest: number;
  /** As wrk measures it, in a closed loop. */
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
}

/** What browsers and API clients usually send beside `Host`. */
export const USUAL_HEADERS: Readonly<Record<string, string>> = {
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Accept-Language': 'en-US,en;q=0.5',
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  Referer: 'https://shop.example.com/catalog/spring',
  Cookie: 'session=4f9d2c1b7a6e4d3f8b5a0c9e; theme=dark; consent=all',
  Authorization: 'Bearer c2Vzc2lvbi10b2tlbi1vZi1hLXVzZXItb2YtdGhlLXNob3A',
  'Cache-Control': 'no-cache',
  'X-Requested-With': 'XMLHttpRequest',
};

/** What is loaded: whose CPU time counts, and where it listens. */
export interface Loaded {
  readonly pid: number;
  readonly port: number;
  readonly scheme: 'http' | 'https';
}

/** Loads `port` for `seconds` and charges the CPU time to `pid` (and its descendants). */
export async function load({ pid, port, scheme }: Loaded, work: Work, seconds: number): Promise<LoadResult> {
  const script = scriptFor(work);
  const before = cpuMs(pid);
  const output = await complete(
    'wrk',
    [
      '-t1',
      `-c${work.connections}`,
      `-d${seconds}s`,
      '--timeout',
      '10s',
      '-s',
      script,
      `${scheme}://127.0.0.1:${port}${work.path}`,
    ],
    (seconds + 30) * 1000,
  );
  const spent = cpuMs(pid) - before;
  const line = output.split('\n').find((candidate) => candidate.startsWith('{'));
  if (line === undefined) throw new Error(`wrk printed no summary:\n${output}`);
  const summary = JSON.parse(line) as { requests: number; micros: number; errors: number; p50: number; p99: number };
  return {
    requests: summary.requests,
    requestsPerSecond: (summary.requests * 1e6) / summary.micros,
    errors: summary.errors,
    cpuMicrosPerRequest: (spent * 1000) / summary.requests,
    latencyP50Ms: summary.p50 / 1000,
    latencyP99Ms: summary.p99 / 1000,
  };
}

const scripts = new Map<string, string>();

function scriptFor(work: Work): string {
  const key = JSON.stringify(work);
  const known = scripts.get(key);
  if (known !== undefined) return known;
  const file = join(scratchFolder('wrk'), 'load.lua');
  writeFileSync(file, luaFor(work));
  scripts.set(key, file);
  return file;
}

/** Every request asks for another order, with an id of its own, as clients behind a pool do. */
const VARYING = `local n = 0
request = function()
  n = n + 1
  wrk.headers["X-Request-Id"] = string.format("%08x-bench", n)
  return wrk.format("GET", "/api/orders/" .. n .. "?page=2&sort=date")
end`;

function luaFor(work: Work): string {
  const headers = Object.entries({
    ...{ Host: work.host, ...USUAL_HEADERS },
    ...(work.authorization === undefined ? {} : { Authorization: work.authorization }),
  });
  return [
    ...headers.map(([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`),
    work.varies ? VARYING : '',
    work.bodyBytes > 0 ? `wrk.method = "POST"\nwrk.body = string.rep("x", ${work.bodyBytes})` : '',
    'done = function(summary, latency)',
    '  local e = summary.errors',
    '  io.write(string.format(\'{"requests":%d,"micros":%d,"errors":%d,"p50":%d,"p99":%d}\\n\', summary.requests,',
    '    summary.duration, e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99)))',
    'end',
    '',
  ].join('\n');
}
