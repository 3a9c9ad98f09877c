import type {Ensemble, Node} from '../../../src/lib/providers/redis/ensemble.ts';
import type {Facts} from '../../../src/lib/providers/redis/facts.ts';
import {fieldsOf} from '../../../src/lib/providers/redis/info.ts';
import {replicationOf} from '../../../src/lib/providers/redis/replication.ts';
import {createTrail} from '../../../src/lib/providers/redis/trail.ts';
import {type Cell, known} from '../../../src/lib/snapshot/cell.ts';

export const [OLD, NEW, OTHER] = ['a'.repeat(40), 'b'.repeat(40), 'c'.repeat(40)];
const infoText = (lines: Readonly<Record<string, string | number>>): string =>
  Object.entries(lines)
    .map(([key, value]) => `${key}:${value}\r\n`)
    .join('');
/** What is read of these lines of INFO. */
export const read = (lines: Readonly<Record<string, string | number>>) => replicationOf(fieldsOf(infoText(lines)));

export const PRIMARY = {
  role: 'master',
  master_replid: OLD,
  master_repl_offset: 1000,
  repl_backlog_active: 1,
  repl_backlog_size: 400,
  repl_backlog_first_byte_offset: 601,
};
export const STANDBY = {
  role: 'slave',
  master_host: '10.0.0.1',
  master_port: 6379,
  master_link_status: 'up',
  master_last_io_seconds_ago: 2,
  slave_read_repl_offset: 995,
  slave_repl_offset: 990,
  master_replid: OLD,
  master_repl_offset: 990,
};

/** A reading of a server that says so. */
export const factsOf = (lines: Readonly<Record<string, string | number>>, more: Partial<Facts> = {}): Facts => {
  const replication = read(lines);
  if (replication === null) throw new Error('it has a role');
  return {...replication, settings: {pingSeconds: 10, minReplicas: 0}, loading: null, filesFail: false, at: 0, ...more};
};
export const cell = (lines: Readonly<Record<string, string | number>>, more: Partial<Facts> = {}): Cell<Facts> =>
  known(factsOf(lines, more), 0, 'info');

/** An ensemble of members that nobody has to reach. */
export function ensemble(names: readonly string[]): Ensemble {
  const node = (name: string, index: number): Node => ({
    ...{name, region: name, address: {host: `10.0.0.${index + 1}`, port: 6379}, upstreams: {}},
    place: {label: name, host: `10.0.0.${index + 1}`, port: 6379, user: null, password: null, tls: null},
    client: {ask: async () => [], reached: () => null, close: () => undefined},
  });
  const clock = {wall: () => 0, now: () => 0, sleep: async () => undefined};
  return {
    store: 'cache',
    clock,
    nodes: new Map(names.map((name, index) => [name, node(name, index)])),
    sentinels: null,
    trail: createTrail(),
  };
}
