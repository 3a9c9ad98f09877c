import {refused} from '../lib/errors.ts';
import {isRunning} from '../lib/processes.ts';
import {askLab} from './control-client.ts';
import type {ActiveFault} from './faults.ts';
import {type LabStatus, statusOf} from './lab-status.ts';
import {type LabRecord, readRecord} from './record.ts';

const ANSWER_MS = 2000;

/** The state of the lab in `dir`, also when its supervisor is dead or stuck: then `faults` is null. */
export async function labStatus(dir: string): Promise<LabStatus> {
  const record = openRecord(dir);
  const faults = isRunning(record.supervisor) ? await faultsOf(record) : null;
  return statusOf(record, faults);
}

/** The record of the lab in `dir`. Throws RegionctlError `no-lab` when there is none. */
export function openRecord(dir: string): LabRecord {
  const record = readRecord(dir);
  if (record !== null) return record;
  throw refused('no-lab', `there is no lab in ${dir}`, {
    suggestions: [`regionctl lab up --dir ${dir}`, 'give the folder of the lab with --dir'],
  });
}

async function faultsOf(record: LabRecord): Promise<readonly ActiveFault[] | null> {
  try {
    const answer = (await askLab(record, {method: 'GET', path: '/faults', deadlineMs: ANSWER_MS})) as {faults: readonly ActiveFault[]};
    return answer.faults;
  } catch {
    return null;
  }
}
