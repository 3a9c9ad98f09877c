// Kills regionctl at every point of a failover, failback or switchover on a real lab (--debian: on Debian's PostgreSQL 15 behind HAProxy), resumes it with the built program, and compares the end with that of
// a run that nobody disturbed. Needs a build. Prints one line for each point; ends with 1 when any of them went wrong.
//
//   node test/e2e/crash/soak.ts failover [lose|kill] [FILTER]   every point of the failover (FILTER: a regular expression on `moment:step`)
//   node test/e2e/crash/soak.ts failback [lose|kill] [FILTER]   every point of the failback
//   node test/e2e/crash/soak.ts switchover - [FILTER]           every point of a switchover
//   node test/e2e/crash/soak.ts KIND FAULT [FILTER] --undo        every point before the pivot; `runs undo`, and all is as it was
//   node test/e2e/crash/soak.ts undo                            killed while it undoes after Ctrl+C, before the pivot
//   node test/e2e/crash/soak.ts random [COUNT]                  the built program killed at random moments, every other resume killed too
import {setTimeout as sleep} from 'node:timers/promises';
import {parseArgs} from 'node:util';
import {CrashDebian} from './crash-debian.ts';
import type {CrashGround, Ended} from './crash-ground.ts';
import {CrashLab} from './crash-lab.ts';
import {type Cycle, type CycleOptions, cycle, type Disturb, type Kind, lastJournal} from './cycle.ts';
import type {EndState} from './end-state.ts';
import {problemsOf} from './judge.ts';
import {type Point, pointFrom, pointsOf, pointText} from './points.ts';
import {pointsBeforePivot, undone} from './undone.ts';

type Case = {readonly name: string; readonly point: Point | null; readonly disturb: Disturb; readonly behind: boolean};

const {
  values: {debian, undo},
  positionals: [mode = 'failover', second = '', filter = ''],
} = parseArgs({allowPositionals: true, options: {debian: {type: 'boolean', default: false}, undo: {type: 'boolean', default: false}}});
const kind: Kind = mode === 'failback' || mode === 'switchover' ? mode : 'failover';
const fault = second === 'kill' ? 'kill' : 'lose';
const say = (text: string) => process.stdout.write(`${text}\n`);

const lab: CrashGround = debian ? new CrashDebian() : new CrashLab();
try {
  await lab.up();
  process.exitCode = (await (undo ? soakUndo() : soak())) === 0 ? 0 : 1;
} finally {
  await lab.remove();
}

async function soak(): Promise<number> {
  const plain = await reference(false);
  // A target that is behind is not switched over to.
  const behind = kind === 'switchover' ? plain : await reference(true);
  const cases =
    mode === 'random' ? randomCases(Number(second || 20)) : mode === 'undo' ? undoCases() : pointCases(plain.points, behind.points);
  say(
    `${cases.length} cases; ${plain.points.length} points in the plan as it runs plainly, ${behind.points.length} where the target is behind`,
  );
  let bad = 0;
  for (const [index, each] of cases.entries()) {
    const began = performance.now();
    const problems = await tried(each, each.behind ? behind.state : plain.state);
    if (problems.length > 0) bad++;
    say(
      `${problems.length === 0 ? 'ok  ' : 'BAD '} ${index + 1}/${cases.length} ${each.name}${each.behind ? ' (behind)' : ''} ${since(began)} ${problems.join(' | ')}`,
    );
    if (problems.length > 0) await renew();
  }
  say(`${cases.length - bad} of ${cases.length} ended as an undisturbed run does`);
  return bad;
}

async function soakUndo(): Promise<number> {
  await reference(false);
  const cases = filtered(pointsBeforePivot(await lastJournal(lab, kind)).map((point) => pointCase(point, false)));
  say(`${cases.length} points before the pivot`);
  let bad = 0;
  for (const [index, {name, disturb}] of cases.entries()) {
    const began = performance.now();
    const problems = await undone(lab, {kind, fault, disturb}).catch((error: unknown) => [String(error)]);
    if (problems.length > 0) bad++;
    say(`${problems.length === 0 ? 'ok  ' : 'BAD '} ${index + 1}/${cases.length} ${name} ${since(began)} ${problems.join(' | ')}`);
    if (problems.length > 0) await renew();
  }
  say(`${cases.length - bad} of ${cases.length} came back to where they began`);
  return bad;
}

function since(began: number): string {
  return `${Math.round(performance.now() - began)} ms`;
}

async function tried({disturb, point, behind}: Case, wanted: EndState): Promise<readonly string[]> {
  try {
    return problemsOf(await cycle(lab, {kind, fault, disturb, behind}), wanted, point);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** A fleet that was left somewhere else would make every later case bad. */
async function renew(): Promise<void> {
  await lab.renew();
  // The first failover of a lab leaves settings in places where the later ones find them.
  await undisturbed(false);
}

async function reference(behind: boolean): Promise<{points: readonly Point[]; state: EndState}> {
  if (!behind) await undisturbed(false);
  const {state} = await undisturbed(behind);
  return {points: pointsOf(await lastJournal(lab, kind)), state};
}

async function undisturbed(behind: boolean): Promise<Cycle> {
  const options: CycleOptions = {
    kind,
    fault,
    behind,
    disturb: (here) => {
      if (kind === 'failover') return here.failover('--to', 'eu-west');
      return here.expectGood(kind, 'run', ...(kind === 'failback' ? [] : ['--to', 'eu-west']), '--yes', '--json');
    },
  };
  const found = await cycle(lab, options);
  if (found.lost.length > 0 || found.resumed.status !== 77)
    throw new Error(`the undisturbed run is no reference: ${JSON.stringify(found)}`);
  return found;
}

/** The points of the plain run, and those that it skips where the target is behind. */
function pointCases(plain: readonly Point[], behind: readonly Point[]): readonly Case[] {
  const known = new Set(plain.map(pointText));
  const more = behind.filter((point) => !known.has(pointText(point)));
  return filtered([...plain.map((point) => pointCase(point, false)), ...more.map((point) => pointCase(point, true))]);
}

function filtered(cases: readonly Case[]): readonly Case[] {
  const wanted = new RegExp(filter);
  return cases.filter(({name}) => wanted.test(name));
}

function pointCase(point: Point, behind: boolean): Case {
  const delay = point.moment === 'inside' ? Math.round(Math.random() * 30) : 0;
  const name = `${pointText(point)}${delay === 0 ? '' : ` +${delay} ms`}`;
  return {name, point, behind, disturb: (here) => here.doomed(kind, pointText(point), delay)};
}

function undoCases(): readonly Case[] {
  // The fence touched nothing of a region that is gone, so that there is no intent to undo it.
  const points = ['seal', 'drain-front-door', 'claim'].flatMap((step) => [`undo-intent:${step}`, `undo-result:${step}`]);
  return ['interrupted', 'undo-result:fence-us-east', ...points, 'always-started'].map((text) => ({
    ...{name: `${text} after Ctrl+C`, point: pointFrom(text), behind: false},
    disturb: (here: CrashGround) => here.doomed(kind, text, 0, 'fence-us-east'),
  }));
}

function randomCases(count: number): readonly Case[] {
  return Array.from({length: count}, (_, index) => {
    const after = Math.round(Math.random() * 900);
    const again = index % 2 === 1 ? Math.round(Math.random() * 700) : null;
    const name = `killed ${after} ms after its run began${again === null ? '' : `, its resume killed after ${again} ms`}`;
    return {name, point: null, behind: index % 3 === 2, disturb: (here: CrashGround) => killedAtRandom(here, after, again)};
  });
}

async function killedAtRandom(here: CrashGround, after: number, again: number | null): Promise<Ended> {
  const first = here.start('failover', 'run', '--to', 'eu-west', '--yes', '--no-guard');
  while (!first.stderr().includes('▶')) await Promise.race([sleep(5), first.ended]);
  await sleep(after);
  first.signal('SIGKILL');
  const died = await first.ended;
  if (again === null) return died;
  const resume = here.start('runs', 'resume', 'last', '--no-guard');
  await sleep(again);
  resume.signal('SIGKILL');
  await resume.ended;
  return died;
}
