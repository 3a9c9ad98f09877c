import {existsSync} from 'node:fs';
import {chown, mkdir, readFile, rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {messageOf, refused, unavailable} from '../lib/errors.ts';
import {takeBaseBackup} from './base-backup.ts';
import {pgHba, postgresqlConf, primaryConninfo, withPrimaryConninfo} from './postgres-settings.ts';
import {type Parts, RegionProcesses} from './region-processes.ts';
import {takesConnectionsOrEnded} from './taking-connections.ts';
import {writeInto} from './template.ts';

/** A shutdown ships what was acknowledged to the standbys first; one that is out of reach holds it up until wal_sender_timeout. */
const STOP_MS = 70_000;
/** What a server needs at most to give up, or to recover. */
const SETTLE_MS = 30_000;
/** The machine of one region: its database and its service. They are started and ended here, and only here. */
export class RegionMachine extends RegionProcesses {
  /** Ports by which this region reaches the others' databases. */
  links: Readonly<Record<string, number>> = {};
  #stoppedOnPurpose = false;
  /** One change at a time: a rebuild and a start must not meet. */
  #queue: Promise<unknown> = Promise.resolve();

  /** What its data says that it is; null when its database does not run. */
  get role(): 'primary' | 'standby' | 'peer' | null {
    if (!this.postgres.running) return null;
    return this.#isPeer ? 'peer' : this.postgres.role;
  }

  /** The files that make the data folder this region's own, whatever it was copied from. */
  async writeOwnFiles(upstream: string | null): Promise<void> {
    const {options, binaries, members, passwords, runAs} = this.context;
    const {profile, mode} = options;
    const others = members.filter((member) => member !== this.name);
    const conf = postgresqlConf({profile, mode, major: binaries.major, member: this.name, others});
    await writeInto(this.home, {pgpass: `127.0.0.1:*:*:replicator:${passwords.replicator}\n`}, runAs);
    await writeInto(this.postgres.place.data, {'postgresql.conf': conf, 'pg_hba.conf': pgHba(mode)}, runAs);
    await rm(join(this.postgres.place.data, 'postgresql.auto.conf'), {force: true});
    if (upstream !== null) await this.#becomeStandby(upstream);
    else await writeInto(this.postgres.place.data, {'postgresql.auto.conf': ''}, runAs);
  }

  /**
   * Starts what does not run, unless a fault has ended it. The database comes back as whatever its data says: an old primary as a primary. One
   * that was stopped on request stays stopped: somebody relies on it.
   */
  start({database, service}: Parts): Promise<void> {
    return this.#inTurn(async () => {
      if (database && !this.#stoppedOnPurpose && !this.condition.dead.database) await this.startServer();
      if (service && !this.condition.dead.service) await this.startService();
      this.context.changed();
    });
  }

  /**
   * After a full disk: a server that was on its way down has got there, or takes connections again. Otherwise it would be left alone because it
   * runs, and then end.
   */
  settled(): Promise<void> {
    return this.#inTurn(() => takesConnectionsOrEnded(this.postgres, this.context.passwords.regionctl, SETTLE_MS));
  }

  /** Starts again what runs with a wrong clock, or with the right one where it is to be wrong. */
  settleClock(): Promise<void> {
    return this.#inTurn(() => this.settleClockNow());
  }

  /** A clean shutdown of the database. Stopped already = success. */
  stopMember(): Promise<void> {
    return this.#inTurn(async () => {
      if (!(await this.postgres.stop(STOP_MS)))
        throw unavailable('stop-timeout', `the server of ${this.name} did not stop within ${STOP_MS / 1000} s`);
      this.#stoppedOnPurpose = true;
      this.context.changed();
    });
  }

  /** Starts the database as its data says. Running already = success. */
  startMember(): Promise<void> {
    return this.#inTurn(() => this.#startPostgres());
  }

  /** Starts the database as a standby of `upstream` (null = of nobody) on the data that it has. One that runs as a standby is turned to it. */
  startStandby(upstream: string | null): Promise<void> {
    return this.#inTurn(async () => {
      this.#refuseOfPeer();
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
      this.#refuseOfPeer();
      const port = this.#linkTo(upstream);
      await this.endServer();
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

  get #isPeer(): boolean {
    return this.context.options.mode === 'active-active';
  }

  /** A copy of another region would have its name, its turn of ids and its subscriptions. */
  #refuseOfPeer(): void {
    if (this.#isPeer)
      throw refused('no-standby', `${this.name} takes writes of its own, as every region of this lab: it is no standby of another`);
  }

  async #copyFrom(port: number, dest: string, signal: AbortSignal): Promise<number> {
    const {runAs, passwords} = this.context;
    await mkdir(dest, {mode: 0o700});
    if (runAs.kind === 'uid') await chown(dest, runAs.uid, runAs.gid);
    return takeBaseBackup({port, password: passwords.replicator, dest, runAs, signal});
  }

  async #putBack(fresh: string, old: string): Promise<void> {
    await this.endServer();
    const {data} = this.postgres.place;
    if (existsSync(old)) {
      await rm(data, {recursive: true, force: true});
      await rename(old, data);
    }
    await rm(fresh, {recursive: true, force: true});
  }

  async #startPostgres(): Promise<void> {
    await this.startServer();
    this.#stoppedOnPurpose = false;
    this.context.changed();
  }

  async #becomeStandby(upstream: string | null): Promise<void> {
    const {data} = this.postgres.place;
    const auto = await readFile(join(data, 'postgresql.auto.conf'), 'utf8').catch(() => '');
    const conninfo = upstream === null ? '' : primaryConninfo(this.#linkTo(upstream), this.name, join(this.home, 'pgpass'));
    await writeInto(data, {'postgresql.auto.conf': withPrimaryConninfo(auto, conninfo), 'standby.signal': ''}, this.context.runAs);
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
