import {readdir} from 'node:fs/promises';
import {refused} from '../lib/errors.ts';
import {isRunning, signalAll, waitUntil} from '../lib/processes.ts';
import {askLab} from './control-client.ts';
import {type LabRecord, readRecord} from './record.ts';
import {endProcesses, removeFiles} from './sweep.ts';

/** What became of it. `nothing` = there was no lab. `forced` = its supervisor did not answer and was killed. */
export type DownResult = {readonly outcome: 'stopped' | 'forced' | 'nothing'; readonly dir: string};

/** A supervisor that is alive but stopped or stuck is given this long. */
const ANSWER_MS = 3000;
const END_MS = 20_000;

/** Ends the lab in `dir` and removes everything that it made, whatever state it is in. */
export async function stopLab(dir: string): Promise<DownResult> {
  const record = readRecord(dir);
  if (record === null) {
    await refuseForeign(dir);
    return {outcome: 'nothing', dir};
  }
  const answered = await endSupervisor(record);
  await endProcesses(record);
  await removeFiles(record);
  return {outcome: answered ? 'stopped' : 'forced', dir};
}

/** A folder with other things in it is a typing error more often than not. */
async function refuseForeign(dir: string): Promise<void> {
  const [found] = await readdir(dir).catch(() => []);
  if (found === undefined) return;
  throw refused('not-a-lab', `${dir} is not a lab: it has no lab.json`, {suggestions: ['give the folder of the lab with --dir']});
}

/** True = it ended by itself when asked. */
async function endSupervisor(record: LabRecord): Promise<boolean> {
  if (!isRunning(record.supervisor)) return false;
  const asked = await askLab(record, {method: 'POST', path: '/shutdown', deadlineMs: ANSWER_MS}).then(
    () => true,
    () => false,
  );
  if (asked && (await waitUntil(() => !isRunning(record.supervisor), END_MS))) return true;
  // Looked at again: only the very process that was recorded is killed.
  if (isRunning(record.supervisor)) signalAll([record.supervisor.pid], 'SIGKILL');
  await waitUntil(() => !isRunning(record.supervisor), 5000);
  return false;
}
