// A DENY on a path holds for all its spellings: whatever a server behind the waypoint would take for that path is denied
// or refused, at every level at which the waypoint promises to read paths as that server does.

import assert from 'node:assert/strict';
import { posix } from 'node:path';
import type { AuthorizationPlan } from '../policies/authorization.ts';
import { decodeAuthorization } from '../policies/authorization-decode.ts';
import { Authorizer } from '../policies/authorizer.ts';
import { normalisePath, type PathLevel } from '../routing/path.ts';
import { requestHead } from './harness/heads.ts';
import { peerOf } from './harness/peer.ts';

const PREFIXES = ['/admin', '/api/v1/users', '/a', '/internal/metrics', '/Secret.html', '/x-y_z~1'];

/** Ways to write `/p/q` differently; `p` is its first segment, `rest` what follows, with its slash. */
const SPELLINGS: readonly ((p: string, rest: string) => string)[] = [
  (p, rest) => `/${p}${rest}`,
  (p, rest) => `//${p}${rest}`,
  (p, rest) => `///${p}${rest}`,
  (p, rest) => `/./${p}${rest}`,
  (p, rest) => `/x/../${p}${rest}`,
  (p, rest) => `/x//../${p}${rest}`,
  (p, rest) => `/x/y/../../${p}${rest}`,
  (p, rest) => `/x/./../${p}${rest}`,
  (p, rest) => `/%2e/${p}${rest}`,
  (p, rest) => `/%2E/${p}${rest}`,
  (p, rest) => `/x/%2e%2e/${p}${rest}`,
  (p, rest) => `/x/.%2e/${p}${rest}`,
  (p, rest) => `/x/%2E./${p}${rest}`,
  (p, rest) => `/${encoded(p)}${rest}`,
  (p, rest) => `/${encoded(p).toUpperCase()}${rest}`,
  (p, rest) => `\\${p}${rest}`,
  (p, rest) => `/\\${p}${rest}`,
  (p, rest) => `/x\\..\\${p}${rest}`,
  (p, rest) => `/x/..\\${p}${rest}`,
  (p, rest) => `/%2f${p}${rest}`,
  (p, rest) => `/%2F%2F${p}${rest}`,
  (p, rest) => `/x%2f..%2f${p}${rest}`,
  (p, rest) => `/x/..%2f${p}${rest}`,
  (p, rest) => `/%5c${p}${rest}`,
  (p, rest) => `/x%5c..%5C${p}${rest}`,
  (p, rest) => `/${p};x${rest}`,
  (p, rest) => `/${p};${rest}`,
  (p, rest) => `/;/${p}${rest}`,
  (p, rest) => `/;a=b;c=d/${p}${rest}`,
  (p, rest) => `/x;a/../${p}${rest}`,
  (p, rest) => `/x/..;/${p}${rest}`,
  (p, rest) => `/x/..;a=b/${p}${rest}`,
  (p, rest) => `/x/y/..;/..;/${p}${rest}`,
  (p, rest) => `/.;/${p}${rest}`,
  (p, rest) => `/..;/${p}${rest}`,
  (p, rest) => `/${p}${rest};v=1`,
  (p, rest) => `/${p}${rest}/`,
  (p, rest) => `/${p}${rest}//`,
  (p, rest) => `/${p}${rest}/.`,
  (p, rest) => `/${p}${rest}/x/..`,
  (p, rest) => `/${p}${rest}/%2e`,
  (p, rest) => `/${p}${rest}#/../x`,
  (p, rest) => `/x/../x/../${p}${rest}/y`,
  (p, rest) => `/%252e%252e/${p}${rest}`,
  (p, rest) => `/x%00/../${p}${rest}`,
  (p, rest) => `/../${p}${rest}`,
];

function encoded(text: string): string {
  return [...text].map((char) => `%${char.charCodeAt(0).toString(16)}`).join('');
}

type Judge = (path: string) => string;

/** What servers make of a path. */
const url: Judge = (path) => new URL(`http://server${path}`).pathname;
const clean: Judge = (path) => posix.normalize(path);
const tomcat: Judge = (path) => posix.normalize(unreserved(path.replace(/;[^/]*/g, '')));
const decoding: Judge = (path) => posix.normalize(path.replace(/%2f|%5c|\\/gi, '/').replace(/%2e/gi, '.'));

function unreserved(path: string): string {
  return path.replace(/%([0-9a-f]{2})/gi, (whole, hex: string) => {
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    return /[\w.~-]/.test(char) ? char : whole;
  });
}

const JUDGES: Readonly<Record<PathLevel, Readonly<Record<string, Judge>>>> = {
  // Only a server that takes paths as they are reads the same.
  none: {},
  base: { url },
  'merge-slashes': { url, clean, tomcat },
  'decode-and-merge': { url, clean, tomcat, decoding },
};

describe('a DENY on a path', () => {
  for (const level of Object.keys(JUDGES) as PathLevel[]) {
    it(`holds for ${SPELLINGS.length} spellings of ${PREFIXES.length} paths at level ${level}`, () => {
      let denied = 0;
      for (const prefix of PREFIXES) {
        const authorizer = new Authorizer([denying(prefix)], ['cluster.local']);
        const [, first = '', rest = ''] = /^\/([^/]+)(.*)$/.exec(prefix) ?? [];
        for (const spell of SPELLINGS) {
          const sent = spell(first, rest);
          const path = normalisePath(sent, level);
          if (path === null || !decides(authorizer, path)) {
            denied += 1;
            continue;
          }
          for (const [name, judge] of Object.entries(JUDGES[level])) {
            const seen = judge(path);
            const isUnder = seen === prefix || seen.startsWith(`${prefix}/`);
            assert.ok(!isUnder, `${sent} is forwarded as ${path}, which ${name} takes for ${seen}`);
          }
        }
      }
      assert.ok(denied > PREFIXES.length, `${denied} are denied`);
    });
  }

  for (const level of Object.keys(JUDGES) as PathLevel[]) {
    it(`is not got by with an ALLOW on another path at level ${level}`, () => {
      const authorizer = new Authorizer([allowing('/public')], ['cluster.local']);
      let allowed = 0;
      for (const prefix of PREFIXES) {
        const [, first = '', rest = ''] = /^\/([^/]+)(.*)$/.exec(prefix) ?? [];
        for (const spell of SPELLINGS) {
          for (const start of ['/public', '/public/x/..', '/public;a', '/public/.', '/public/..;', '/public/%2e%2e']) {
            const sent = start + spell(first, rest);
            const path = normalisePath(sent, level);
            if (path === null || !decides(authorizer, path)) continue;
            allowed += 1;
            for (const [name, judge] of Object.entries(JUDGES[level])) {
              const seen = judge(path);
              assert.ok(/^\/public(\/|$)/.test(seen.replace(/;[^/]*/g, '')), `${sent} is ${seen} for ${name}`);
            }
          }
        }
      }
      assert.ok(allowed > 200, `${allowed} are allowed`);
    });
  }

  it('is not what an ALLOW of all else lets through either', () => {
    for (const prefix of PREFIXES) {
      const authorizer = new Authorizer([allowingAllBut(prefix)], ['cluster.local']);
      const [, first = '', rest = ''] = /^\/([^/]+)(.*)$/.exec(prefix) ?? [];
      for (const spell of SPELLINGS) {
        const path = normalisePath(spell(first, rest), 'decode-and-merge');
        if (path === null || !decides(authorizer, path)) continue;
        for (const [name, judge] of Object.entries(JUDGES['decode-and-merge'])) {
          const seen = judge(path);
          assert.ok(seen !== prefix && !seen.startsWith(`${prefix}/`), `${path} is ${seen} for ${name}`);
        }
      }
    }
  });
});

function decides(authorizer: Authorizer, path: string): boolean {
  const { allowed } = authorizer.decide({
    ...{ head: requestHead({ path }), peer: peerOf(), listenerPort: 80, matchedPrefix: null },
    ...{ remoteAddress: '127.0.0.1', destinationPort: 80, token: null },
  });
  return allowed;
}

function denying(prefix: string): AuthorizationPlan {
  return planOf({ action: 'DENY', rules: [{ to: [{ operation: { paths: [prefix, `${prefix}/*`] } }] }] });
}

function allowing(prefix: string): AuthorizationPlan {
  return planOf({ rules: [{ to: [{ operation: { paths: [prefix, `${prefix}/*`] } }] }] });
}

function allowingAllBut(prefix: string): AuthorizationPlan {
  return planOf({ rules: [{ to: [{ operation: { notPaths: [prefix, `${prefix}/*`] } }] }] });
}

function planOf(spec: object): AuthorizationPlan {
  const report = { unsupported: (path: string, message: string) => assert.fail(`${path}: ${message}`) };
  const decoded = decodeAuthorization(spec, 'spec', 'shop', report);
  assert.ok(decoded !== null);
  return { policy: 'p', ...decoded, shadow: false, failure: null, externalAuth: null };
}
