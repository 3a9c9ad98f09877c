import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {execa} from 'execa';

/** A server that was killed leaves its System V segment behind: removes it, if it is this data folder's own and nobody is attached. */
export async function removeSegment(data: string): Promise<void> {
  const segment = segmentOf(data);
  if (segment === null || !isUnattached(segment)) return;
  await execa('ipcrm', ['-m', segment.id], {reject: false, timeout: 5000});
}

/** Line 7 of postmaster.pid is the key and the id of the segment. */
function segmentOf(data: string): {key: string; id: string} | null {
  try {
    const [, key, id] = /^\s*(\d+)\s+(\d+)\s*$/.exec(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[6] ?? '') ?? [];
    return key === undefined || id === undefined ? null : {key, id};
  } catch {
    return null; // Stopped cleanly, or never started.
  }
}

/** The kernel may have given the id to another segment meanwhile: key and id must both be ours. */
function isUnattached(segment: {key: string; id: string}): boolean {
  let table: string;
  try {
    table = readFileSync('/proc/sysvipc/shm', 'utf8');
  } catch {
    return true; // No such table here (macOS): the id is all there is.
  }
  return table.split('\n').some((line) => {
    const [key, id, , , , , attached] = line.trim().split(/\s+/);
    return Number(key) >>> 0 === Number(segment.key) >>> 0 && id === segment.id && attached === '0';
  });
}
