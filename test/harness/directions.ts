// Who may import whom: the rooms of the house and the one direction between them, checked on the import lines.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

interface Room {
  /** Other rooms that every file of this one may import. */
  readonly rooms: readonly string[];
  /** Packages, `node:` for all of Node. Tests may use assertions and properties besides. */
  readonly packages: readonly string[];
}

const ROOMS: Readonly<Record<string, Room>> = {
  routing: { rooms: [], packages: [] },
  policies: { rooms: ['routing'], packages: [] },
  'gateway-api': { rooms: ['policies', 'routing'], packages: ['node:', 'yaml', 'ajv', '@bufbuild/cel'] },
  waypoint: { rooms: ['policies', 'routing'], packages: ['node:'] },
};

/** What single files may import beyond their room, and why that is right. */
const EXCEPTIONS: readonly { readonly files: RegExp; readonly imports: RegExp }[] = [
  // Patterns run in linear time, which the language's own do not.
  { files: /^routing\/pattern\.ts$/, imports: /^re2js$/ },
  // The composition root: resources become a snapshot here and nowhere else in waypoint/.
  { files: /^waypoint\/(main\.ts|index\.ts|cli\/.*)$/, imports: /^gateway-api\// },
  // Off the data path, on the main thread, and loaded only where a policy asks for checks.
  { files: /^waypoint\/health-probe\.ts$/, imports: /^undici$/ },
  // Generated from the protos; the only ones that know protobuf's own types.
  { files: /^waypoint\/protos\/gen\/[\w-]+_pb\.ts$/, imports: /^@bufbuild\/protobuf(\/codegenv2)?$/ },
  // The SPIFFE Workload API is asked over gRPC, on the main thread, and only where its socket is named.
  { files: /^waypoint\/credentials\/workload-api\.ts$/, imports: /^(@grpc\/grpc-js|@bufbuild\/protobuf)$/ },
  // Loaded with the DNS server, where one was asked for: the records of answers as bytes.
  { files: /^waypoint\/redirect\/dns\/codec\.ts$/, imports: /^dns-packet$/ },
  // The library of JOSE: loaded by a worker when the first token has to be verified.
  { files: /^waypoint\/jwt\/signature\.ts$/, imports: /^jose$/ },
  // On the main thread, and loaded only where a rule names a URI for its keys.
  { files: /^waypoint\/jwt\/jwks-(request|fetcher)\.ts$/, imports: /^(undici|opossum)$/ },
  // Spoken with outside services, and loaded only where a policy names one.
  { files: /^waypoint\/external\/(auth|rate-limit)-grpc\.ts$/, imports: /^@bufbuild\/protobuf$/ },
  { files: /^waypoint\/external\/breakers\.ts$/, imports: /^opossum$/ },
  { files: /\.test\.ts$/, imports: /^(node:.*|fast-check|test\/harness\/.*)$/ },
];

/** Every import under `root` that goes against the directions, as `file: import of 'x' ...`; empty when there is none. */
export function violations(root: string): string[] {
  return Object.keys(ROOMS).flatMap((room) =>
    sources(root, room).flatMap((file) =>
      imports(readFileSync(join(root, file), 'utf8')).flatMap((specifier) => {
        const target = specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : specifier;
        return allowed(file, room, target) ? [] : [`${file}: import of '${target}' is not allowed in ${room}/`];
      }),
    ),
  );
}

function sources(root: string, room: string): string[] {
  return readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|js)$/.test(name))
    .map((name) => join(room, name));
}

/** The specifiers of static imports, re-exports, and dynamic imports and requires of a literal. */
function imports(text: string): string[] {
  const statements = text.matchAll(
    /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]/gm,
  );
  const calls = text.matchAll(/\b(?:import|require)\(\s*['"]([^'"]+)['"]\s*\)/g);
  return [...statements, ...calls].map((match) => (match[1] ?? match[2]) as string);
}

function allowed(file: string, room: string, target: string): boolean {
  const { rooms, packages } = ROOMS[room] as Room;
  if ([room, ...rooms].some((name) => target.startsWith(`${name}/`))) return true;
  if (EXCEPTIONS.some((exception) => exception.files.test(file) && exception.imports.test(target))) return true;
  return packages.some((name) => target === name || target.startsWith(name.endsWith(':') ? name : `${name}/`));
}
