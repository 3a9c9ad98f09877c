import {expect, it} from 'vitest';
import {judgePeer, type PeerSettings} from '../../../src/lib/providers/postgres/inspect-peers.ts';

const well: PeerSettings = {
  ...{version: 18, recovering: false, walLevel: 'logical', commitTimes: true, senders: 2, slots: 2, workers: 3, logicalWorkers: 2},
  ...{origins: 2, hbaError: null, anyOrigin: []},
};
const nodes = new Map(['us', 'eu', 'ap'].map((name) => [name, {name}])) as never;
const judged = (more: Partial<PeerSettings> = {}) => judgePeer({store: 'orders', nodes}, {name: 'us'}, {...well, ...more});

it('says once that all is well', () => {
  expect(judged()).toMatchObject([{check: 'orders us settings', verdict: 'pass'}]);
});

it.each([
  [{version: 15, anyOrigin: null}, 'version', 'error'],
  [{recovering: true}, 'role', 'error'],
  [{walLevel: 'replica'}, 'wal_level', 'error'],
  [{commitTimes: false}, 'track_commit_timestamp', 'warning'],
  [{anyOrigin: ['eu_to_us']}, 'origin', 'warning'],
  [{hbaError: 'invalid line'}, 'pg_hba', 'error'],
  [{senders: 1}, 'max_wal_senders', 'error'],
  [{slots: 1}, 'max_replication_slots', 'error'],
  [{logicalWorkers: 1}, 'max_logical_replication_workers', 'error'],
  [{workers: 2}, 'max_worker_processes', 'error'],
  [{origins: 1}, 'max_active_replication_origins', 'error'],
] as const)('finds %j', (more, name, verdict) => {
  expect(judged(more)).toMatchObject([{check: `orders us ${name}`, verdict, member: 'us'}]);
});

it('does not ask an older version for what it does not have', () => {
  expect(judged({version: 17, origins: 1})).toMatchObject([{verdict: 'pass'}]);
});
