import type {JournalEvent} from '../../../src/lib/ports/state.ts';
import {systemClock} from '../../../src/lib/run/system-clock.ts';
import {openState} from '../../../src/lib/state/sqlite.ts';
import type {CrashGround, Ended, Fault} from './crash-ground.ts';
import {type EndState, endState, timelineOf} from './end-state.ts';
import {Writer} from './writer.ts';

/** Which run is disturbed. A failback is disturbed after a failover that was not; a switchover while nothing is lost. */
export type Kind = 'failover' | 'failback' | 'switchover';
/** How regionctl is brought to its end. It answers how it ended; a later one goes on. */
export type Disturb = (lab: CrashGround) => Promise<Ended>;
/** What one cycle found. */
export type Cycle = {
  readonly died: Ended;
  readonly resumed: Ended;
  readonly outcome: string | null;
  readonly listed: string | null;
  readonly state: EndState;
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly acknowledged: number;
};

export type CycleOptions = {
  readonly kind: Kind;
  readonly fault: Fault;
  readonly disturb: Disturb;
  /** Leaves eu-west behind ap, and without its rule for acknowledgements, so that catching up and durability have something to do. */
  readonly behind?: boolean;
};

export const HOME = 'us-east';
export const AWAY = 'eu-west';
export const ALL = [HOME, AWAY, 'ap'];

/** One whole round under load: the region is lost, the disturbed run is resumed, the fleet is looked at and brought back to its start. */
export async function cycle(lab: CrashGround, options: CycleOptions): Promise<Cycle> {
  const writer = new Writer(lab, `w${process.hrtime.bigint()}`);
  writer.start();
  try {
    await writer.more(5);
    const catchUpFrom = options.behind === true ? await fallBehind(lab, writer) : null;
    const base = await timelineOf(lab, HOME);
    if (options.kind === 'switchover') return await disturbedSwitchover(lab, options.disturb, writer, base);
    await lab.fault(options.fault, HOME);
    if (catchUpFrom !== null) await set(lab, {primary_conninfo: catchUpFrom});
    const {kind, disturb} = options;
    const found = await (kind === 'failover'
      ? disturbedFailover(lab, disturb, writer, base)
      : disturbedFailback(lab, disturb, writer, base));
    if (catchUpFrom !== null) await set(lab, {synchronous_standby_names: null});
    return found;
  } finally {
    await writer.stop();
  }
}

async function disturbedFailover(lab: CrashGround, disturb: Disturb, writer: Writer, base: number): Promise<Cycle> {
  const {died, resumed} = await disturbAndResume(lab, disturb);
  const seen = [0, 1, 77].includes(resumed.status ?? -1) ? await judged(lab, [AWAY, 'ap'], base, writer, AWAY) : null;
  if (seen === null) return failed(died, resumed);
  const heads = await listed(lab);
  await lab.heal(HOME);
  await lab.expectGood('failback', 'run', '--yes', '--json');
  return {died, resumed, ...heads, ...seen};
}

async function disturbedFailback(lab: CrashGround, disturb: Disturb, writer: Writer, base: number): Promise<Cycle> {
  await lab.failover('--to', AWAY);
  await lab.heal(HOME);
  const {died, resumed} = await disturbAndResume(lab, disturb);
  const seen = [0, 1, 77].includes(resumed.status ?? -1) ? await judged(lab, ALL, base + 1, writer, HOME) : null;
  if (seen === null) return failed(died, resumed);
  return {died, resumed, ...(await listed(lab)), ...seen};
}

async function disturbedSwitchover(lab: CrashGround, disturb: Disturb, writer: Writer, base: number): Promise<Cycle> {
  const {died, resumed} = await disturbAndResume(lab, disturb);
  const seen = [0, 1, 77].includes(resumed.status ?? -1) ? await judged(lab, ALL, base, writer, AWAY) : null;
  if (seen === null) return failed(died, resumed);
  const heads = await listed(lab);
  await lab.expectGood('switchover', 'run', '--to', HOME, '--yes', '--json');
  return {died, resumed, ...heads, ...seen};
}

async function disturbAndResume(lab: CrashGround, disturb: Disturb) {
  const died = await disturb(lab);
  // As doomed.ts ends when its point was never reached.
  if (died.status === 3) throw new Error('it was not killed: the point was never reached');
  return {died, resumed: await lab.cli('runs', 'resume', 'last', '--no-guard', '--json')};
}

function failed(died: Ended, resumed: Ended): never {
  throw new Error(
    `resume ended with ${resumed.status ?? resumed.signal}: ${briefly(resumed)}\nit had died with ${died.signal ?? died.status}`,
  );
}

function briefly({stdout, stderr}: Ended): string {
  try {
    const {outcome, reason, error, steps} = JSON.parse(stdout);
    return JSON.stringify({outcome, reason, error, steps: steps?.map((step: {id: string; status: string}) => `${step.id} ${step.status}`)});
  } catch {
    return `${stdout}\n${stderr}`;
  }
}

async function judged(lab: CrashGround, members: readonly string[], base: number, writer: Writer, primary: string) {
  const state = await endState(lab, members, base);
  await writer.more(3);
  await writer.stop();
  return {state, acknowledged: writer.acknowledged.length, ...(await writer.judge(primary))};
}

async function listed(lab: CrashGround): Promise<{outcome: string | null; listed: string | null}> {
  const [show, list] = await Promise.all([lab.cli('runs', 'show', 'last', '--json'), lab.cli('runs', 'list', '--json')]);
  return {outcome: JSON.parse(show.stdout).outcome ?? null, listed: JSON.parse(list.stdout).runs[0]?.outcome ?? null};
}

/** eu-west lets go while writes go on, so that ap holds more; its own rule for acknowledgements is not the plan's. Answers what it followed. */
async function fallBehind(lab: CrashGround, writer: Writer): Promise<string> {
  const [row] = await lab.sql<{conninfo: string}>(AWAY, `select current_setting('primary_conninfo') as "conninfo"`);
  await set(lab, {primary_conninfo: '', synchronous_standby_names: ''});
  await writer.more(20);
  return row?.conninfo ?? '';
}

/** Settings of eu-west, past every fault; null = as its own file says. */
async function set(lab: CrashGround, settings: Readonly<Record<string, string | null>>): Promise<void> {
  const client = await lab.connect(AWAY);
  try {
    for (const [name, value] of Object.entries(settings))
      await client.query(`alter system ${value === null ? `reset ${name}` : `set ${name} = ${client.escapeLiteral(value)}`}`);
    await client.query('select pg_reload_conf()');
  } finally {
    await client.end();
  }
}

/** The journal of the newest run of that kind that was disturbed or would have been. */
export async function lastJournal(lab: CrashGround, kind: Kind): Promise<readonly JournalEvent[]> {
  const state = await openState({dir: lab.stateDir, clock: systemClock()});
  try {
    // A switchover is brought home by another one.
    const run = state.runs(lab.fleet).find((head) => head.kind === kind && (kind === 'failback' || head.to === AWAY));
    return run === undefined ? [] : state.events(run.runId);
  } finally {
    state.close();
  }
}
