import {isRegionctlError, messageOf, refused, unavailable} from '../../../errors.ts';
import type {SecretVault} from '../../../fleet/secrets.ts';
import type {Audit, AuditTable} from '../../../ports/audit.ts';
import {type Cell, known, unknown} from '../../../snapshot/cell.ts';
import type {Ensemble} from '../ensemble.ts';
import {count, type Fields, fieldsOf} from '../info.ts';
import {replicationOf} from '../replication.ts';
import type {Place} from '../socket.ts';
import type {RedisConfig} from '../store-schema.ts';
import {createExpiry} from './expiry.ts';
import {type AuditMember, answers, createAuditMember, type ExpiryCommand, unexpected} from './member.ts';
import {timeOf} from './reading.ts';
import {type OpenedDatabase, tableAudit} from './table-audit.ts';

/** What a member's INFO says of its databases. */
type Known = {
  readonly member: AuditMember;
  readonly expiryCommand: ExpiryCommand;
  readonly keys: ReadonlyMap<number, number>;
  readonly bytes: number;
  readonly lacks: string | null;
};

/** A second, for what a clock drifts and a look takes. */
const LEAST_MARGIN_MS = 1000;

/** Digests of databases: SCAN, TYPE, values and expire times, read over connections of their own. `login` = who reads, where that is not the store's own user. */
export function createAudit(ensemble: Ensemble, login: RedisConfig['audit'], secrets: SecretVault): Audit {
  const members = new Map<string, AuditMember>();
  const read = new Map<string, Known>();
  const busy = createBusy(ensemble);
  const memberOf = (name: string): AuditMember => {
    const member = members.get(name) ?? createAuditMember(placeOf(ensemble, name, login), secrets);
    members.set(name, member);
    return member;
  };
  return {
    tables: async (names, signal) => {
      const cells = await Promise.all(names.map(async (name) => [name, await knownCell(ensemble, memberOf(name), signal)] as const));
      signal.throwIfAborted();
      for (const [name, cell] of cells) if (cell.known) read.set(name, cell.value);
      const found = cells.flatMap(([, cell]) => (cell.known ? [...cell.value.keys.keys()] : []));
      const databases = [...new Set(found.length === 0 ? [0] : found)].toSorted((a, b) => a - b);
      return Object.fromEntries(
        cells.map(([name, cell]) => [name, cell.known ? {...cell, value: databases.map((each) => tableOf(cell.value, each))} : cell]),
      );
    },
    open: async (table, names, _options, signal) => tableAudit(await opened(ensemble, table, names, read, signal)),
    position: async (name, signal) => (await placeNow(memberOf(name), signal)).offset,
    load: async (name, signal) => ({active: await busy(memberOf(name), signal)}),
    // Nothing is held open: keys are read as they are.
    rest: async () => undefined,
    received: (name) => (members.get(name)?.link.received() ?? 0) + (members.get(name)?.large.received() ?? 0),
    close: async () => {
      for (const {link, large} of members.values()) for (const each of [link, large]) each.close();
    },
  };
}

function placeOf({nodes, store}: Ensemble, name: string, login: RedisConfig['audit']): Place {
  const node = nodes.get(name);
  if (node === undefined) throw new Error(`${store} has no member ${name}`);
  return login === undefined ? node.place : {...node.place, user: login.user, password: login.password};
}

async function infoOf(member: AuditMember, signal: AbortSignal, section?: string): Promise<Fields> {
  const [text] = await answers(member, 0, [section === undefined ? ['INFO'] : ['INFO', section]], signal);
  if (!(text instanceof Buffer)) throw unexpected(member.place, 'INFO');
  return fieldsOf(text.toString());
}

async function knownCell({clock}: Ensemble, member: AuditMember, signal: AbortSignal): Promise<Cell<Known>> {
  try {
    return known(knownOf(member, await infoOf(member, signal)), clock.wall(), 'info');
  } catch (error) {
    return unknown(isRegionctlError(error) ? error.code : 'error', messageOf(error), clock.wall());
  }
}

function knownOf(member: AuditMember, fields: Fields): Known {
  if (fields.get('loading') === '1') throw unavailable('starting', `${member.name} is loading its data`);
  const keys = [...fields].flatMap(([name, value]): (readonly [number, number])[] => {
    const [, database] = /^db(\d+)$/.exec(name) ?? [];
    const [, number] = /^keys=(\d+),/.exec(value) ?? [];
    return database === undefined ? [] : [[Number(database), Number(number ?? 0)]];
  });
  const major = Number((fields.get('redis_version') ?? '').split('.')[0]);
  return {
    member,
    expiryCommand: major >= 7 ? 'PEXPIRETIME' : 'PTTL',
    keys: new Map(keys),
    bytes: count(fields.get('used_memory_dataset')) ?? 0,
    lacks: fields.get('cluster_enabled') === '1' ? 'it is spread over a cluster, whose servers have different keys' : null,
  };
}

/** A database that another member has and this one has not is one without keys. */
function tableOf({keys, bytes, lacks}: Known, database: number): AuditTable {
  const rows = keys.get(database) ?? 0;
  const whole = [...keys.values()].reduce((sum, each) => sum + each, 0);
  return {
    ...{name: `db${database}`, key: ['key'], lacks, columns: ['type', 'ttl', 'value'], rows},
    bytes: Math.round((bytes * rows) / Math.max(1, whole)),
  };
}

async function opened(
  {clock}: Ensemble,
  table: string,
  names: readonly string[],
  read: ReadonlyMap<string, Known>,
  signal: AbortSignal,
): Promise<OpenedDatabase> {
  const [, number] = /^db(\d+)$/.exec(table) ?? [];
  const members = names.map((name) => {
    const found = read.get(name);
    if (found === undefined || number === undefined) throw refused('not-comparable', `${name} has no database ${table}.`);
    if (found.lacks !== null) throw refused('not-comparable', `${table} cannot be compared: on ${name} ${found.lacks}.`);
    return found;
  });
  const apart = await Promise.all(members.map(({member}) => clockApart(member, () => clock.wall(), signal)));
  return {
    database: Number(number),
    keys: Math.max(0, ...members.map(({keys}) => keys.get(Number(number)) ?? 0)),
    expiry: createExpiry(() => clock.wall(), LEAST_MARGIN_MS + Math.ceil(Math.max(0, ...apart))),
    members: new Map(members.map((each) => [each.member.name, each])),
    place: placeNow,
  };
}

/** How far a member's clock is from ours at most, in ms. */
async function clockApart(member: AuditMember, wall: () => number, signal: AbortSignal): Promise<number> {
  const before = wall();
  const [time] = await answers(member, 0, [['TIME']], signal);
  const now = timeOf(Array.isArray(time) ? time.map(String) : undefined);
  return Math.max(Math.abs(now - before), Math.abs(now - wall()));
}

/** How far a member's data is: what a primary has written, what a replica has executed. As its links tell it. */
async function placeNow(member: AuditMember, signal: AbortSignal): Promise<{readonly offset: string; readonly history: string}> {
  const replication = replicationOf(await infoOf(member, signal, 'replication'));
  if (replication === null || replication.offset === null)
    throw unavailable('unexpected-answer', `${member.name} does not say where it is in its stream of changes`);
  return {offset: String(replication.offset), history: replication.history};
}

/** What one of our commands costs the server, in seconds, as measured: 4.9 s for three million. */
const OWN_S = 1.5e-6;

/** How long a member is looked at when it was not before, in ms. */
const LOOK_MS = 100;

/**
 * How many clients a member serves at a moment, on the average since it was last asked: the share of the time that its main thread computes, which serves one
 * client at a time. 1 = it has no time left. Our own commands are taken off with what one of them costs as a rule, as many of others cost far more.
 */
function createBusy({clock}: Ensemble) {
  const last = new Map<string, Usage>();
  return async (member: AuditMember, signal: AbortSignal): Promise<number> => {
    const before = last.get(member.name) ?? (await usageOf(member, clock.now(), signal));
    if (clock.now() - before.at < LOOK_MS) await clock.sleep(LOOK_MS, signal);
    const now = await usageOf(member, clock.now(), signal);
    last.set(member.name, now);
    const seconds = now.seconds - before.seconds - (now.ours - before.ours) * OWN_S;
    return Math.max(0, Math.min(1, (seconds * 1000) / Math.max(1, now.at - before.at)));
  };
}

type Usage = {readonly at: number; readonly seconds: number; readonly ours: number};

async function usageOf(member: AuditMember, at: number, signal: AbortSignal): Promise<Usage> {
  const [fields, ours] = [await infoOf(member, signal), member.link.asked() + member.large.asked()];
  const number = (...names: readonly string[]): number =>
    Number(names.map((name) => fields.get(name)).find((value) => value !== undefined) ?? 0);
  const seconds = number('used_cpu_user_main_thread', 'used_cpu_user') + number('used_cpu_sys_main_thread', 'used_cpu_sys');
  return {at, seconds, ours};
}
