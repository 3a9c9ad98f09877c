import {existsSync} from 'node:fs';
import {chown, mkdir, readFile, rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {messageOf, refused, unavailable} from '../lib/errors.ts';
import {processesIn, processTable, signalAll, treeOf, waitUntil} from '../lib/processes.ts';
import {takeBaseBackup} from './base-backup.ts';
import type {LabContext} from './lab-context.ts';
import type {PortPicker} from './ports.ts';
import {PostgresServer} from './postgres-server.ts';
import {PG_HBA, postgresqlConf, primaryConninfo, withPrimaryConninfo} from './postgres-settings.ts';
import {ServiceProcess} from './service-process.ts';
import {removeSegment} from './shared-memory.ts';
import {writeInto} from './template.ts';

/** A shutdown ships what was acknowledged to the standbys first; one that is out of reach holds it up until wal_sender_timeout. */
const STOP_MS = 70_000;
const FREEZE_MS = 3000;
const KILL_MS = 5000;

/** The processes of one region: its database and its service. They are started and ended here, and only here. */
export class RegionMachine {
  readonly name: string;
  readonly home: string;
  readonly postgres: PostgresServer;
  readonly #context: LabContext;
  readonly #service: ServiceProcess;
  /** Ports by which this region reaches the others' databases. */
  links: Readonly<Record<string, number>> = {};
  servicePort = 0;
  #stoppedOnPurpose = false;
  #killing: Promise<void> = Promise.resolve();
  /** One change at a time: a rebuild and a start must not meet. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(context: LabContext, name: string, postgresPort: number) {
    const {options} = context;
    this.#context = context;
    this.name = name;
    this.home = join(context.dataRoot, name);
    const logs = join(options.dir, 'logs');
    const place = {
      data: join(this.home, 'data'),
      log: join(logs, `${name}-postgres.log`),
      binaries: context.binaries,
      runAs: context.runAs,
    };
    this.postgres = new PostgresServer(place, postgresPort);
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

  /** What its data says that it is; null when its database does not run. */
  get role(): 'primary' | 'standby' | null {
    return this.postgres.running ? this.postgres.role : null;
  }

  /** The files that make the data folder this region's own, whatever it was copied from. */
  async writeOwnFiles(upstream: string | null): Promise<void> {
    const {options, binaries, members, passwords, runAs} = this.#context;
    const {profile, mode} = options;
    const others = members.filter((member) => member !== this.name);
    const conf = postgresqlConf({profile, mode, major: binaries.major, member: this.name, others});
    await writeInto(this.home, {pgpass: `127.0.0.1:*:*:replicator:${passwords.replicator}\n`}, runAs);
    await writeInto(this.postgres.place.data, {'postgresql.conf': conf, 'pg_hba.conf': PG_HBA}, runAs);
    await rm(join(this.postgres.place.data, 'postgresql.auto.conf'), {force: true});
    if (upstream !== null) await this.#becomeStandby(upstream);
    else await writeInto(this.postgres.place.data, {'postgresql.auto.conf': ''}, runAs);
  }

  /**
   * Starts what does not run. The database comes back as whatever its data says: an old primary as a primary. One that was stopped on
   * request stays stopped: somebody relies on it.
   */
  start(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#killing;
      if (!this.#stoppedOnPurpose) await this.postgres.start();
      await this.startService();
    });
  }

  /** Starts the service. The first time, with `ports`, a port that somebody took meanwhile is changed for another; later its port is known to others. */
  async startService(ports?: PortPicker): Promise<void> {
    const passwordFile = join(this.#context.options.dir, 'secrets', 'app');
    for (let attempt = 1; ; attempt += 1) {
      const config = {region: this.name, port: this.servicePort, postgresPort: this.postgres.port, passwordFile};
      if (await this.#service.start(config)) break;
      if (ports === undefined || attempt === 5) throw new Error(`port ${this.servicePort} of the service of ${this.name} is taken`);
      this.servicePort = await ports.free();
    }
    this.#context.changed();
  }

  /** Kills every process of the region, stopped ones too, and waits until they are gone. It does not wait for a start that is under way. */
  async kill(): Promise<void> {
    this.#killing = this.#killAll();
    await this.#killing;
    this.#context.changed();
  }

  /**
   * Stops every process where it is, the postmaster first so that it makes no new ones. A busy one takes a moment to stop. `wanted` is asked
   * again and again: a heal may come meanwhile.
   */
  async freeze(wanted: () => boolean): Promise<void> {
    await waitUntil(() => {
      const table = processTable();
      const moving = this.pids(table).filter((pid) => table.get(pid)?.state !== 'T');
      if (moving.length === 0 || !wanted()) return true;
      signalAll(moving, 'SIGSTOP');
      return false;
    }, FREEZE_MS);
  }

  /** Lets them go on, the postmaster last. */
  thaw(): void {
    signalAll([...this.pids()].reverse(), 'SIGCONT');
  }

  /** A clean shutdown of the database. Stopped already = success. */
  stopMember(): Promise<void> {
    return this.#inTurn(async () => {
      if (!(await this.postgres.stop(STOP_MS)))
        throw unavailable('stop-timeout', `the server of ${this.name} did not stop within ${STOP_MS / 1000} s`);
      this.#stoppedOnPurpose = true;
      this.#context.changed();
    });
  }

  /** Starts the database as its data says. Running already = success. */
  startMember(): Promise<void> {
    return this.#inTurn(() => this.#startPostgres());
  }

  /** Starts the database as a standby of `upstream` (null = of nobody) on the data that it has. One that runs as a standby is turned to it. */
  startStandby(upstream: string | null): Promise<void> {
    return this.#inTurn(async () => {
      if (upstream !== null) this.#linkTo(upstream);
      if (this.postgres.running && this.postgres.role === 'primary') {
        throw refused('member-running', `the server of ${this.name} runs as a primary; stop it first`);
      }
      await this.#becomeStandby(upstream);
      if (this.postgres.running) this.postgres.reload();
      else await this.#startPostgres();
    });
  }

  /** Replaces the data by a copy of `upstream` and starts it as its standby. The old data is back in place when that fails. */
  rebuild(upstream: string, signal: AbortSignal): Promise<{bytes: number}> {
    return this.#inTurn(async () => {
      const port = this.#linkTo(upstream);
      await this.#endPostgres();
      const {data} = this.postgres.place;
      const [fresh, old] = [`${data}.new`, `${data}.old`];
      for (const dir of [fresh, old]) await rm(dir, {recursive: true, force: true});
      try {
        const bytes = await this.#copyFrom(port, fresh, signal);
        await rename(data, old);
        await rename(fresh, data);
        await this.writeOwnFiles(upstream);
        await this.#startPostgres();
        await rm(old, {recursive: true, force: true});
        return {bytes};
      } catch (error) {
        await this.#putBack(fresh, old);
        throw unavailable('rebuild-failed', `${this.name} could not be rebuilt from ${upstream}: ${messageOf(error)}`, {cause: error});
      }
    });
  }

  async #killAll(): Promise<void> {
    // Again until none is left: one may be forked while the list is read, and a killed one takes a moment to go.
    const gone = () => {
      const left = this.pids();
      signalAll(left, 'SIGKILL');
      return left.length === 0;
    };
    await waitUntil(gone, KILL_MS);
    await this.postgres.ended(KILL_MS);
  }

  async #copyFrom(port: number, dest: string, signal: AbortSignal): Promise<number> {
    const {runAs, passwords} = this.#context;
    await mkdir(dest, {mode: 0o700});
    if (runAs.kind === 'uid') await chown(dest, runAs.uid, runAs.gid);
    return takeBaseBackup({port, password: passwords.replicator, dest, runAs, signal});
  }

  async #putBack(fresh: string, old: string): Promise<void> {
    await this.#endPostgres();
    const {data} = this.postgres.place;
    if (existsSync(old)) {
      await rm(data, {recursive: true, force: true});
      await rename(old, data);
    }
    await rm(fresh, {recursive: true, force: true});
  }

  /** Its data is thrown away: a clean end is tried, but not waited for. */
  async #endPostgres(): Promise<void> {
    if (await this.postgres.stop(3000)) return;
    signalAll(treeOf([this.postgres.mark]), 'SIGKILL');
    await this.postgres.ended(5000);
    await removeSegment(this.postgres.place.data);
  }

  async #startPostgres(): Promise<void> {
    await this.postgres.start();
    this.#stoppedOnPurpose = false;
    this.#context.changed();
  }

  async #becomeStandby(upstream: string | null): Promise<void> {
    const {data} = this.postgres.place;
    const auto = await readFile(join(data, 'postgresql.auto.conf'), 'utf8').catch(() => '');
    const conninfo = upstream === null ? '' : primaryConninfo(this.#linkTo(upstream), this.name, join(this.home, 'pgpass'));
    await writeInto(data, {'postgresql.auto.conf': withPrimaryConninfo(auto, conninfo), 'standby.signal': ''}, this.#context.runAs);
  }

  #linkTo(upstream: string): number {
    const port = this.links[upstream];
    if (port !== undefined) return port;
    throw refused('unknown-upstream', `${this.name} has no link to "${upstream}"; it has ${Object.keys(this.links).join(', ')}`);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work, work);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}
