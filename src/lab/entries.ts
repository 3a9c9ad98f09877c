import {join} from 'node:path';

/** The programs of the lab's own processes. */
export type LabEntries = {readonly supervisor: string; readonly service: string};

/** The program of a child process: in the built package, unless told otherwise (tests run the sources). */
export function labEntry(root: string, name: keyof LabEntries, entries?: LabEntries): string {
  return entries?.[name] ?? join(root, 'dist', 'lab', `${name}.js`);
}
