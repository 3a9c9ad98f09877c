import type {Mutant} from './mutants.ts';
import {type Job, launch, type Running} from './operator.ts';
import {crash, start} from './power.ts';
import {Process} from './process.ts';
import type {Server} from './server.ts';
import {type FleetSetup, SimFleet} from './sim-fleet.ts';
import {breakLease, type DataDir, dataDir} from './sim-state.ts';
import type {Violation} from './truth.ts';

/** Where a process is disturbed: at its so-manieth statement, or the first time that one with this label is due. */
export type Point = {readonly kind: 'send' | 'append' | 'appended'; readonly count: number | null; readonly label: string | null};

/** What happens to a process there. A sleep lasts `ms`; `meanwhile` happens soon after it began. */
export type Disturbance = {
  readonly at: Point;
  readonly act: 'kill' | 'kill-sent' | 'sleep' | 'interrupt';
  readonly ms: number;
  readonly meanwhile: readonly WorldEvent['what'][];
};

/** One command that somebody gives, what happens to its process, and what is given next if it did not end well. */
export type Command = {
  readonly at: number;
  /** Data directories by number: processes of one share journal and lease. */
  readonly dir: number;
  readonly job: Job;
  readonly disturbance: Disturbance | null;
  readonly next: {readonly afterMs: number; readonly kind: 'resume' | 'undo'} | null;
};

/** What happens to the world by itself. Members by number, 0 is the first primary. */
export type WorldEvent = {
  readonly at: number;
  readonly what:
    | {readonly kind: 'crash' | 'start' | 'restart' | 'freeze' | 'thaw'; readonly member: number}
    | {readonly kind: 'cut' | 'mend'; readonly from: Place; readonly to: Place}
    /** A hand points a standby at the first primary again, past everybody. */
    | {readonly kind: 'reattach'; readonly member: number}
    | {readonly kind: 'break-lease'; readonly dir: number}
    | {readonly kind: 'command'; readonly command: number};
};

/** A member by number, the host of one, the router, or every operator. */
export type Place = number | `host:${number}` | 'router' | 'operators';

/** Everything that happens in one simulation. The same history gives the same run, event by event. */
export type History = {
  readonly setup: FleetSetup;
  readonly events: readonly WorldEvent[];
  readonly commands: readonly Command[];
};

/** What came of one. */
export type Told = {
  readonly violations: readonly Violation[];
  readonly fleet: SimFleet;
  readonly runs: readonly Running[];
};

const HORIZON_MS = 14_000;
const SETTLE_MS = 2500;
/** Every process acts from a place of its own, so that its statements race with those of others. */
const OPERATORS = ['ops-1', 'ops-2'] as const;

/** Runs a history to its end. */
export async function tell(history: History, mutant: Mutant | null = null): Promise<Told> {
  const fleet = new SimFleet(history.setup);
  const play = new Play(fleet, history, mutant);
  const broken = (): boolean => fleet.truth.violations.length > 0;
  await fleet.scheduler.runUntil(HORIZON_MS, () => broken() || play.isOver());
  play.settle();
  await fleet.scheduler.runUntil(fleet.scheduler.now + SETTLE_MS, broken);
  if (!broken()) fleet.truth.atEnd();
  for (const {process} of play.runs) process.kill();
  return {violations: fleet.truth.violations, fleet, runs: play.runs};
}

class Play {
  readonly runs: Running[] = [];
  readonly #fleet: SimFleet;
  readonly #history: History;
  readonly #mutant: Mutant | null;
  readonly #dirs: readonly DataDir[];
  #due: number;
  #processes = 0;

  constructor(fleet: SimFleet, history: History, mutant: Mutant | null) {
    this.#fleet = fleet;
    this.#history = history;
    this.#mutant = mutant;
    this.#dirs = OPERATORS.map((name) => dataDir(fleet, name));
    const timed = history.commands.filter(({at}) => at >= 0);
    this.#due = timed.length + history.events.length;
    for (const command of timed) fleet.scheduler.after(command.at, () => this.#dueNow(() => this.#command(command)));
    for (const {at, what} of history.events) fleet.scheduler.after(at, () => this.#dueNow(() => this.#happen(what)));
  }

  /** Nothing is left to come, and nobody is at work. */
  isOver(): boolean {
    return this.#due === 0 && this.runs.every(({end}) => end !== null);
  }

  /** All faults end, whoever slept goes on, and what is down is started: what was hidden so far shows. */
  settle(): void {
    const {names, net} = this.#fleet;
    this.#fleet.note('everything is healed');
    for (const {process} of this.runs) process.resume();
    const places = [...names, ...names.map((name) => `host:${name}`), 'router', ...OPERATORS];
    for (const a of places) for (const b of places) if (a < b) net.mend(net.link(a, b));
    for (const server of this.#fleet.servers.values()) {
      server.thaw();
      start(server);
    }
  }

  #dueNow(act: () => void): void {
    this.#due--;
    act();
  }

  #later(ms: number, act: () => void): void {
    this.#due++;
    this.#fleet.scheduler.after(ms, () => this.#dueNow(act));
  }

  #command({dir, job, disturbance, next}: Command): void {
    const home = this.#dirs[dir];
    if (home === undefined) return;
    const process = new Process(this.#fleet, `${job.kind}-${++this.#processes}`, home.name);
    process.disturb = this.#disturber(disturbance);
    const running = launch(process, home, job, this.#mutant);
    this.runs.push(running);
    if (next === null) return;
    const look = (): void => {
      if (running.end === null && process.alive) this.#later(50, look);
      else if (process.alive || running.end?.outcome !== 'succeeded')
        this.#later(next.afterMs, () => this.#command({at: 0, dir, job: {kind: next.kind, guardMs: 0}, disturbance: null, next: null}));
    };
    this.#later(50, look);
  }

  #disturber(disturbance: Disturbance | null): Process['disturb'] {
    let fired = disturbance === null;
    return (process, {kind, label, count}) => {
      if (fired || disturbance === null || disturbance.at.kind !== kind) return;
      const {at} = disturbance;
      if (at.label === null ? count !== at.count : !label.startsWith(at.label)) return;
      fired = true;
      this.#disturb(process, disturbance, label);
    };
  }

  #disturb(process: Process, {act, ms, meanwhile}: Disturbance, label: string): void {
    this.#fleet.note(`${process.name}: ${act} at "${label}"`);
    if (act === 'kill') process.kill();
    else if (act === 'kill-sent') this.#fleet.scheduler.after(0, () => process.kill());
    else if (act === 'interrupt') this.runs.find((run) => run.process === process)?.abort.abort(new Error('interrupted'));
    else {
      process.stop();
      this.#later(ms, () => process.resume());
      meanwhile.forEach((what, index) => {
        this.#later(20 + 60 * index, () => this.#happen(what));
      });
    }
  }

  #happen(what: WorldEvent['what']): void {
    const {net} = this.#fleet;
    this.#fleet.note(textOf(what));
    switch (what.kind) {
      case 'cut':
        for (const link of this.#links(what.from, what.to)) net.cut(link);
        return;
      case 'mend':
        for (const link of this.#links(what.from, what.to)) net.mend(link);
        return;
      case 'break-lease':
        this.#breakLease(what.dir);
        return;
      case 'command':
        this.#commandNumber(what.command);
        return;
      default:
        this.#member(what.kind, what.member);
    }
  }

  #breakLease(number: number): void {
    const dir = this.#dirs[number];
    if (dir !== undefined) breakLease(dir);
  }

  #commandNumber(number: number): void {
    const command = this.#history.commands[number];
    if (command !== undefined) this.#command(command);
  }

  #member(kind: 'crash' | 'start' | 'restart' | 'freeze' | 'thaw' | 'reattach', number: number): void {
    const name = this.#fleet.names[number];
    if (name === undefined) return;
    const server = this.#fleet.server(name);
    if (kind === 'crash' || kind === 'restart') crash(server);
    if (kind === 'start') start(server);
    if (kind === 'restart') this.#later(50, () => start(server));
    if (kind === 'freeze') server.freeze();
    if (kind === 'thaw') server.thaw();
    if (kind === 'reattach' && this.#handMayAct(server)) {
      server.file.conninfo = this.#fleet.names[0] ?? '';
      server.reload();
    }
  }

  /** No engine can be safe from hands at all: what is asked is that it sees what they did before it promotes. So they act while everybody sleeps, and as long as no promotion has begun. */
  #handMayAct(server: Server): boolean {
    const isStandby = server.role === 'standby' && server.running && !server.frozen && !server.promoting;
    const begun = this.#fleet.truth.promotions.length > 0 || this.#fleet.names.some((name) => this.#fleet.server(name).promoting);
    return isStandby && !begun && this.runs.every(({process}) => process.stopped || !process.alive);
  }

  #links(from: Place, to: Place) {
    const {net} = this.#fleet;
    return this.#places(from).flatMap((a) => this.#places(to).map((b) => net.link(a, b)));
  }

  #places(place: Place): readonly string[] {
    const name = (number: number): string => this.#fleet.names[number] ?? 'nowhere';
    if (typeof place === 'number') return [name(place)];
    if (place === 'operators') return OPERATORS;
    return place === 'router' ? ['router'] : [`host:${name(Number(place.slice('host:'.length)))}`];
  }
}

function textOf(what: WorldEvent['what']): string {
  return `world: ${Object.values(what).join(' ')}`;
}
