import {readdir, readFile, realpath, stat} from 'node:fs/promises';
import {basename, dirname, join, relative, resolve} from 'node:path';
import {type DrillContext, readDrill} from '../drill/drill-file.ts';
import {LARGEST_BYTES} from '../drill/drill-text.ts';
import {messageOf, usageError} from '../errors.ts';
import type {Fleet} from '../fleet/fleet.ts';
import {describeProblem} from '../fleet/problem.ts';
import {parseSource} from '../fleet/source.ts';

/** Where a drill's file was found, the nearest first: this is the order in which a name is looked up. */
const PLACES = ['calendar', 'dir', 'fleet', 'shipped'] as const;
export type DrillPlace = (typeof PLACES)[number];

/** Where drills are looked for: `root` = the package, `dir` = a folder that was named. Without a fleet there is neither a calendar nor its folder. */
export type DrillPlaces = {readonly root: string; readonly cwd: string; readonly fleet: Fleet | null; readonly dir?: string | undefined};

/**
 * A drill's file. `name` is the one that it declares, or that of the file where none can be read. `problem` = why it cannot be run. `entry` = the
 * calendar's name for it.
 */
export type DrillFile = {
  readonly file: string;
  readonly place: DrillPlace;
  readonly name: string;
  readonly scenario: string | null;
  readonly description: string;
  readonly problem: string | null;
  readonly entry: string | null;
};

type Found = Pick<DrillFile, 'file' | 'place' | 'entry'>;

const MOST_FILES = 200;
const YAML = /\.ya?ml$/i;

/** Every drill that can be found, the nearest first and by name; a file that is in several places is listed once. `notes` = folders that could not be read. */
export async function drillFiles(places: DrillPlaces): Promise<{readonly files: readonly DrillFile[]; readonly notes: readonly string[]}> {
  const {root, cwd, fleet, dir} = places;
  const folders: {place: DrillPlace; path: string}[] = [
    ...(dir === undefined ? [] : [{place: 'dir' as const, path: resolve(cwd, dir)}]),
    ...(fleet === null ? [] : [{place: 'fleet' as const, path: join(dirname(fleet.file), 'drills')}]),
    {place: 'shipped', path: join(root, 'examples/drills')},
  ];
  const looked = await Promise.all(folders.map(({place, path}) => filesIn(place, path)));
  const ofCalendar = (fleet?.drills?.calendar ?? []).flatMap(({name, file}): Found[] =>
    file === null ? [] : [{file, place: 'calendar', entry: name}],
  );
  const unique = await once([...ofCalendar, ...looked.flatMap(({found}) => found)]);
  const files = await Promise.all(unique.map((found) => readOne(found, {file: found.file, cwd, ...(fleet === null ? {} : {fleet})})));
  const near = (one: DrillFile) => PLACES.indexOf(one.place);
  return {
    files: files.toSorted((a, b) => near(a) - near(b) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
    notes: looked.flatMap(({notes}) => notes),
  };
}

/** The path as messages show it: relative where it is below the current folder. */
export function shownPath(file: string, cwd: string): string {
  const path = relative(cwd, file);
  return path === '' || path.startsWith('..') ? file : path;
}

/** The YAML files of a folder, by name. One that was named must be there; the others need not. */
async function filesIn(place: DrillPlace, path: string): Promise<{found: readonly Found[]; notes: readonly string[]}> {
  try {
    const names = (await readdir(path)).filter((name) => YAML.test(name) && !name.startsWith('.')).toSorted();
    const found = names.slice(0, MOST_FILES).map((name): Found => ({file: join(path, name), place, entry: null}));
    const notes = names.length > MOST_FILES ? [`${path} has ${names.length} files: only the first ${MOST_FILES} were looked at`] : [];
    return {found, notes};
  } catch (error) {
    if (place === 'dir') throw usageError(`the folder ${path} cannot be read: ${messageOf(error)}`);
    return {found: [], notes: isMissing(error) ? [] : [`the folder ${path} cannot be read: ${messageOf(error)}`]};
  }
}

/** A file of the calendar is often one of the folder, too. */
async function once(all: readonly Found[]): Promise<readonly Found[]> {
  const real = await Promise.all(all.map(({file}) => realpath(file).catch(() => file)));
  return all.filter((_, index) => real.indexOf(real[index] ?? '') === index);
}

async function readOne(found: Found, context: DrillContext): Promise<DrillFile> {
  const unread = {...found, name: found.entry ?? basename(found.file).replace(YAML, ''), scenario: null, description: ''};
  try {
    const stats = await stat(found.file);
    // A pipe would be waited for.
    if (!stats.isFile()) return {...unread, problem: `${shownPath(found.file, context.cwd)} is no file`};
    if (stats.size > LARGEST_BYTES) return {...unread, problem: `${shownPath(found.file, context.cwd)} is larger than 1 MiB`};
    return readText(unread, await readFile(found.file, 'utf8'), context);
  } catch (error) {
    const path = shownPath(found.file, context.cwd);
    return {...unread, problem: isMissing(error) ? `there is no file ${path}` : `${path} cannot be read: ${messageOf(error)}`};
  }
}

function readText(unread: Omit<DrillFile, 'problem'>, text: string, context: DrillContext): DrillFile {
  const {drill, problems} = readDrill(text, context);
  if (drill !== null) {
    const {name, scenario, description} = drill;
    return {...unread, name, scenario, description: oneLine(description), problem: null};
  }
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  const problem = first === undefined ? 'it is no drill' : `${describeProblem(unread.file, first, context.cwd)}${more}`;
  return {...unread, ...headOf(text), problem};
}

/** What a file that is wrong elsewhere still says of itself. */
function headOf(text: string): Partial<Pick<DrillFile, 'name' | 'scenario' | 'description'>> {
  const raw = parseSource(text).source?.raw;
  if (typeof raw !== 'object' || raw === null) return {};
  const given = (key: string): string | undefined => {
    const value = (raw as Record<string, unknown>)[key];
    return typeof value === 'string' && value.trim() !== '' ? oneLine(value) : undefined;
  };
  const [name, scenario, description] = [given('name'), given('scenario'), given('description')];
  return {
    ...(name === undefined ? {} : {name}),
    ...(scenario === undefined ? {} : {scenario}),
    ...(description === undefined ? {} : {description}),
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}
