import {unavailable} from '../lib/errors.ts';
import {callLab, type LabCall} from '../lib/providers/lab/http.ts';
import {readSecret} from './lab-place.ts';
import type {LabRecord} from './record.ts';

/** A call without what the lab's own record knows. */
export type LabQuestion = Pick<LabCall, 'method' | 'path' | 'body'> & {readonly deadlineMs?: number};

/** Asks the supervisor of a lab. Throws RegionctlError `lab-unreachable` when it does not answer in time (default 30 s). */
export async function askLab(record: LabRecord, question: LabQuestion): Promise<unknown> {
  if (record.control === null) throw unavailable('lab-unreachable', `the lab in ${record.dir} has not come up`);
  const token = await readSecret(record.dir, 'control');
  return callLab({
    ...question,
    url: `http://127.0.0.1:${record.control}`,
    token,
    deadlineMs: question.deadlineMs ?? 30_000,
    unreachable: 'lab-unreachable',
    who: `the supervisor of the lab in ${record.dir}`,
  });
}
