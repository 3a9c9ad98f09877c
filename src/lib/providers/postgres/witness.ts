import type {Client} from 'pg';
import {isRegionctlError, unavailable} from '../../errors.ts';
import type {SecretRef, SecretVault} from '../../fleet/secrets.ts';
import type {Abilities} from '../../ports/store.ts';
import {createMeter} from '../meter.ts';
import {writeLines} from '../write-lines.ts';
import {type Cluster, type Node, nodeOf} from './cluster.ts';
import {destroy, endClient, openClient, type Place} from './connect.ts';
import {primariesOf, readAll} from './facts.ts';
import {placeError} from './session.ts';
import {dialMember, type Witnessed} from './witness-line.ts';
import {clearTable, makeTable, readTable, sessionsOf} from './witness-table.ts';

/** How many connections a writer may have to a member: those that commits hang on, and new ones. A standby answers at once. */
const MOST = 25;
const MOST_TO_STANDBY = 5;
/** What is no write: it must not be taken for one that is left. */
const OTHER = 'regionctl witness';
const CONNECT_MS = 3000;
const STATEMENT_MS = 60_000;
const AGAIN_MS = 50;

/**
 * Writes of the witness in a table of its own. It logs in as a role of its own, like any client: a fence ends its sessions and lets none in, and
 * none of the connections that are kept for superusers is taken.
 */
export function createWitness(
  cluster: Cluster,
  role: {readonly user: string; readonly password: SecretRef},
  secrets: SecretVault,
): Abilities['witness'] {
  const placeOf = ({place}: Node, application: string): Place => ({
    ...place,
    user: role.user,
    password: () => secrets.reveal(role.password),
    application,
  });
  const onPrimary = async <T>(signal: AbortSignal, work: (client: Client, member: string) => Promise<T>): Promise<T> => {
    const [primary] = primariesOf(await readAll(cluster, signal));
    if (primary === undefined)
      throw unavailable('no-primary', `No primary of ${cluster.store} answers, so the witness has nothing to write to.`);
    return besides(placeOf(nodeOf(cluster, primary.name), OTHER), signal, (client) => work(client, primary.name));
  };
  return {
    prepare: (signal) => onPrimary(signal, makeTable),
    clean: (run, signal) => onPrimary(signal, (client) => clearTable(client, run, () => cluster.clock.sleep(AGAIN_MS, signal))),
    readBack: (member, run, signal) => besides(placeOf(nodeOf(cluster, member), OTHER), signal, (client) => readTable(client, run, signal)),
    writer: (member, run) => {
      const place = placeOf(nodeOf(cluster, member), sessionsOf(run));
      const now = (): number => cluster.clock.now();
      const meter = createMeter(now);
      const seen: Witnessed = {readOnly: false, heardAt: Number.NEGATIVE_INFINITY, left: []};
      return writeLines({
        dial: (gone) => dialMember({place, run, member: seen, meter, now}, gone),
        most: () => (seen.readOnly ? MOST_TO_STANDBY : MOST),
        now,
        meter,
      });
    },
  };
}

/** A connection for as long as `work` takes; cut when the signal is aborted. */
async function besides<T>(place: Place, signal: AbortSignal, work: (client: Client) => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  try {
    const client = await openClient(place, CONNECT_MS, () => undefined, STATEMENT_MS);
    const cut = (): void => destroy(client);
    signal.addEventListener('abort', cut, {once: true});
    try {
      signal.throwIfAborted();
      return await work(client);
    } finally {
      signal.removeEventListener('abort', cut);
      await endClient(client);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw isRegionctlError(error) ? error : placeError(place, error);
  }
}
