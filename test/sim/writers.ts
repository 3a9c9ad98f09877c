import type {Backend, Server, Write} from './server.ts';
import type {SimFleet} from './sim-fleet.ts';

/** Who writes where: through the router, or to the port of one member whatever anybody decided. */
export type WriterSpec = {
  readonly via: string | 'router';
  readonly level: Write['level'];
  readonly everyMs: number;
  /** Whether it cancels a commit that takes too long. */
  readonly cancels: boolean;
};

const CANCEL_MS = 300;
const GIVE_UP_MS = 1500;

type Session = {readonly server: Server; readonly backend: Backend; sentAt: number | null; gone: boolean};

/** A client that writes again and again, and takes a new session when it has none. */
export class Writer {
  readonly spec: WriterSpec;
  readonly #fleet: SimFleet;
  #session: Session | null = null;
  #asking = 0;
  stopped = false;

  constructor(fleet: SimFleet, spec: WriterSpec) {
    this.#fleet = fleet;
    this.spec = spec;
    this.#again();
  }

  /** The router ends its session: what was sent already may still be done. */
  cut(region: string): boolean {
    const session = this.#session;
    if (this.spec.via !== 'router' || session === null || session.server.name !== region) return false;
    this.#leave(session);
    return true;
  }

  #again(): void {
    const {scheduler, random} = this.#fleet;
    scheduler.after(this.spec.everyMs * (0.5 + random.next()), () => {
      if (this.stopped) return;
      this.#turn();
      this.#again();
    });
  }

  #turn(): void {
    const session = this.#session;
    if (session === null) this.#connect();
    else if (session.backend.ended) this.#session = null;
    else if (session.sentAt === null) this.#write(session);
    else this.#impatient(session, this.#fleet.scheduler.now - session.sentAt);
  }

  #connect(): void {
    const name = this.spec.via === 'router' ? this.#fleet.router.choose() : this.spec.via;
    if (name === null || this.#fleet.scheduler.now < this.#asking) return;
    const server = this.#fleet.server(name);
    // It does not knock twice before the first knock was answered or given up.
    this.#asking = this.#fleet.scheduler.now + GIVE_UP_MS;
    server.receive(() => {
      const backend = server.login('app', () => {});
      this.#asking = 0;
      if (backend === null) return;
      if (this.#session === null && !this.stopped && this.#isStillFor(name)) this.#session = {server, backend, sentAt: null, gone: false};
      else server.end(backend);
    });
  }

  #isStillFor(name: string): boolean {
    return this.spec.via !== 'router' || (this.#fleet.router.weights[name] ?? 0) > 0;
  }

  #write(session: Session): void {
    const {server, backend} = session;
    session.sentAt = this.#fleet.scheduler.now;
    const write = this.#fleet.newWrite(this.spec.level);
    server.receive(() => {
      if (backend.ended) return;
      if (!backend.authenticated) session.sentAt = null;
      else if (server.role !== 'primary' || !server.running) this.#leave(session);
      else server.commits.commit(write, backend, () => this.#done(session));
    });
  }

  #done(session: Session): void {
    session.sentAt = null;
    if (session.gone) session.server.end(session.backend);
  }

  #impatient(session: Session, ms: number): void {
    const {server, backend} = session;
    if (this.spec.cancels && ms > CANCEL_MS) server.receive(() => server.commits.cancel(backend));
    else if (ms > GIVE_UP_MS) this.#leave(session);
  }

  /** The client goes away. A server does not notice while it works for it. */
  #leave(session: Session): void {
    session.gone = true;
    if (this.#session === session) this.#session = null;
    if (session.sentAt === null || session.server.role !== 'primary') session.server.receive(() => session.server.end(session.backend));
  }
}

/** Where the router sends new sessions. */
export class SimRouter {
  weights: Readonly<Record<string, number>>;
  readonly #fleet: SimFleet;

  constructor(fleet: SimFleet, weights: Readonly<Record<string, number>>) {
    this.#fleet = fleet;
    this.weights = weights;
  }

  choose(): string | null {
    const open = Object.entries(this.weights).filter(([, weight]) => weight > 0);
    const [first] = open;
    return first === undefined ? null : this.#fleet.random.pick(open)[0];
  }

  cut(region: string): number {
    return this.#fleet.writers.filter((writer) => writer.cut(region)).length;
  }
}
