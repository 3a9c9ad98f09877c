import {globSync, readFileSync} from 'node:fs';
import {dirname, join, relative} from 'node:path';
import {describe, expect, it} from 'vitest';
import {ROOT} from './program.ts';

const DIST = join(ROOT, 'dist');
/** What must not be loaded before it is needed: a file that has one of these texts holds that library. */
const HEAVY: Readonly<Record<string, RegExp>> = {
  'react and ink': /react\.(element|transitional\.element|memo)|ink-root/u,
  yoga: /FLEX_DIRECTION_COLUMN/u,
  pg: /SCRAM-SERVER-FINAL-MESSAGE|pg_catalog\.set_config|client_encoding/u,
  undici: /UND_ERR_/u,
  sqlite: /node:sqlite/u,
  yaml: /Implicit map keys need to be followed by map values/u,
  execa: /isGracefullyCanceled/u,
};

const IMPORT = /\b(?:import|export)\b[^'"`()]*?["']([^"']+)["']|\bimport["']([^"']+)["']/gu;

/** Every file of dist that is loaded when `entry` is imported, without what it imports later. */
function staticallyLoaded(entry: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  for (const match of readFileSync(entry, 'utf8').matchAll(IMPORT)) {
    const specifier = match[1] ?? match[2] ?? '';
    if (specifier.startsWith('.')) staticallyLoaded(join(dirname(entry), specifier), seen);
  }
  return seen;
}

const heavyIn = (entry: string) =>
  [...staticallyLoaded(entry)].flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    return Object.entries(HEAVY)
      .filter(([, mark]) => mark.test(text))
      .map(([name]) => `${name} in ${relative(DIST, file)}`);
  });

const entries = ['main.js', 'kit/help.js', 'kit/command.js', ...globSync('{commands,hooks}/**/*.js', {cwd: DIST}).toSorted()];

describe('what start-up loads', () => {
  it.each(entries)('%s loads no heavy library', (entry) => {
    expect(heavyIn(join(DIST, entry))).toEqual([]);
  });

  it('the marks by which libraries are known still fit', () => {
    const all = globSync('**/*.js', {cwd: DIST}).map((file) => readFileSync(join(DIST, file), 'utf8'));
    for (const [name, mark] of Object.entries(HEAVY))
      expect(
        all.some((text) => mark.test(text)),
        name,
      ).toBe(true);
  });

  it('nothing is imported that would have to be installed', () => {
    for (const file of globSync('**/*.js', {cwd: DIST})) {
      const found = [...readFileSync(join(DIST, file), 'utf8').matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? '');
      const foreign = found.filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:') && !BUILTIN.has(specifier));
      expect(
        foreign.filter((specifier) => /^[@a-z][\w@./-]*$/u.test(specifier)),
        file,
      ).toEqual([]);
    }
  });
});

/** Names of Node's own modules that dependencies import without the prefix, and optional parts that are never there. */
const BUILTIN = new Set(['assert', 'buffer', 'module', 'stream', 'events', 'react-devtools-core']);
