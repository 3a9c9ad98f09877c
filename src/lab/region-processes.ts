import {join} from 'node:path';
import {processesIn, processTable, signalAll, treeOf, waitUntil} from '../lib/processes.ts';
import {type Faketime, skewedEnv} from './clock-skew.ts';
import {type Condition, conditionOf} from './faults.ts';
import type {LabContext} from './lab-context.ts';
import type {PortPicker} from './ports.ts';
import {PostgresServer} from './postgres-server.ts';
import {ServiceProcess} from './service-process.ts';
import {removeSegment} from './shared-memory.ts';
import {FULL_WRAPPER, makeRoomInLog, settleWriteLimit} from './write-limit.ts';

const FREEZE_MS = 3000;
const KILL_MS = 5000;
const END_MS = 3000;

/** Which of a region's processes are meant. */
export type Parts = {readonly database: boolean; readonly service: boolean};

/** The processes of one region, its database and its service: how they are started, and what faults do to them. */
export class RegionProcesses {
  readonly name: string;
  readonly home: string;
  readonly postgres: PostgresServer;
  protected readonly context: LabContext;
  readonly #service: ServiceProcess;
  servicePort = 0;
  /** What the active faults want. Whatever is started is started under it. */
  condition: Condition;
  /** Must be there before a condition asks for a wrong clock. */
  faketime: Faketime | null = null;
  #killing: Promise<void> = Promise.resolve();
  /** The skew under which each was started last, in ms. */
  readonly #skew = {database: 0, service: 0};

  constructor(context: LabContext, name: string, postgresPort: number) {
    const {options, binaries, runAs} = context;
    this.context = context;
    this.name = name;
    this.condition = conditionOf(name, []);
    this.home = join(context.dataRoot, name);
    const logs = join(options.dir, 'logs');
    this.postgres = new PostgresServer(
      {data: join(this.home, 'data'), log: join(logs, `${name}-postgres.log`), binaries, runAs},
      postgresPort,
    );
    const configFile = join(this.home, 'service.json');
    this.#service = new ServiceProcess({entry: options.serviceEntry, home: this.home, configFile, log: join(logs, `${name}-service.log`)});
  }

  get marks() {
    return {postmaster: this.postgres.mark, service: this.#service.mark};
  }

  /** Every process of the region, the postmaster first. */
  pids(table = processTable()): readonly number[] {
    const tree = treeOf([this.postgres.mark, this.#service.mark], table);
    return [...new Set([...tree, ...processesIn(this.home, table)])];
  }

  /** Starts the service. The first time, with `ports`, a port that somebody took meanwhile is changed for another; later its port is known to others. */
  async startService(ports?: PortPicker): Promise<void> {
    const passwordFile = join(this.context.options.dir, 'secrets', 'app');
    await this.#killing;
    for (let attempt = 1; ; attempt += 1) {
      const {errorShare} = this.condition;
      const peer = this.context.options.mode === 'active-active';
      const config = {region: this.name, port: this.servicePort, postgresPort: this.postgres.port, peer, passwordFile, errorShare};
      if (!this.#service.running) this.#skew.service = this.condition.skewMs;
      if (await this.#service.start(config, this.#envOf('threads'))) break;
      if (ports === undefined || attempt === 5) throw new Error(`port ${this.servicePort} of the service of ${this.name} is taken`);
      this.servicePort = await ports.free();
    }
    this.context.changed();
  }

  /** Starts the database as its data says, under the region's condition. Running already = nothing to do. */
  protected async startServer(): Promise<void> {
    await this.#killing;
    const {diskFull, skewMs} = this.condition;
    if (!this.postgres.running) {
      this.#skew.database = skewMs;
      if (diskFull) await makeRoomInLog(this.postgres.place.log);
    }
    await this.postgres.start({wrapper: diskFull ? FULL_WRAPPER : [], env: this.#envOf('plain')});
  }

  /** A clean end is tried, but not waited for. */
  protected async endServer(): Promise<void> {
    if (await this.postgres.stop(END_MS)) return;
    signalAll(treeOf([this.postgres.mark]), 'SIGKILL');
    await this.postgres.ended(KILL_MS);
    await removeSegment(this.postgres.place.data);
  }

  /** Kills these processes, stopped ones too, and waits until they are gone. It does not wait for a start that is under way. */
  async kill(parts: Parts): Promise<void> {
    this.#killing = this.#killAll(parts);
    await this.#killing;
    this.context.changed();
  }

  /** Stops every process where it is, the postmaster first so that it makes no new ones. A busy one takes a moment to stop; a heal may come meanwhile. */
  async freeze(): Promise<void> {
    await waitUntil(() => {
      const table = processTable();
      const moving = this.pids(table).filter((pid) => table.get(pid)?.state !== 'T');
      if (moving.length === 0 || !this.condition.frozen) return true;
      signalAll(moving, 'SIGSTOP');
      return false;
    }, FREEZE_MS);
  }

  /** Lets them go on, the postmaster last. */
  thaw(): void {
    signalAll([...this.pids()].reverse(), 'SIGCONT');
  }

  /** Keeps the database from writing, or lets it write again, as the condition says. */
  async settleWrites(): Promise<void> {
    if (this.condition.diskFull) await makeRoomInLog(this.postgres.place.log);
    await settleWriteLimit(
      () => this.#serverPids(),
      () => this.condition.diskFull,
      this.context.runAs,
    );
  }

  /** Tells the service which share of its answers is to be spoilt. */
  settleErrors(): Promise<void> {
    return this.#service.setErrorShare(this.condition.errorShare);
  }

  /** Starts again what runs with another clock than the condition's; what is not to run, and what is stopped where it is, waits for its next start. */
  protected async settleClockNow(): Promise<void> {
    const {dead, frozen, skewMs, diskFull} = this.condition;
    if (frozen) return;
    if (this.postgres.running && !dead.database && this.#skew.database !== skewMs) {
      await this.endServer();
      // On a full disk it cannot come back: that is no failure of the clock's fault, and the service has its clock too.
      await this.startServer().catch((error: unknown) => {
        if (!diskFull) throw error;
      });
    }
    if (this.#service.running && !dead.service && this.#skew.service !== skewMs) {
      await this.#service.kill();
      await this.startService();
    }
    this.context.changed();
  }

  #envOf(library: keyof Faketime): Readonly<Record<string, string>> {
    const {skewMs} = this.condition;
    return skewMs === 0 || this.faketime === null ? {} : skewedEnv(this.faketime[library], skewMs);
  }

  #serverPids(table = processTable()): readonly number[] {
    return [...new Set([...treeOf([this.postgres.mark], table), ...processesIn(this.postgres.place.data, table)])];
  }

  async #killAll({database, service}: Parts): Promise<void> {
    const found = () => {
      if (database && service) return this.pids();
      return database ? this.#serverPids() : treeOf([this.#service.mark]);
    };
    // Again until none is left: one may be forked while the list is read, and a killed one takes a moment to go.
    const gone = () => {
      const left = found();
      signalAll(left, 'SIGKILL');
      return left.length === 0;
    };
    await waitUntil(gone, KILL_MS);
    if (database) await this.postgres.ended(KILL_MS);
    if (service) await this.#service.ended(KILL_MS);
  }
}
