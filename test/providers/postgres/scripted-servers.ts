import {type Cluster, createCluster} from '../../../src/lib/providers/postgres/cluster.ts';
import type {Facts} from '../../../src/lib/providers/postgres/facts.ts';
import type {Sender, Slot} from '../../../src/lib/providers/postgres/reading.ts';
import type {Session} from '../../../src/lib/providers/postgres/session.ts';
import {passwordRef, testContext} from './open-store.ts';

/** What a server answers when it is asked: what `facts` leaves out is a primary's of timeline 1. A promise that never ends = it is silent. */
export type Server = {
  readonly facts: Partial<Facts>;
  readonly slots?: readonly Partial<Slot>[];
  readonly senders?: readonly Partial<Sender>[];
  /** The file that says where earlier timelines ended; default: it has none. */
  readonly history?: string;
};
export type Answers = Readonly<Record<string, () => Server | Promise<Server>>>;

/** The address of a member: nobody listens there, because its sessions are scripts. */
const portOf = (answers: Answers, name: string): number => 1 + Object.keys(answers).indexOf(name);

/** A standby that streams from another member. */
export const follows = (answers: Answers, upstream: string): Partial<Facts> => {
  const port = portOf(answers, upstream);
  return {recovering: true, readOnly: true, receiver: 'streaming', conninfo: `host=db port=${port}`, senderHost: 'db', senderPort: port};
};

/** A store over servers that answer by a script, both to who acts and to who only reads. */
export function scriptedCluster(answers: Answers): Cluster {
  const members = Object.keys(answers).map((name) => ({
    ...{name, region: `region-${name}`, host: null},
    config: {address: {host: 'db', port: portOf(answers, name)}, upstreams: {}},
  }));
  const config = {database: 'orders', user: 'regionctl', password: passwordRef, replicationUser: 'replicator', tls: false};
  const cluster = createCluster({name: 'orders', quorum: 0, config, members}, testContext);
  const nodes = [...cluster.nodes].map(([name, node]) => {
    const session = sessionOf(answers[name] as Answers[string]);
    return [name, {...node, session, reader: session}] as const;
  });
  return {...cluster, nodes: new Map(nodes)};
}

function sessionOf(answer: Answers[string]): Session {
  const rows = async (sql: string): Promise<readonly unknown[]> => {
    if (sql.includes('pg_walinspect')) return [];
    const {facts, slots = [], senders = [], history = null} = await answer();
    if (sql.startsWith('select pg_read_file')) return [{text: history}];
    return sql.includes('pg_replication_slots') ? [rowOf({...FACTS, ...facts}, slots, senders)] : [{...FACTS, ...facts}];
  };
  return {
    ready: async () => undefined,
    rows: rows as Session['rows'],
    prepare: async () => undefined,
    connection: () => null,
    reached: () => true,
    close: async () => undefined,
  };
}

const rowOf = (facts: Facts, slots: readonly Partial<Slot>[], senders: readonly Partial<Sender>[]) => ({
  ...{facts, senders, subscriptions: [], publications: [], startup: null, conflicts: null, settings: {}, leads: null},
  slots: slots.map((slot) => ({...SLOT, ...slot})),
  may: {files: false},
});

const FACTS: Facts = {
  ...{recovering: false, readOnly: false, lineage: '7000000000000000001', timeline: 1, durable: '1000', applied: '1000'},
  ...{nextXid: '100', overXids: '100', now: 0, lastReplay: null, replayPaused: false, replaying: false, drained: false, conninfo: ''},
  ...{slotName: '', receiver: null, senderHost: null, senderPort: null, heardAt: null, syncNames: '', syncCommit: 'on'},
};

const SLOT: Slot = {
  ...{name: 'slot', kind: 'physical', database: null, active: false, pid: null, temporary: false, synced: false, retainedBytes: 4096},
  ...{safeBytes: null, status: 'reserved', invalidated: null, inactiveSeconds: null, confirmed: null, confirmedBehind: null},
};
