import {setTimeout as sleep} from 'node:timers/promises';
import {isDeepStrictEqual} from 'node:util';
import type {JournalEvent} from '../../../src/lib/ports/state.ts';
import type {CrashGround} from './crash-ground.ts';
import {ALL, AWAY, type CycleOptions, HOME} from './cycle.ts';
import {type EndState, endState, timelineOf} from './end-state.ts';
import {difference} from './judge.ts';
import {type Point, pointsOf} from './points.ts';
import {Writer} from './writer.ts';

const HEALTHY_MS = 20_000;

/** The points of an undisturbed run at which the way back is open still. */
export function pointsBeforePivot(events: readonly JournalEvent[]): readonly Point[] {
  const pivot = events.findIndex(({type, step}) => type === 'intent' && step === 'promote');
  const before = pointsOf(events.slice(0, pivot)).filter(({step, moment}) => step !== '' || moment === 'run-started');
  return [...before, {moment: 'step-started', step: 'promote'}];
}

/** One round: the run is killed, undone, and the fleet must be as it was before it. Answers what is wrong. */
export async function undone(lab: CrashGround, {kind, fault, disturb}: CycleOptions): Promise<readonly string[]> {
  const writer = new Writer(lab, `u${process.hrtime.bigint()}`);
  writer.start();
  try {
    await writer.more(5);
    const base = await timelineOf(lab, HOME);
    if (kind === 'failback') await away(lab);
    const before = await endState(lab, kind === 'failback' ? [AWAY, 'ap'] : ALL, base);
    if (kind === 'failover') await lab.fault(fault, HOME);
    const problems = await killAndUndo(lab, disturb);
    if (kind === 'failover') await lab.heal(HOME);
    if (kind !== 'failback') await healthy(lab);
    const after = await endState(lab, Object.keys(before.members), base);
    const [was, is] = kind === 'failback' ? [before, after].map(withoutHome) : [before, after];
    if (!isDeepStrictEqual(is, was)) problems.push(`not as it was: ${difference(is, was)}`);
    await writer.more(3);
    await writer.stop();
    const {lost, doubled} = await writer.judge(kind === 'failback' ? AWAY : HOME);
    if (lost.length + doubled.length > 0) problems.push(`lost ${lost.join(', ')}; twice ${doubled.join(', ')}`);
    if (kind === 'failback') await lab.expectGood('failback', 'run', '--yes', '--json');
    return problems;
  } finally {
    await writer.stop();
  }
}

async function away(lab: CrashGround): Promise<void> {
  await lab.fault('kill', HOME);
  await lab.failover('--to', AWAY);
  await lab.heal(HOME);
}

async function killAndUndo(lab: CrashGround, disturb: CycleOptions['disturb']): Promise<string[]> {
  const died = await disturb(lab);
  if (died.signal !== 'SIGKILL') return [`it was not killed: ${died.status} ${died.stderr}`];
  const undo = await lab.cli('runs', 'undo', 'last', '--json');
  const list = JSON.parse((await lab.cli('runs', 'list', '--json')).stdout);
  const problems: string[] = [];
  const {outcome, reason = undo.stdout} = read(undo.stdout);
  // Where nothing had been begun there is nothing to take back, and that is said.
  const nothing = outcome !== 'undone' && /there was nothing to undo/.test(reason);
  if (undo.status !== 0 && !nothing) problems.push(`undo ended with ${undo.status}: ${reason}`);
  if (list.runs[0]?.outcome !== 'undone' && !nothing) problems.push(`listed as ${list.runs[0]?.outcome}`);
  return problems;
}

function read(text: string): {readonly outcome?: string; readonly reason?: string} {
  try {
    return JSON.parse(text) as {outcome?: string; reason?: string};
  } catch {
    return {};
  }
}

/** A member that comes back, and standbys that look for it again, take a moment. */
async function healthy(lab: CrashGround): Promise<void> {
  const end = performance.now() + HEALTHY_MS;
  let last = '';
  while (performance.now() < end) {
    const {status, stdout} = await lab.cli('status', '--json');
    if (status === 0) return;
    last = stdout;
    await sleep(200);
  }
  throw new Error(`it was not well again within ${HEALTHY_MS} ms: ${last}`);
}

/** Home may have been brought back by the failback before it was killed: that is not taken back. */
function withoutHome({members, ...rest}: EndState): unknown {
  const others = Object.entries(members).map(([name, {standbys, ...member}]) => {
    const {[HOME]: _home, ...left} = standbys;
    return [name, {...member, standbys: left, slotsInUse: member.slotsInUse.filter((slot) => !slot.includes(HOME.replaceAll('-', '_')))}];
  });
  return {...rest, members: Object.fromEntries(others)};
}
