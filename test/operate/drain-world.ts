import {rmSync} from 'node:fs';
import type {Fleet} from '../../src/lib/fleet/fleet.ts';
import type {Probe} from '../../src/lib/ports/probe.ts';
import type {Router} from '../../src/lib/ports/router.ts';
import type {State} from '../../src/lib/ports/state.ts';
import type {LinkReading} from '../../src/lib/ports/store.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {openState} from '../../src/lib/state/sqlite.ts';
import {endpoint, fleet, region} from '../health/samples.ts';
import {fakeClock} from '../run/fake-clock.ts';
import {tempDir} from '../state/temp-dir.ts';
import {drainingStore, route} from '../traffic/drain-samples.ts';
import {memoryStore} from './open-stores.ts';

/** The members and regions of these tests; the first is the primary. */
export const REGIONS = ['us', 'eu', 'ap'];
export const NORMAL = {us: 40, eu: 30, ap: 30};

/** A fleet in memory whose reads go over one route, with a state on disk. What is written to `down`, `late` and `router` is how it is from then on. */
export async function drainWorld(more: Partial<Fleet> = {}) {
  const dir = tempDir();
  const clock = fakeClock();
  const now = {down: new Set<string>(), late: new Set<string>(), weights: {...NORMAL} as Record<string, number>, writes: 0};
  const router: Router = {
    read: async () => ({...now.weights}),
    write: async (_, weights) => {
      now.writes += 1;
      now.weights = {...weights};
    },
  };
  const routers: Record<string, Router> = {reads: router};
  const probe = (name: string): Probe => ({
    check: async () =>
      now.down.has(name)
        ? {ok: false, latencyMs: null, code: 'refused', detail: `${name} refused the connection`}
        : {ok: true, latencyMs: 3, code: 'ok', detail: `${name} answered 200`},
  });
  const endpoints = REGIONS.map((name) => endpoint('app', name));
  const store = memoryStore(REGIONS, {
    abilities: {links: {links: async () => REGIONS.slice(1).map((to) => reading(to, now.late.has(to)))}},
  });
  const spec = fleet(
    endpoints.map((each) => region(each.region, [each])),
    {stores: [drainingStore(REGIONS)], routes: [route(NORMAL)], ...more},
  );
  const states: State[] = [];
  /** One process: what it opens is its own. */
  const open = (): OpenFleet => {
    let state: Promise<State> | null = null;
    const opened = async (): Promise<State> => {
      const one = await openState({dir, clock});
      states.push(one);
      return one;
    };
    return {
      fleet: spec,
      clock,
      probes: endpoints.map((each) => ({endpoint: each, probe: probe(each.region), others: []})),
      uplinks: [],
      stores: {orders: store},
      routers,
      independent: async () => store,
      fault: null,
      hooks: {},
      notifiers: {},
      stateDir: dir,
      state: () => (state ??= opened()),
      close: async () => undefined,
    } as unknown as OpenFleet;
  };
  const end = (): void => {
    for (const state of states.splice(0)) state.close();
    rmSync(dir, {recursive: true, force: true});
  };
  return {clock, now, router, routers, open, end};
}

export type DrainWorld = Awaited<ReturnType<typeof drainWorld>>;

function reading(to: string, isLate: boolean): LinkReading {
  return {
    ...{from: 'us', to, senderState: 'streaming', receiverConnected: true, senderRead: true, sync: 'async', trouble: null},
    ...{
      sendBytes: 0,
      writeBytes: 0,
      flushBytes: isLate ? 9000 : 0,
      replayBytes: isLate ? 9000 : 0,
      replayOffset: '1000',
      runwayBytes: null,
    },
    ...{lastReplayAgeSeconds: isLate ? 75 : 0.2, heardUpstreamAgoMs: 100, sampleAgeMs: 0},
  };
}
