import {expect, it, onTestFinished} from 'vitest';
import {watchLag} from '../../src/lib/operate/lag-watch.ts';
import {watchFleet} from '../../src/lib/operate/watch.ts';
import type {Probe} from '../../src/lib/ports/probe.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {keepSamples, keptSamples, NO_SAMPLES, recallBreaker, withLook} from '../../src/lib/replication/link-record.ts';
import {endpoint} from '../health/samples.ts';
import {recordState} from '../replication/record-state.ts';
import {reading} from '../ui/lag-samples.ts';
import {memoryStore, openStores} from './open-stores.ts';

const members = ['us', 'eu'];
const LINK = {store: 'orders', from: 'us', to: 'eu'};

/** A fleet whose state is locked when it is asked for first. */
function world() {
  const store = memoryStore(members, {abilities: {links: {links: async () => [reading('us', 'eu')]}}});
  const {open, clock} = openStores({orders: {members, store}});
  const state = recordState(clock);
  let tries = 0;
  const locked: OpenFleet['state'] = async () => {
    tries += 1;
    if (tries === 1) throw new Error('the state is locked');
    return state as never;
  };
  const probe: Probe = {check: async () => ({ok: true, latencyMs: 1, code: 'ok', detail: 'fine'})};
  const probes = [{endpoint: endpoint('app', 'us'), probe, others: []}];
  return {open: {...open, probes, uplinks: [], state: locked} as unknown as OpenFleet, state, clock, tries: () => tries};
}

async function until(what: () => boolean): Promise<void> {
  for (let turn = 0; turn < 20_000 && !what(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
  if (!what()) throw new Error('it did not come to that');
}

it('a watch of health keeps what it sees as soon as the state that was locked at its start can be opened', async () => {
  const {open, state, clock, tries} = world();
  const began = clock.now();
  const monitor = await watchFleet(open, {region: 'us'});
  onTestFinished(async () => void (await monitor.stop()));
  expect(monitor.view().notes).toEqual(['what is seen is not kept: the state is locked']);
  await until(() => monitor.view().notes.length === 0);
  expect(clock.now() - began).toBeGreaterThanOrEqual(30_000);
  await until(() => state.recall(`health/${open.fleet.name}/us`) !== undefined);
  expect(tries()).toBe(2);
});

it('so does a watch of links, with what was kept before', async () => {
  const {open, state, clock, tries} = world();
  const before = withLook(NO_SAMPLES, {lagMs: 90_000, link: 'moves'});
  keepSamples(state, open.fleet.name, LINK, before, clock.wall() - 600_000);
  const monitor = await watchLag(open);
  let ended = false;
  onTestFinished(async () => void (ended || (await monitor.stop())));
  expect(monitor.view().notes).toEqual(['what is seen is not kept: the state is locked']);
  await until(() => monitor.view().links[0]?.percentiles.maxMs === 90_000);
  expect(monitor.view().notes).toEqual([]);
  expect(await monitor.stop()).toBeNull();
  ended = true;
  expect(tries()).toBe(2);
  expect(recallBreaker(state, open.fleet.name, LINK)?.state).toBe('closed');
  expect(keptSamples(state, open.fleet.name, LINK, {since: 0}).sketch.count).toBeGreaterThan(20);
});
