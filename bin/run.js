#!/usr/bin/env node
// Plain JavaScript that any Node can parse: it must be able to say that this Node is too old.
import {readFileSync} from 'node:fs';
import module from 'node:module';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const OLDEST = 24;
const root = fileURLToPath(new URL('..', import.meta.url));
const major = Number(process.versions.node.split('.')[0]);

if (major < OLDEST) {
  console.error(
    `regionctl needs Node.js ${OLDEST} or newer; this is ${process.versions.node}. Install a newer Node.js, or run "npm ci" in a clone of regionctl, which brings one.`,
  );
  process.exitCode = 69;
} else if (process.argv.length === 3 && (process.argv[2] === '--version' || process.argv[2] === '-v')) {
  // The fast path: no framework is loaded to print one line.
  const {name, version} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  console.log(`${name}/${version} ${process.platform}-${process.arch} node-${process.version}`);
} else {
  process.env.NODE_ENV ??= 'production'; // otherwise React runs its development build
  module.enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'regionctl', 'compile'));
  const {main} = await import('../dist/main.js');
  await main(root);
}
