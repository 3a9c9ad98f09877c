import {readdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {processRow} from '../processes.ts';

/** What an operator printed into a file, by the process of regionctl that started it: `RUN.operator-PID-TIME.log`, without RUN in earlier versions. */
const OPERATOR_LOG = /(?:^|\.)operator-(\d+)-\d+\.log$/u;

/** The name of such a file for this process. */
export function operatorLogName(runId: string, wall: number): string {
  return `${runId}.operator-${process.pid}-${Math.round(wall)}.log`;
}

/** Removes such files whose process is gone, or those of one run. Answers how many there were; `dryRun` leaves them. Never throws. */
export async function removeOperatorLogs(
  stateDir: string,
  {runId, dryRun = false}: {runId?: string; dryRun?: boolean} = {},
): Promise<number> {
  const dir = join(stateDir, 'witness');
  const names = (await readdir(dir).catch(() => [] as string[])).filter((name) => {
    const pid = Number(OPERATOR_LOG.exec(name)?.[1] ?? 0);
    return pid > 0 && (runId === undefined ? processRow(pid) === null : name.startsWith(`${runId}.`));
  });
  if (!dryRun) await Promise.allSettled(names.map((name) => rm(join(dir, name), {force: true})));
  return names.length;
}
