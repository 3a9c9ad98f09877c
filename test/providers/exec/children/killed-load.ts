import {guardedGenerators} from '../../../../src/lib/providers/exec/generator.ts';

// Starts a generator as regionctl does, tells its lines, and waits to be killed.
const [script = ''] = process.argv.slice(2);
const start = guardedGenerators({cwd: process.cwd(), scrub: (text) => text, forceAfterMs: 300});
await start({
  command: [process.execPath, '-e', script],
  cwd: null,
  env: {},
  timeoutMs: 60_000,
  onLine: (line) => process.stdout.write(`${line}\n`),
});
