import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {expect, it, onTestFinished} from 'vitest';
import {watchDashboard} from '../../src/lib/operate/dashboard.ts';
import {readStatus} from '../../src/lib/operate/status.ts';
import {worldOf} from '../../src/lib/operate/world.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {known} from '../../src/lib/snapshot/cell.ts';
import {openState} from '../../src/lib/state/sqlite.ts';
import {realClock} from '../health/real-clock.ts';
import {tempDir} from '../state/temp-dir.ts';
import {memoryStore, openStores} from './open-stores.ts';

const {signal} = new AbortController();
const members = ['us', 'eu'];
const ack = {kind: 'async', need: 0, of: [], lowerable: false, epoch: null} as const;

/** A fleet whose state is open and read as ever, but takes nothing that is remembered under these keys: the disk is full. */
async function world(refused: string) {
  const dir = tempDir();
  const state = await openState({dir, clock: realClock});
  onTestFinished(() => state.close());
  const file = new DatabaseSync(join(dir, 'state.db'));
  file.exec(`CREATE TRIGGER full BEFORE INSERT ON memory WHEN NEW.key GLOB '${refused}' BEGIN SELECT RAISE(FAIL, 'the disk is full'); END`);
  file.close();
  let writes = 0;
  const counted = {
    ...state,
    remember: (key: string, value: Json) => {
      // What the watches keep has a rest of its own.
      if (!key.startsWith('health/')) writes += 1;
      state.remember(key, value);
    },
  };
  const {open, clock} = openStores({
    orders: {members, store: memoryStore(members, {ackRule: async () => known(ack, 0, 'sql')})},
    carts: {members, store: memoryStore(members, {ackRule: async () => known(ack, 0, 'sql')})},
  });
  const part = {probes: [], uplinks: [], routers: {}, hooks: {has: () => false}, stateDir: dir, state: async () => counted};
  return {open: {...open, ...part} as unknown as OpenFleet, clock, writes: () => writes};
}

it('status tells that something is not kept, and everything else', async () => {
  const {open} = await world('ack/*');
  const {document} = await readStatus(open, signal);
  expect(document.notes).toContainEqual(
    expect.stringMatching(/^who acknowledges a write is not remembered: State could not be kept in .*: the disk is full\.$/),
  );
  expect(document.regions.map(({roles}) => roles.map(({role}) => role))).toEqual([
    ['primary', 'primary'],
    ['standby', 'standby'],
  ]);
  expect(document.regions[1]?.ready).toMatchObject([{from: 'us', ready: expect.any(Boolean)}]);
});

it('status tries a state that takes nothing once: each try may take seconds', async () => {
  const {open, writes} = await world('*');
  const {document} = await readStatus(open, signal);
  expect(document.regions).toHaveLength(2);
  expect(document.notes.filter((note) => note.includes('the disk is full')).length).toBeGreaterThan(0);
  expect(writes()).toBe(1);
});

it('a dashboard judges readiness though nothing can be remembered, and tries that half a minute apart', async () => {
  const {open, clock, writes} = await world('*');
  const stop = new AbortController();
  const monitor = await watchDashboard(open, {world: worldOf(open, {life: stop.signal}), pace: {ready: 5000}});
  onTestFinished(async () => {
    stop.abort(new Error('over'));
    await monitor.stop();
  });
  const until = async (what: () => boolean): Promise<void> => {
    for (let turn = 0; turn < 20_000 && !what(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
    if (!what()) throw new Error('it did not come to that');
  };
  const readyAt = () => monitor.view().regions[1]?.ready.at ?? 0;
  await until(() => readyAt() > 0);
  expect(monitor.view().regions[1]?.ready).toMatchObject({why: null, value: [{from: 'us', to: 'eu'}]});
  const began = clock.wall();
  const tried = writes();
  await until(() => readyAt() >= began + 20_000);
  expect(writes(), 'neither who acknowledges nor the picture').toBe(tried);
  await until(() => writes() > tried);
  expect(clock.wall() - began).toBeGreaterThanOrEqual(25_000);
});
