import {randomBytes} from 'node:crypto';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import type {DatabaseSync} from 'node:sqlite';
import {leaseHeld, RegionctlError} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import type {Clock} from '../ports/clock.ts';
import type {Lease, LeaseHolder} from '../ports/state.ts';
import {assertSameFile, type FileMark, leaseFileName, makePrivateFile, markFile} from './files.ts';
import {whoAmI} from './identity.ts';
import {isBusy, stateTrouble} from './trouble.ts';

/** How long a taker waits for a lock that is held for an instant only (another taker, a reader of `holder`). */
const LOCK_WAIT_MS = 100;

/** What the leases need of the state that they belong to. `db` is the main database, `write` runs one durable transaction on it. */
export type LeaseHome = {
  readonly dir: string;
  readonly clock: Clock;
  readonly db: DatabaseSync;
  readonly Database: typeof DatabaseSync;
  write<T>(work: () => T): T;
};

/**
 * Takes the lease: an exclusive transaction held open on a file of its own. The kernel keeps the lock through SIGSTOP and drops it when
 * the process ends, however it ends, so nothing expires by time. Throws LeaseError (75) with the holder when another has it.
 */
export function takeLease(home: LeaseHome, name: string, runId: string | null): Lease {
  const file = join(home.dir, leaseFileName(name));
  const {lock, mark} = lockFile(home, file, name);
  try {
    const token = writeHolder(home, name, runId);
    return heldLease(home, {lock, mark, name, token});
  } catch (error) {
    lock.close();
    throw error;
  }
}

/** Who holds the lease now; null when nobody does. What a dead process left behind does not count. */
export function leaseHolder(home: LeaseHome, name: string): LeaseHolder | null {
  const file = join(home.dir, leaseFileName(name));
  if (!existsSync(file)) return null;
  const probe = new home.Database(file, {timeout: 0});
  try {
    probe.prepare('SELECT count(*) FROM sqlite_schema').get();
    return null;
  } catch (error) {
    if (!isBusy(error)) throw stateTrouble(file, error);
    return readHolder(home.db, name);
  } finally {
    probe.close();
  }
}

/**
 * Whether somebody holds a lease of the state in `dir`, without opening that: also where nothing can be written. Null = it cannot be told. Nothing is made.
 */
export async function isLeaseHeld(dir: string, name: string): Promise<boolean | null> {
  const file = join(dir, leaseFileName(name));
  if (!existsSync(file)) return false;
  const {DatabaseSync: Database} = await import('node:sqlite');
  let probe: DatabaseSync | null = null;
  try {
    probe = new Database(file, {timeout: 0, readOnly: true});
    probe.prepare('SELECT count(*) FROM sqlite_schema').get();
    return false;
  } catch (error) {
    return isBusy(error) ? true : null;
  } finally {
    probe?.close();
  }
}

function lockFile(home: LeaseHome, file: string, name: string): {lock: DatabaseSync; mark: FileMark} {
  makePrivateFile(file);
  let lock: DatabaseSync | null = null;
  try {
    lock = new home.Database(file, {timeout: LOCK_WAIT_MS});
    lock.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
    return {lock, mark: markFile(file)};
  } catch (error) {
    lock?.close();
    if (isBusy(error)) throw heldBy(name, readHolder(home.db, name));
    throw stateTrouble(file, error);
  }
}

/** The epoch grows with every taker of the name, so tokens can be ordered; the random part tells two state directories apart. */
function writeHolder(home: LeaseHome, name: string, runId: string | null): string {
  const {user, host, pid} = whoAmI();
  return home.write(() => {
    const epoch = Number(home.db.prepare('SELECT epoch FROM holders WHERE name = ?').get(name)?.epoch ?? 0) + 1;
    const token = `${epoch}-${randomBytes(8).toString('hex')}`;
    home.db
      .prepare('INSERT OR REPLACE INTO holders (name, epoch, token, pid, user, host, run_id, since) VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
      .run(name, epoch, token, pid, user, host, runId, Math.round(home.clock.wall()));
    return token;
  });
}

function heldLease(home: LeaseHome, held: {lock: DatabaseSync; mark: FileMark; name: string; token: string}): Lease {
  const {lock, mark, name, token} = held;
  return {
    token,
    check() {
      if (!lock.isOpen || !lock.isTransaction) throw leaseLost(name, 'it was given back');
      try {
        assertSameFile(mark);
      } catch (error) {
        throw leaseLost(name, `its file ${mark.file} was removed or replaced`, error);
      }
    },
    release() {
      if (!lock.isOpen) return;
      forgetHolder(home, name, token);
      lock.close();
    },
  };
}

/** Only a courtesy to readers: the lock is what counts, so a failure here must not keep the lease from being given back. */
function forgetHolder(home: LeaseHome, name: string, token: string): void {
  try {
    home.write(() => home.db.prepare('UPDATE holders SET token = NULL WHERE name = ? AND token = ?').run(name, token));
  } catch {}
}

function readHolder(db: DatabaseSync, name: string): LeaseHolder | null {
  const row = db.prepare('SELECT token, pid, user, host, run_id, since FROM holders WHERE name = ? AND token IS NOT NULL').get(name);
  if (row === undefined) return null;
  return {
    token: String(row.token),
    pid: Number(row.pid),
    user: String(row.user),
    host: String(row.host),
    runId: row.run_id === null ? null : String(row.run_id),
    since: Number(row.since),
  };
}

/** The refusal (75) that names who holds a lease, for which run and since when. null = it has not said yet. */
export function heldBy(name: string, holder: LeaseHolder | null): RegionctlError {
  if (holder === null) {
    return leaseHeld(`The lease "${name}" is held by another process that has not said yet who it is.`, {
      suggestions: ['Try again in a moment'],
    });
  }
  const {user, host, pid, runId, since} = holder;
  const run = runId === null ? '' : ` for run ${runId}`;
  return leaseHeld(`The lease "${name}" is held by ${user}@${host} (pid ${pid})${run} since ${new Date(since).toISOString()}.`, {
    suggestions: [
      runId === null ? 'Try again when it has ended' : `See it with \`regionctl runs show ${runId}\`, and try again when it has ended`,
    ],
  });
}

function leaseLost(name: string, why: string, cause?: unknown) {
  return new RegionctlError('lease-lost', EXIT.leaseHeld, `The lease "${name}" is not held any more: ${why}. Nothing more was done.`, {
    cause,
  });
}
