import {existsSync} from 'node:fs';
import {rm, rmdir} from 'node:fs/promises';
import {join} from 'node:path';
import {processesIn, signalAll, waitUntil} from '../lib/processes.ts';
import {templateOf} from './build-regions.ts';
import {removeFaketimeMemory} from './clock-skew.ts';
import {pidsOf} from './lab-status.ts';
import {DATA_MARKER, type LabRecord, recordFile} from './record.ts';
import {removeSegment} from './shared-memory.ts';

/** What a lab makes in its folder; nothing else in it is touched. */
const OWN_FILES = ['regionctl.yaml', 'fleet.schema.json', 'secrets', 'logs', 'state', 'lab.json.new'];

/** Ends every process of the regions, also stopped and orphaned ones, and gives their shared memory back. Answers how many there were. */
export async function endProcesses(record: LabRecord): Promise<number> {
  const all = () => [...new Set([...record.regions.flatMap((region) => pidsOf(region)), ...processesIn(record.dataRoot)])];
  const found = all();
  // initdb removes what it holds in memory when it is asked to end; nothing else is asked.
  const template = templateOf(record.dataRoot);
  signalAll(processesIn(template), 'SIGTERM');
  await waitUntil(() => processesIn(template).length === 0, 1000);
  const gone = await waitUntil(() => {
    const left = all();
    signalAll(left, 'SIGKILL');
    return left.length === 0;
  }, 10_000);
  if (!gone) throw new Error(`processes ${all().join(', ')} of the lab do not end`);
  await Promise.all(found.map(removeFaketimeMemory));
  await Promise.all([template, ...record.regions.map(({data}) => data)].map(removeSegment));
  return found.length;
}

/** Removes what the lab made. Its record goes last, so that a removal that was cut short can be done again. */
export async function removeFiles(record: LabRecord): Promise<void> {
  // Without its marker the folder is not the lab's, whatever the record says.
  if (existsSync(join(record.dataRoot, DATA_MARKER))) await rm(record.dataRoot, {recursive: true, force: true});
  for (const name of OWN_FILES) await rm(join(record.dir, name), {recursive: true, force: true});
  await rm(recordFile(record.dir), {force: true});
  // Kept when somebody else put something into it.
  await rmdir(record.dir).catch(() => undefined);
}
