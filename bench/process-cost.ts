import {readFileSync} from 'node:fs';

/** What a process took within a time. CPU in percent of one core, memory in MB (10^6 bytes): the highest that was seen in that time, and the highest ever. */
export type Cost = {readonly seconds: number; readonly cpuPercent: number; readonly rssMb: number; readonly peakMb: number};

const LOOK_MS = 250;

/** Watches a process and its threads for so long. */
export async function costOf(pid: number, forMs: number): Promise<Cost> {
  const [began, cpu] = [performance.now(), cpuMsOf(pid)];
  let highest = 0;
  while (performance.now() - began < forMs) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_MS, forMs)));
    highest = Math.max(highest, memoryOf(pid).rssMb);
  }
  const elapsed = performance.now() - began;
  return {
    seconds: Math.round(elapsed / 1000),
    cpuPercent: ((cpuMsOf(pid) - cpu) / elapsed) * 100,
    rssMb: highest,
    peakMb: memoryOf(pid).peakMb,
  };
}

/** Of a process and its threads, in ms: fields 14 and 15 of its stat, in hundredths of a second. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function memoryOf(pid: number): {readonly rssMb: number; readonly peakMb: number} {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (field: string): number => (Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'mu').exec(status)?.[1]) * 1024) / 1e6;
  return {rssMb: megabytes('VmRSS'), peakMb: megabytes('VmHWM')};
}
