#!/usr/bin/env node
// Starts waypoint from the sources of a checkout or from the compiled package; says so where Node is too old for it.
// Plain enough for any Node to read: it must get as far as the message.

var least = [26, 10, 0];

function isTooOld(version) {
  var parts = version.split('.');
  var at;
  for (at = 0; at < least.length; at++) {
    if (Number(parts[at]) !== least[at]) return Number(parts[at]) < least[at];
  }
  return false;
}

function start() {
  process.getBuiltinModule('node:module').enableCompileCache();
  // Modules survive: that is no reason for a larger young generation (see first-load.ts, which takes it back).
  process.getBuiltinModule('node:v8').setFlagsFromString('--semi-space-growth-factor=1');
  var fs = process.getBuiltinModule('node:fs');
  var url = process.getBuiltinModule('node:url');
  var here = url.pathToFileURL(fs.realpathSync(process.argv[1]));
  var source = new URL('./main.ts', here);
  // Node does not strip types inside node_modules: the package carries JavaScript in dist, in the same folders.
  var entry = fs.existsSync(source) ? source : new URL('../../dist/waypoint/cli/main.js', here);
  // The import is kept in a string: a Node that does not know the syntax could not read this file at all.
  return new Function('specifier', 'return import(specifier)')(entry.href);
}

if (isTooOld(process.versions.node)) {
  process.stderr.write(
    'waypoint needs Node 26.10 or later; this is ' +
      process.version +
      ' (' +
      process.execPath +
      ').\n' +
      'In a checkout `npx waypoint` uses the pinned one after `npm ci`; else install it from https://nodejs.org/.\n',
  );
  process.exitCode = 1;
} else {
  start().then((cli) => cli.main(process.argv.slice(2), process.env));
}
