import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {askLab} from '../../../src/lab/control-client.ts';
import type {JournalEvent} from '../../../src/lib/ports/state.ts';
import {systemClock} from '../../../src/lib/run/system-clock.ts';
import {openState} from '../../../src/lib/state/sqlite.ts';
import type {Ended} from './crash-ground.ts';
import type {CrashLab} from './crash-lab.ts';
import {AWAY, HOME} from './cycle.ts';
import {pointText} from './points.ts';
import {Writer} from './writer.ts';

const LEASE_MS = 8000;
/** What a lease may be late by: the lab's own timer is told to wait that much longer than the reaper. */
const LATE_MS = 7000;

/** What one killed drill left, and how it went on. */
export type DrillCycle = {
  readonly died: Ended;
  /** From its end until no fault was active and no reaper ran, in ms. */
  readonly freeMs: number;
  readonly clean: string;
  /** How the run that was resumed ended. */
  readonly resumed: {readonly status: number | null; readonly outcome: string | null; readonly reason: string | null};
  readonly writes: string | null;
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly problems: readonly string[];
};

/** region-lost with a lease (in ms) that is short enough to wait for. */
export function shortDrill(lab: CrashLab, leaseMs = LEASE_MS): string {
  const file = join(lab.parent, 'short-lease.yaml');
  writeFileSync(
    file,
    `name: short-lease
scenario: region-lost
fault: {kind: lose, region: primary, lease: ${leaseMs}ms}
witness: {every: 20ms, warmUp: 300ms, coolDown: 300ms}
reaction: {failover: {}}
`,
  );
  return file;
}

/** One round: the drill is killed at a point, its lease ends, what is left is looked for, the run is resumed, and the fleet is brought home. */
export async function drillCycle(lab: CrashLab, point: string, leaseMs = LEASE_MS): Promise<DrillCycle> {
  const writer = new Writer(lab, `d${process.hrtime.bigint()}`);
  writer.start();
  try {
    await writer.more(5);
    const died = await lab.doomed(shortDrill(lab, leaseMs), point);
    const freeMs = await untilFree(lab, leaseMs);
    const problems = freeMs > leaseMs + LATE_MS ? [`a fault or its reaper was left: ${JSON.stringify(await left(lab))}`] : [];
    // Behind a fence nobody writes, so what the witness left in its store may have to wait for the run.
    const clean = await cleaned(lab, problems, [0, 1]);
    const resume = await lab.cli('runs', 'resume', 'last', '--json');
    const resumed = {status: resume.status, ...said(resume)};
    problems.push(...streamProblems(lab));
    await cleaned(lab, problems, [0]);
    await writer.more(3);
    await writer.stop();
    const writes = await lab.order(`after-${process.hrtime.bigint()}`);
    const judged = await writer.judge(writes ?? HOME);
    if (writes === AWAY) await lab.expectGood('failback', 'run', '--yes', '--json');
    await healthy(lab);
    return {died, freeMs, clean, resumed, writes, ...judged, problems};
  } finally {
    await writer.stop();
  }
}

/** What is wrong with it; empty = nothing. `over` = the run had ended when it was killed. */
export function drillProblems(found: DrillCycle): readonly string[] {
  const {died, resumed, lost, doubled} = found;
  const rows: readonly (readonly [boolean, string])[] = [
    [died.signal === 'SIGKILL', `it was not killed: ${died.status} ${died.stderr}`],
    [lost.length + doubled.length === 0, `lost ${lost.join(', ')}; twice ${doubled.join(', ')}`],
    // An outage that lasts as long as the lease does may miss the objective; whatever comes of it, it is said why.
    [
      resumed.outcome === 'succeeded' || (resumed.reason ?? '').length > 20,
      `resume ended with ${resumed.status}, ${resumed.outcome}: ${resumed.reason}`,
    ],
    [[0, 1, 2, 3, 77].includes(resumed.status ?? -1), `resume ended with ${resumed.status}: ${resumed.reason}`],
  ];
  return [...found.problems, ...rows.flatMap(([holds, text]) => (holds ? [] : [text]))];
}

/** The journal of the newest drill. */
export async function lastDrill(lab: CrashLab): Promise<readonly JournalEvent[]> {
  const state = await openState({dir: lab.stateDir, clock: systemClock()});
  try {
    const run = state.runs(lab.fleet).find(({kind}) => kind === 'drill');
    return run === undefined ? [] : state.events(run.runId);
  } finally {
    state.close();
  }
}

/**
 * The witness of the store in a drill that was resumed: its place may have been cleaned meanwhile. While the front door takes writes there is a primary, and
 * what goes straight into the store must be taken as well.
 */
function streamProblems(lab: CrashLab): readonly string[] {
  const dir = join(lab.stateDir, 'witness');
  const [newest] = readdirSync(dir)
    .flatMap((name) => /^(drill-.*)\.orders\.store-witness\.ndjson$/.exec(name)?.[1] ?? [])
    .toSorted()
    .reverse();
  const [door, store] = ['witness', 'orders.store-witness'].map((kind) => lastLife(join(dir, `${newest}.${kind}.ndjson`))) as [Life, Life];
  if (door.acknowledged < FEW || store.acknowledged > 0) return [];
  return [
    `of ${store.sent} writes the store took none after the resume of ${newest}, and ${door.acknowledged} went through the front door`,
  ];
}

/* A service may be there for a moment only. */
const FEW = 20;

type Life = {readonly sent: number; readonly acknowledged: number};

/** What the last process sent that carried a witness; a run that was not begun again has sent nothing. */
function lastLife(file: string): Life {
  const lives = existsSync(file) ? readFileSync(file, 'utf8').split('"mark":"open"').slice(1) : [];
  const count = (what: RegExp): number => (lives.length < 2 ? 0 : (lives.at(-1)?.match(what)?.length ?? 0));
  return {sent: count(/"outcome"/g), acknowledged: count(/"outcome":"acknowledged"/g)};
}

type Left = {readonly faults: readonly unknown[]; readonly reapers: readonly string[]};

/** Asked of the lab and of the processes of this machine, not of regionctl. */
async function left(lab: CrashLab): Promise<Left> {
  const {faults} = (await askLab(lab.record, {method: 'GET', path: '/faults'})) as {faults: readonly unknown[]};
  return {faults, reapers: commands().filter((command) => /reaper/.test(command) && command.includes(lab.stateDir))};
}

async function untilFree(lab: CrashLab, leaseMs: number): Promise<number> {
  const began = performance.now();
  for (;;) {
    const {faults, reapers} = await left(lab);
    const passed = performance.now() - began;
    if ((faults.length === 0 && reapers.length === 0) || passed > leaseMs + LATE_MS) return passed;
    await sleep(50);
  }
}

function commands(): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    });
}

/** What `drill clean` found; a second one must find no fault. `statuses` are those that it may end with. */
async function cleaned(lab: CrashLab, problems: string[], statuses: readonly (number | null)[]): Promise<string> {
  const [first, second] = [await lab.cli('drill', 'clean', '--json'), await lab.cli('drill', 'clean', '--json')];
  const verdicts = [first, second].map(({stdout}) => /"verdict": "([\w-]+)"/.exec(stdout)?.[1] ?? 'none said');
  if (!statuses.includes(first.status) || !['none', 'healed'].includes(verdicts[0] ?? ''))
    problems.push(`drill clean: ${first.stdout}${first.stderr}`);
  if (!statuses.includes(second.status) || verdicts[1] !== 'none') problems.push(`drill clean again: ${second.stdout}${second.stderr}`);
  if (second.status === 0 && !(await withoutTable(lab))) problems.push('the table of the witness is left in the store');
  const left = /"removed": false/.test(second.stdout) ? ', a store is not cleaned' : '';
  return `${verdicts[0] ?? ''}${left}`;
}

/** Asked of the server that takes writes: a former primary has what it had until it follows. Where none does nobody can clean. */
async function withoutTable(lab: CrashLab): Promise<boolean> {
  const region = await lab.order(`clean-${process.hrtime.bigint()}`).catch(() => null);
  if (region === null) return true;
  const [seen] = await lab.sql<{there: string | null}>(region, "select to_regclass('public.regionctl_witness')::text as there");
  return seen?.there === null;
}

function said({stdout, stderr}: Ended): {outcome: string | null; reason: string | null} {
  try {
    const {outcome = null, reason = null, verdictReason = null, error = null} = JSON.parse(stdout);
    return {outcome, reason: reason ?? verdictReason ?? error?.message ?? error};
  } catch {
    return {outcome: null, reason: `${stdout}${stderr}`};
  }
}

async function healthy(lab: CrashLab): Promise<void> {
  const end = performance.now() + 20_000;
  let last = '';
  while (performance.now() < end) {
    const {status, stdout} = await lab.cli('status', '--json');
    if (status === 0) return;
    last = stdout;
    await sleep(200);
  }
  throw new Error(`it was not well again: ${last}`);
}

/** Every line of the journal of a drill that nobody disturbed, in order; the fleet is brought home after it. */
export async function drillPoints(lab: CrashLab): Promise<readonly string[]> {
  await lab.expectGood('drill', 'run', shortDrill(lab), '--yes', '--json');
  const lines = (await lastDrill(lab)).map(({type, step}) => pointText({moment: type, step: step ?? ''}));
  await lab.expectGood('failback', 'run', '--yes', '--json');
  await healthy(lab);
  return [...new Set(lines)];
}
