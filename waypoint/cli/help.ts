// What each command is for and which flags it takes; the flags come from the tables that parse them.

import { describeRunFlags } from '../config.ts';
import { describeFlags } from '../flags.ts';
import { CHECK_FLAGS } from './check.ts';
import { DNS_COMMAND_FLAGS } from './dns.ts';
import { EXPLAIN_FLAGS } from './explain.ts';
import { LOCKDOWN_FLAGS } from './lockdown.ts';
import { VERIFY_FLAGS } from './verify.ts';

const OVERVIEW = `waypoint: a proxy that a service team puts in front of its services, fed by Gateway API objects

Usage: waypoint <command> [flags]

  run      serve what the resources say, and follow them as they change
  check    say what is wrong with resources, and each object's status
  explain  say where a request would go, and why
  dns      answer for the names of enrolled Services, or print them for another server
  lockdown print what keeps everybody but the waypoint away from the workloads
  verify   try to reach the workloads past the waypoint
  demo     a small shop behind a waypoint, with what to try
  version  the version of waypoint and of Node
  help     this, or the help of a command

Every flag can be set in the environment instead: --access-log is WAYPOINT_ACCESS_LOG. The flag wins.
`;

const TEXTS: ReadonlyMap<string, () => string> = new Map([
  ['run', () => `Usage: waypoint run --config <file|dir> [flags]\n\n${describeRunFlags()}`],
  [
    'check',
    () => `Usage: waypoint check <file|dir>... [flags]

Prints the conditions of every object and what is probably not meant.
Exits with 1 when something is wrong, with 2 when the command itself is.

${describeFlags(CHECK_FLAGS)}`,
  ],
  [
    'explain',
    () => `Usage: waypoint explain METHOD http[s]://host:port/path [-H name:value]... --config <file|dir>
       waypoint explain METHOD http[s]://host:port/path [-H name:value]... --admin <url>

Prints where the request would go, by which of the candidates and why, and who lets it pass or turns it away. A token
in a header is verified where its keys are written in the policy; else its claims are taken for true.

${describeFlags(EXPLAIN_FLAGS)}`,
  ],
  [
    'dns',
    () => `Usage: waypoint dns --config <file|dir> [flags]
       waypoint dns --config <file|dir> --print coredns|hosts|dnsmasq

Answers for the names of the Services that the resources enrol, with the address of the Service where the waypoint
owns it, else with that of the waypoint, and forwards all other names. waypoint run --dns does the same in its process.

${describeFlags(DNS_COMMAND_FLAGS)}`,
  ],
  [
    'lockdown',
    () => `Usage: waypoint lockdown <file|dir>... [flags]

Prints NetworkPolicies (or an nftables ruleset) that admit traffic to the workloads of enrolled Services from the
pods of their Gateway alone, at the ports that the Service names. What they cannot protect is told on stderr.

${describeFlags(LOCKDOWN_FLAGS)}`,
  ],
  [
    'verify',
    () => `Usage: waypoint verify <file|dir>... [flags]

Connects to every endpoint of the enrolled Services, past the waypoint, from where it is run, and looks whether their
addresses and names lead to the waypoint. The waypoint answers these requests itself; endpoints that can be reached
are sent one GET /. Exits with 1 when there is a way around the waypoint.

${describeFlags(VERIFY_FLAGS)}`,
  ],
  [
    'demo',
    () => `Usage: waypoint demo

Serves manifests/demo with sample services on loopback addresses (WAYPOINT_DEMO_NETWORK, default 127.0.10)
and prints what to try. Ctrl-C ends it.
`,
  ],
]);

export function helpText(command: string): string {
  return TEXTS.get(command)?.() ?? OVERVIEW;
}
