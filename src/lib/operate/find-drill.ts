import {stat} from 'node:fs/promises';
import {resolve} from 'node:path';
import {usageError} from '../errors.ts';
import {nearest} from '../fleet/lookup.ts';
import {type DrillFile, type DrillPlaces, drillFiles, shownPath} from './drill-files.ts';

/** Whether a drill is told by its path: with a slash or the ending of YAML. Everything else is a name. */
const PATH = /[/\\]|\.ya?ml$/i;

/**
 * The file of a drill that is given by its path or by its name. A path is taken as it is, whether or not it is there. A name is looked up in the
 * calendar's files, `dir`, the folder `drills` beside the fleet file and the drills of the program, in this order: the nearest wins. Throws a usage
 * error (64) when there is none of this name, with what was probably meant, or when the same place has two.
 */
export async function findDrill(nameOrPath: string, places: DrillPlaces): Promise<string> {
  if (PATH.test(nameOrPath) || (await isFile(resolve(places.cwd, nameOrPath)))) return nameOrPath;
  const {files} = await drillFiles(places);
  const chosen = chosenOf(nameOrPath, files);
  if (chosen.length === 0) throw noDrill(nameOrPath, files, places);
  if (chosen.length > 1) {
    const paths = chosen.map(({file}) => shownPath(file, places.cwd));
    throw usageError(`${paths.length} files declare the drill "${nameOrPath}": ${paths.join(', ')}`, {
      suggestions: ['Give the path of one.'],
    });
  }
  return chosen[0]?.file ?? nameOrPath;
}

/** The files that a name stands for: those of the nearest place that has it; more than one = it is not clear which. */
export function chosenOf(name: string, files: readonly DrillFile[]): readonly DrillFile[] {
  const named = files.filter((one) => one.name === name);
  return named.filter(({place}) => place === named[0]?.place);
}

function noDrill(name: string, files: readonly DrillFile[], {dir, fleet}: DrillPlaces) {
  const guess = nearest(
    name,
    files.map((one) => one.name),
  );
  const where = [
    ...(fleet === null ? [] : ['beside the fleet file']),
    ...(dir === undefined ? [] : [`in ${dir}`]),
    'among those of the program',
  ];
  return usageError(`there is no drill "${name}" ${where.join(' or ')}`, {
    suggestions: [...(guess === undefined ? [] : [`Did you mean "${guess}"?`]), 'regionctl drill list shows them; a path works too.'],
  });
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
