import {type AuditJob, auditStore, type StoreAudit} from '../../../../src/lib/consistency/audit/audit.ts';
import type {Audit} from '../../../../src/lib/ports/audit.ts';
import type {Store} from '../../../../src/lib/ports/store.ts';
import type {Word} from '../../../../src/lib/providers/redis/audit/encode.ts';
import {type AuditLink, createLink} from '../../../../src/lib/providers/redis/audit/link.ts';
import {ServerError, type Value} from '../../../../src/lib/providers/redis/audit/replies.ts';
import {realClock as clock} from '../../../health/real-clock.ts';
import {eventually} from '../../../servers/embedded.ts';
import type {RedisServer} from '../../../servers/redis.ts';
import {vault} from '../probe-under-test.ts';

/** The ability of a store. */
export function auditOf(store: Store): Audit {
  const {audit} = store.abilities;
  if (audit === undefined) throw new Error('the store has no ability to be audited');
  return audit;
}

/** What an audit of a store tells; keys that differ are listed by what the members had of them. `members` by name, which are their regions too. */
export function auditNow(store: Store, members: readonly string[], more: Partial<AuditJob> = {}): Promise<StoreAudit> {
  const {links} = store.abilities;
  return auditStore({
    members: members.map((member) => ({member, region: member})),
    audit: auditOf(store),
    links: links === undefined ? undefined : (signal) => links.links(signal),
    choice: {only: null, ignore: []},
    rules: {},
    judge: (_, key, versions) => ({
      ...{key, class: 'stale', regions: [], differs: [], suspects: []},
      why: Object.entries(versions)
        .map(([region, {row}]) => `${region}: ${row === null ? 'none' : `${row.type} ${row.ttl} ${row.value}`}`)
        .join('; '),
    }),
    log: {earlier: () => null, table: () => undefined, slice: () => undefined, result: () => undefined},
    baselines: null,
    clock,
    sliceMs: 250,
    settleMs: 20_000,
    limit: 1000,
    pace: async () => undefined,
    onProgress: () => undefined,
    signal: AbortSignal.timeout(100_000),
    ...more,
  });
}

/** Any command, with any bytes in it. */
export type Writer = {
  send(...commands: readonly (readonly Word[])[]): Promise<readonly Value[]>;
  in(database: number): Writer;
  close(): void;
};

export function writerTo({port}: Pick<RedisServer, 'port'>): Writer {
  const link: AuditLink = createLink({label: 'writer', host: '127.0.0.1', port, user: null, password: null, tls: null}, vault);
  const writerIn = (database: number): Writer => ({
    send: async (...commands) => {
      const bytes = commands.map((words) => words.map((word) => Buffer.from(word)));
      const answers = await link.ask(database, bytes, AbortSignal.timeout(60_000));
      const error = answers.find((answer) => answer instanceof ServerError);
      if (error instanceof ServerError) throw new Error(error.text);
      return answers;
    },
    in: writerIn,
    close: () => link.close(),
  });
  return writerIn(0);
}

/** Once a replica has executed all that its primary has written. */
export async function caughtUp(primary: RedisServer, ...replicas: readonly RedisServer[]): Promise<void> {
  const offsetOf = async (server: RedisServer, field: string) =>
    Number(new RegExp(`${field}:(\\d+)`).exec(await server.cli('info', 'replication'))?.[1]);
  const target = await offsetOf(primary, 'master_repl_offset');
  for (const replica of replicas) await eventually(async () => (await offsetOf(replica, 'slave_repl_offset')) >= target, 30_000);
}
