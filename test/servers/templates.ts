import {existsSync, mkdtempSync, renameSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';

/** Where the folder of a run's templates stands in the environment of its test files. */
const FOLDER = 'RC_TEST_TEMPLATES';

/** A prepared folder, to be copied and not to be changed. It is held until `release`. */
export type Template = {readonly dir: string; release(): void};

const held = new Map<string, Set<number>>();

/**
 * A folder that `create` fills, of a kind that `kind` names. The files of one run share what was made once; those that one process holds at the same
 * time are made apart, so that servers started apart are never of one lineage. Without a run, each is made anew, and removed when it is released.
 */
export async function takeTemplate(kind: string, create: (dir: string) => Promise<void>): Promise<Template> {
  const folder = process.env[FOLDER];
  if (folder === undefined) return ownTemplate(create);
  const numbers = held.get(kind) ?? new Set();
  held.set(kind, numbers);
  let number = 0;
  while (numbers.has(number)) number += 1;
  numbers.add(number);
  const template: Template = {dir: join(folder, `${kind}-${number}`), release: () => numbers.delete(number)};
  try {
    if (!existsSync(template.dir)) await createFor(template.dir, create);
    return template;
  } catch (error) {
    template.release();
    throw error;
  }
}

/** Another file may make the same at the same time: whoever is ready first, it is theirs. */
async function createFor(dir: string, create: (dir: string) => Promise<void>): Promise<void> {
  const mine = mkdtempSync(`${dir}-`);
  try {
    await create(join(mine, basename(dir)));
    moveUnlessThere(join(mine, basename(dir)), dir);
  } finally {
    rmSync(mine, {recursive: true, force: true});
  }
}

function moveUnlessThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}

async function ownTemplate(create: (dir: string) => Promise<void>): Promise<Template> {
  const folder = newFolder();
  const release = (): void => rmSync(folder, {recursive: true, force: true});
  try {
    await create(join(folder, 'template'));
    return {dir: join(folder, 'template'), release};
  } catch (error) {
    release();
    throw error;
  }
}

const newFolder = (): string => mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'rc-templates-'));

/** For Vitest, before the files of a run and after them: it ends their processes so that these could not clean up. */
export default function setup(): () => void {
  const folder = newFolder();
  process.env[FOLDER] = folder;
  return () => rmSync(folder, {recursive: true, force: true});
}
