import {existsSync} from 'node:fs';
import {stateError} from './errors.ts';

/**
 * A program of this package that runs in a thread or process of its own, as seen by the module at `from` (its import.meta.url). Beside the sources it is
 * `source`, from the folder of that module; the built package has it at `built` below dist, some folders up from wherever chunks are.
 */
export function ownProgram(from: string, {source, built}: {readonly source: string; readonly built: string}): URL {
  const places = from.endsWith('.ts') ? [source] : [built, `../${built}`, `../../${built}`, `../../../${built}`];
  const found = places.map((place) => new URL(place, from)).find((place) => existsSync(place));
  if (found === undefined) throw stateError('program-missing', `this package lacks its part ${built}`);
  return found;
}
