import type {Ack, Backend, Rec, Server, Write} from './server.ts';

type Waiting = {readonly rec: Rec; readonly index: number; readonly backend: Backend; readonly done: (ack: boolean) => void};

/** Commits of one server, and those of its sessions that wait for standbys: PostgreSQL's rule of who must have flushed a record. */
export class Commits {
  readonly #server: Server;
  #waiting: Waiting[] = [];

  constructor(server: Server) {
    this.#server = server;
  }

  /** Where in the log those are whose clients wait to be told. */
  get untold(): readonly string[] {
    return this.#waiting.map(({index}) => String(index));
  }

  /** Writes and flushes, then acknowledges as the session and the rule want. `done` is told true when its client hears "ok". */
  commit(write: Write, backend: Backend, done: (ack: boolean) => void): void {
    const server = this.#server;
    const rec: Rec = {epoch: server.epoch, write};
    server.append(rec);
    const waiting: Waiting = {rec, index: server.log.length - 1, backend, done};
    if (server.live.rule.need === 0) this.#acknowledge(waiting, 'alone');
    else if (write.level === 'local') this.#acknowledge(waiting, 'local');
    else {
      this.#waiting.push(waiting);
      this.release();
    }
  }

  /** A wait that is cancelled is acknowledged: the client hears "ok" with a warning. */
  cancel(backend: Backend): void {
    for (const each of this.#take((waiting) => waiting.backend === backend)) this.#acknowledge(each, 'cancelled');
  }

  /** A session that ends while it waits: its client hears nothing. */
  drop(backend: Backend): void {
    for (const each of this.#take((waiting) => waiting.backend === backend)) each.done(false);
  }

  /** Lets those go whose record enough of the named standbys have flushed, by what their open connections last said. */
  release(): void {
    const {rule} = this.#server.live;
    if (this.#waiting.length === 0) return;
    if (rule.need === 0) {
      for (const each of this.#take(() => true)) this.#acknowledge(each, 'alone');
      return;
    }
    const flushed = [...this.#server.senders]
      .filter(({down, caughtUp}) => caughtUp && rule.of.includes(down.name))
      .map((sender) => sender.flushed)
      .sort((a, b) => b - a)[rule.need - 1];
    if (flushed === undefined) return;
    for (const each of this.#take(({index}) => index < flushed)) this.#acknowledge(each, 'quorum');
  }

  /** What waited when the server stopped. */
  clear(): void {
    for (const each of this.#take(() => true)) each.done(false);
  }

  #take(which: (waiting: Waiting) => boolean): Waiting[] {
    const taken = this.#waiting.filter(which);
    if (taken.length > 0) this.#waiting = this.#waiting.filter((each) => !which(each));
    return taken;
  }

  #acknowledge({rec, index, done}: Waiting, level: Ack['level']): void {
    const server = this.#server;
    server.ground.onAck({server, rec, index, level, rule: server.live.rule});
    done(true);
  }
}
