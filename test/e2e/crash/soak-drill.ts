// Kills a drill that loses a region at every line of its journal, waits for the lease of its fault, looks for whatever is left of it, and resumes the
// run with the built program. Needs a build. Prints one line for each point; ends with 1 when any of them went wrong.
//
//   node test/e2e/crash/soak-drill.ts [FILTER] [AFTER]      FILTER: a regular expression on `moment:step`; AFTER: only lines after the last that this
//                                                           one matches
import {CrashLab} from './crash-lab.ts';
import {drillCycle, drillPoints, drillProblems} from './drill-cycle.ts';

const filter = new RegExp(process.argv[2] ?? '');
const last = process.argv[3] === undefined ? null : new RegExp(process.argv[3]);
const say = (text: string) => process.stdout.write(`${text}\n`);
const lab = new CrashLab();
try {
  await lab.up();
  process.exitCode = (await soak()) === 0 ? 0 : 1;
} finally {
  await lab.remove();
}

async function soak(): Promise<number> {
  const all = await drillPoints(lab);
  const points = all.slice(last === null ? 0 : all.findLastIndex((point) => last.test(point)) + 1).filter((point) => filter.test(point));
  say(`${points.length} lines of the journal`);
  let bad = 0;
  for (const [index, point] of points.entries()) {
    const {text, problems} = await tried(point);
    if (problems.length > 0) bad++;
    say(`${problems.length === 0 ? 'ok  ' : 'BAD '} ${index + 1}/${points.length} ${point}: ${text} ${problems.join(' | ')}`);
    if (problems.length > 0) await lab.renew();
  }
  say(`${points.length - bad} of ${points.length} left nothing`);
  return bad;
}

async function tried(point: string): Promise<{readonly text: string; readonly problems: readonly string[]}> {
  try {
    const found = await drillCycle(lab, point);
    const {freeMs, clean, resumed, writes} = found;
    const how = `resume ${resumed.status}, ${resumed.outcome}${resumed.reason === null ? '' : `: ${resumed.reason}`}`;
    return {
      text: `free after ${(freeMs / 1000).toFixed(1)} s; clean: ${clean}; ${how}; writes in ${writes}`,
      problems: drillProblems(found),
    };
  } catch (error) {
    return {text: '', problems: [error instanceof Error ? error.message : String(error)]};
  }
}
