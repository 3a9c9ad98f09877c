import {dirname, resolve} from 'node:path';
import {readFleetText, textDigestOf} from './find.ts';
import type {Env} from './interpolate.ts';
import {type Path, problemsError, valueAt} from './problem.ts';
import {expand} from './references.ts';
import {parseSource, type Source} from './source.ts';

/** What a fleet file says of where its state is kept. `stateDir` is absolute; null = it leaves that to regionctl. */
export type FleetPlace = {readonly name: string; readonly textDigest: string; readonly stateDir: string | null};

/**
 * Reads no more of a fleet file than its name and where its state is kept: no provider is loaded, no secret is looked for, and nothing else in it is checked.
 * `file` is absolute. Throws `fleet-missing` (66), and `fleet-invalid` (78) for what keeps these two from being read.
 */
export async function readFleetPlace(file: string, env: Env = process.env): Promise<FleetPlace> {
  const text = await readFleetText(file);
  if (typeof text !== 'string') throw problemsError(file, [text], process.cwd());
  const {source, problems} = parseSource(text);
  if (source === null) throw problemsError(file, problems, process.cwd());
  const read = (path: Path): string | null => textAt(source, path, {file, env});
  const name =
    read(['fleet']) ?? refuse(source, file, {path: ['fleet'], message: 'the fleet has no name', suggestion: 'Write fleet: NAME.'});
  const dir = read(['state', 'dir']);
  return {name, textDigest: textDigestOf(text), stateDir: dir === null ? null : resolve(dirname(file), dir)};
}

/** A text of the file with its variables filled in; null where there is none. */
function textAt(source: Source, path: Path, {file, env}: {readonly file: string; readonly env: Env}): string | null {
  const value = valueAt(source.raw, path);
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string')
    return refuse(source, file, {path, message: 'expected a text', suggestion: 'Write one word, in quotes if it is a number.'});
  const expansion = expand(value, env);
  return expansion.ok ? expansion.text : refuse(source, file, {path, ...expansion});
}

function refuse(source: Source, file: string, {path, message, suggestion}: {path: Path; message: string; suggestion: string}): never {
  throw problemsError(file, [source.place({path, at: 'value', message, suggestion})], process.cwd());
}
