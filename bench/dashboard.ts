// The dashboard as issue 9 asks for it: what it takes at 1 Hz beside its peers (dashboard-cost.ts), how soon it is there (dashboard-first-frame.ts), and how a
// thousand rows scroll (dashboard-scroll.ts). On labs of its own; kept in bench/results/dashboard.json. `node bench/dashboard.ts [cost|first-frame|scroll] [--quick]`:
// one part, or short windows, for trying; neither is kept.
import {loadavg} from 'node:os';
import {type Belongings, createBelongings} from './belongings.ts';
import {measureCost} from './dashboard-cost.ts';
import {measureFirstFrame} from './dashboard-first-frame.ts';
import {startTargets, type Targets, widen} from './dashboard-fleet.ts';
import {measureScroll} from './dashboard-scroll.ts';
import {BenchLab} from './lab.ts';
import {createReport} from './report.ts';

const PARTS = ['cost', 'first-frame', 'scroll'];
const args = process.argv.slice(2);
const isQuick = args.includes('--quick');
const [only, ...rest] = args.filter((each) => each !== '--quick');
if (rest.length > 0 || (only !== undefined && !PARTS.includes(only))) {
  console.error(`usage: node bench/dashboard.ts [${PARTS.join('|')}] [--quick]`);
  process.exit(64);
}
const wants = (part: string): boolean => only === undefined || only === part;
const windows = isQuick ? {warmMs: 3000, forMs: 6000} : {warmMs: 30_000, forMs: 60_000};
const times = isQuick ? 3 : 9;
const presses = isQuick ? {down: 40, pageDown: 12} : {down: 200, pageDown: 20};
const report = createReport('dashboard');
const belongings = createBelongings();

console.log(`Load of this machine before: ${loadavg()[0]?.toFixed(2)}`);
try {
  if (wants('cost') || wants('first-frame'))
    await onLab(7, 200, 21, async (fleet, targets) => {
      if (wants('cost')) await measureCost(report, {fleet, targets, windows, belongings});
      if (wants('first-frame')) await measureFirstFrame(report, {fleet, what: '7 regions, 200 endpoints, 21 links', times, belongings});
    });
  if (wants('first-frame'))
    await onLab(3, 3, 2, (_, __, lab) =>
      measureFirstFrame(report, {fleet: lab.env.REGIONCTL_FLEET, what: 'a lab of 3 regions', times, belongings}),
    );
  if (wants('scroll'))
    await onLab(3, 1000, 2, async (fleet) => {
      for (const [columns, rows] of [
        [120, 40],
        [300, 80],
      ] as const)
        await measureScroll(report, {fleet, size: {columns, rows}, presses, belongings});
    });
  if (isQuick || only !== undefined) console.log('Not kept: results come from all parts and whole windows.');
  else report.keep();
} finally {
  belongings.end();
}

/** A lab of so many regions and its fleet file, widened; all of it is gone afterwards. */
async function onLab(
  regions: number,
  endpoints: number,
  links: number,
  measure: (fleet: string, targets: Targets, lab: BenchLab) => Promise<void>,
): Promise<void> {
  const own: Belongings = belongings;
  const targets = own.own(await startTargets(endpoints), (it) => it.stop());
  const lab = own.own(new BenchLab(), (it) => it.down());
  lab.up('--regions', String(regions));
  await measure(widen(lab.env.REGIONCTL_FLEET, targets.ports, links), targets, lab);
  own.end();
}
