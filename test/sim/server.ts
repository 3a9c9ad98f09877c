import type {Commits} from './commits.ts';
import type {Net} from './net.ts';
import type {Random} from './random.ts';
import type {Scheduler} from './scheduler.ts';
import type {Stream} from './stream.ts';

/** One write of a client. `level` is what its session asked for when it wrote. */
export type Write = {readonly id: number; readonly level: 'quorum' | 'local'};

/** One record of the log; `write` null = the server's own (a new timeline, a clean stop). Records are shared: the same place in two logs holds the same history if and only if it holds the same object. */
export type Rec = {readonly epoch: number; readonly write: Write | null};

/** Who must acknowledge: any `need` of the members in `of`. */
export type Rule = {readonly need: number; readonly of: readonly string[]};

/** A session on a server. `role` is who logged in; an `app` that is not let in yet is not `authenticated`. */
export type Backend = {
  readonly pid: number;
  readonly role: 'regionctl' | 'app';
  application: string;
  readonly startedAt: number;
  readonly refusedByRules: boolean;
  authenticated: boolean;
  ended: boolean;
  readonly onEnd: () => void;
};

/** What servers share: time, chance, the network, and who is told what happened. */
export type Ground = {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly net: Net;
  server(name: string): Server;
  onAck(ack: Ack): void;
  onPromoted(server: Server): void;
  note(text: string): void;
};

/** How a client heard "ok": by the rule of the server, because its session asked for less, because its wait was cancelled, or where nobody is waited for. */
export type Ack = {
  readonly server: Server;
  readonly rec: Rec;
  readonly index: number;
  readonly level: 'quorum' | 'local' | 'cancelled' | 'alone';
  readonly rule: Rule;
};

/** Settings: what the file says, and what running backends see. */
type Settings = {conninfo: string; rule: Rule};

/** Access rules: the file, what stands beside it, and what the server has loaded. */
export type Hba = {closed: boolean; kept: boolean; loadedClosed: boolean; loadedAt: number};

/**
 * A server that behaves as PostgreSQL does where it matters for a failover: a log that survives a crash, settings that take effect a moment
 * after a reload, sessions that pass or do not pass the access rules that were loaded when they began, commits that wait for standbys.
 */
export class Server {
  readonly name: string;
  readonly ground: Ground;
  /** Grows with every start: what an earlier life had planned does not happen any more. */
  life = 0;
  status: 'running' | 'starting' | 'stopping' | 'stopped' = 'running';
  frozen = false;
  role: 'primary' | 'standby';
  log: Rec[];
  /** Where in the log the present timeline begins. */
  forkAt = 0;
  replayed: number;
  replaying = false;
  promoting = false;
  readonly file: Settings;
  readonly live: Settings;
  /** What the startup process goes by: it reads a new setting a moment later than the backends do. */
  followed: string;
  readonly hba: Hba = {closed: false, kept: false, loadedClosed: false, loadedAt: 0};
  readonly backends = new Set<Backend>();
  lockedBy: Backend | null = null;
  receiver: Stream | null = null;
  readonly senders = new Set<Stream>();
  readonly commits: Commits;
  /** How far its clock is ahead, in ms. */
  readonly skewMs: number;
  /** How long it takes to replay what it has received, in ms. */
  replayMs: number;
  /** Proven unable to acknowledge by the engine; it must not be wrong about that. */
  proven: string | null = null;
  readonly #held: (() => void)[] = [];
  #pids = 100;

  constructor(
    ground: Ground,
    name: string,
    start: {role: Server['role']; log: readonly Rec[]; upstream: string; rule: Rule; commits: (server: Server) => Commits},
  ) {
    this.ground = ground;
    this.name = name;
    this.role = start.role;
    this.log = [...start.log];
    this.replayed = this.log.length;
    this.file = {conninfo: start.upstream, rule: start.rule};
    this.live = {...this.file};
    this.followed = start.upstream;
    this.skewMs = ground.random.int(-400, 400);
    this.replayMs = ground.random.int(0, 20);
    this.commits = start.commits(this);
  }

  get running(): boolean {
    return this.status === 'running';
  }

  get recovering(): boolean {
    return this.role === 'standby';
  }

  /** The timeline: what a primary writes, the last that a standby has of. */
  get epoch(): number {
    return Math.max(this.log.at(-1)?.epoch ?? 1, this.receiver?.epoch ?? 1);
  }

  /** Something reaches the server: a frozen one takes it when it thaws. */
  receive(arrive: () => void): void {
    if (this.frozen) this.#held.push(arrive);
    else arrive();
  }

  /** Something that the server itself does later, if it is still the same life then. */
  after(ms: number, act: () => void): void {
    const {life} = this;
    this.ground.scheduler.after(ms, () => this.receive(() => this.life === life && act()));
  }

  freeze(): void {
    if (this.status !== 'stopped') this.frozen = true;
  }

  thaw(): void {
    if (!this.frozen) return;
    this.frozen = false;
    for (const arrive of this.#held.splice(0)) this.receive(arrive);
  }

  /** What waited in front of a server that is gone. */
  thawNothing(): void {
    this.#held.length = 0;
  }

  /** A new session. `null` = the server takes none now. Whether an `app` is let in shows a moment later. */
  login(role: Backend['role'], onEnd: () => void): Backend | null {
    if (this.status !== 'running') return null;
    const backend: Backend = {
      pid: this.#pids++,
      role,
      application: role === 'regionctl' ? 'regionctl' : 'orders',
      startedAt: this.ground.scheduler.now,
      refusedByRules: role === 'app' && this.hba.loadedClosed,
      authenticated: role === 'regionctl',
      ended: false,
      onEnd,
    };
    this.backends.add(backend);
    if (role === 'app') this.after(this.ground.random.int(0, 4), () => this.#authenticate(backend));
    return backend;
  }

  end(backend: Backend): void {
    if (backend.ended) return;
    backend.ended = true;
    this.backends.delete(backend);
    if (this.lockedBy === backend) this.lockedBy = null;
    this.commits.drop(backend);
    backend.onEnd();
  }

  /** Sessions that could still write: those that were let in, and those that began before the rules were loaded that keep the others out. */
  foreign(): readonly Backend[] {
    return [...this.backends].filter(
      ({role, authenticated, startedAt}) => role === 'app' && (authenticated || startedAt < this.hba.loadedAt),
    );
  }

  /** Reads the files again: in force a moment later, for the startup process yet a moment later. */
  reload(): void {
    const {random} = this.ground;
    this.after(random.int(0, 3), () => {
      Object.assign(this.live, this.file);
      Object.assign(this.hba, {loadedClosed: this.hba.closed, loadedAt: this.ground.scheduler.now});
      this.commits.release();
      this.after(random.int(0, 3), () => this.followAgain());
    });
  }

  /** The startup process takes up its upstream setting; a receiver that goes elsewhere is told to end. */
  followAgain(): void {
    const changed = this.followed !== this.live.conninfo;
    this.followed = this.live.conninfo;
    const {receiver} = this;
    if (changed && receiver !== null) this.after(this.ground.random.int(0, 3), () => receiver.endReceiver());
  }

  /** Puts records on disk. */
  hold(records: readonly Rec[]): void {
    for (const rec of records) {
      if (rec.epoch > (this.log.at(-1)?.epoch ?? 0)) this.forkAt = this.log.length;
      this.log.push(rec);
    }
  }

  /** A record of its own: a primary's. */
  append(rec: Rec): void {
    this.hold([rec]);
    this.replayed = this.log.length;
    for (const sender of this.senders) sender.ship();
  }

  #authenticate(backend: Backend): void {
    if (backend.ended) return;
    if (backend.refusedByRules) this.end(backend);
    else backend.authenticated = true;
  }
}
