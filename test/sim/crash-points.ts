import type {Plan} from '../../src/lib/plan/plan.ts';
import type {JournalEvent} from '../../src/lib/ports/state.ts';
import type {Point} from './history.ts';
import {type Job, launch, type Running} from './operator.ts';
import {crash} from './power.ts';
import {Process} from './process.ts';
import {type FleetSetup, SimFleet} from './sim-fleet.ts';
import {type DataDir, dataDir} from './sim-state.ts';

/** Which run is killed. */
export type Kind = 'failover' | 'switchover' | 'failback';

/** A fleet right before a command is given, and the command. */
export type Stage = {readonly fleet: SimFleet; readonly dir: DataDir; readonly job: Job; readonly underLoad: boolean};

const SETUP: FleetSetup = {
  seed: 7,
  members: 3,
  quorum: 1,
  // The wanted target is behind, so that catching up has something to do.
  delays: [150, 3],
  hosts: ['stop', 'stop', 'stop'],
  writers: [
    {via: 'router', level: 'quorum', everyMs: 20, cancels: false},
    {via: 'us-east', level: 'quorum', everyMs: 15, cancels: false},
  ],
};
const LONG_MS = 120_000;
const [HOME, AWAY] = ['us-east', 'eu-west'] as const;
const FAILOVER: Job = {kind: 'failover', from: HOME, to: AWAY, overrides: ['primary-silent'], guardMs: 0};

/**
 * Always the same, event by event: so a point that one run had, another one has too. A failover leaves a primary that was killed, or one that is
 * cut off and lives on.
 */
export async function stage(kind: Kind, loss: 'killed' | 'cut-off' = 'killed', underLoad = false): Promise<Stage> {
  const fleet = new SimFleet(SETUP);
  const dir = dataDir(fleet, 'ops-1');
  // Its own rule of who must acknowledge is not the plan's.
  const target = fleet.server(AWAY);
  target.file.rule = {need: 0, of: []};
  target.reload();
  await fleet.scheduler.runUntil(600);
  if (kind === 'switchover') return {fleet, dir, job: {kind, from: HOME, to: AWAY, overrides: [], guardMs: 0}, underLoad};
  if (loss === 'killed') crash(fleet.server(HOME));
  else for (const place of [HOME, `host:${HOME}`]) fleet.net.cut(fleet.net.link(dir.name, place));
  if (kind === 'failover') return {fleet, dir, job: FAILOVER, underLoad};
  await endOf({fleet, dir, job: FAILOVER, underLoad: true}, null);
  await fleet.scheduler.runUntil(fleet.scheduler.now + 1000);
  return {fleet, dir, job: {kind, from: AWAY, to: HOME, overrides: [], guardMs: 0}, underLoad};
}

/** Gives the command, kills its process at a point (null = nowhere), and waits for its end. */
export async function endOf(on: Stage, point: Point | null): Promise<Running> {
  const {fleet, dir, job} = on;
  const process = new Process(fleet, `${job.kind}-${dir.runs.length}`, dir.name);
  const calm = calmDown(on);
  process.disturb = (self, moment) => {
    calm(self, moment);
    if (point !== null && moment.kind === point.kind && moment.label === point.label) self.kill();
  };
  return awaited(fleet, launch(process, dir, job));
}

/** A new process takes the last run up. */
export function takeUp(on: Stage, kind: 'resume' | 'undo'): Promise<Running> {
  const {fleet, dir} = on;
  const process = new Process(fleet, kind, dir.name);
  process.disturb = calmDown(on);
  return awaited(fleet, launch(process, dir, {kind, guardMs: 0}));
}

/** Once traffic is back nobody writes any more, unless it is to be under load: where a run ends is compared with where another one does. */
function calmDown({fleet, underLoad}: Stage): Process['disturb'] {
  return (_process, {kind, label}) => {
    if (
      underLoad ||
      kind !== 'append' ||
      !label.startsWith('step-started rejoin') ||
      fleet.router.weights[HOME] === fleet.router.weights[AWAY]
    )
      return;
    for (const writer of fleet.writers) writer.stopped = true;
  };
}

async function awaited(fleet: SimFleet, running: Running): Promise<Running> {
  await fleet.scheduler.runUntil(fleet.scheduler.now + LONG_MS, () => running.end !== null || !running.process.alive);
  // What it had sent arrives, and its sessions are closed.
  await fleet.scheduler.runUntil(fleet.scheduler.now + 100);
  return running;
}

/** What a fleet at rest looks like. */
export type Rest = {
  readonly members: readonly {readonly name: string; readonly file: object; readonly live: object}[];
  readonly weights: object;
};

/** What the fleet looks like once it has come to rest, whatever the way there. Positions differ, everything else must not. */
export async function restOf({fleet}: Stage): Promise<Rest> {
  await fleet.scheduler.runUntil(fleet.scheduler.now + 2000);
  const members = [...fleet.servers.values()].map((server) => {
    const {name, status, role, epoch, live, file, hba, receiver, lockedBy} = server;
    const upstream = receiver?.accepted === true ? receiver.up.name : null;
    const access = {closed: hba.closed, kept: hba.kept, loadedClosed: hba.loadedClosed};
    return {name, status, role, epoch, live, file, access, upstream, lockedBy: lockedBy?.application ?? null};
  });
  return {members, weights: fleet.router.weights};
}

/**
 * Every point at which a run can be killed, told from its plan and from the journal of one that nobody disturbed: four for a step that acts
 * (before its intent, between intent and effect, between effect and result, after the result), two for one that has nothing to do.
 */
export function pointsOf(plan: Plan, journal: readonly JournalEvent[]): readonly {readonly step: string; readonly point: Point}[] {
  return [...plan.steps, ...plan.always].flatMap(({id}) => {
    const wrote = (type: string): boolean => journal.some((event) => event.step === id && event.type === type);
    const end = wrote('result') ? 'result' : wrote('step-failed') ? 'step-failed' : null;
    const lines = end !== null ? ['intent', end] : wrote('step-skipped') ? ['step-skipped'] : [];
    return lines.flatMap((line) =>
      (['append', 'appended'] as const).map((kind) => ({step: id, point: {kind, count: null, label: `${line} ${id}`}})),
    );
  });
}
