import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {readStatus} from '../../src/lib/operate/status.ts';
import {statusSchema} from '../../src/lib/output/schemas/health.ts';
import type {Store} from '../../src/lib/ports/store.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {mapMemory} from '../health/memory.ts';
import {reading} from '../ui/lag-samples.ts';
import {memoryStore, openStores} from './open-stores.ts';

const {signal} = new AbortController();
const members = ['us', 'eu', 'ap'];
const hangs = () => new Promise<never>(() => undefined);
const estimate = {
  store: 'orders',
  transactions: 3,
  bytes: 50,
  seconds: 1,
  certainty: 'estimate',
  basis: 'us was read right after eu.',
} as const;

function world(more: Partial<Store>, fleet: Partial<OpenFleet['fleet']> = {}, open: Partial<OpenFleet> = {}) {
  const made = openStores({orders: {members, store: memoryStore(members, more)}}).open;
  const part = {probes: [], uplinks: [], routers: {}, hooks: {has: () => false}, ...open};
  return {...made, fleet: {...made.fleet, ...fleet}, ...part} as unknown as OpenFleet;
}

/** What is answered once every deadline has passed: nothing here takes any time of its own. */
async function inTheEnd<T>(answer: Promise<T>): Promise<{value: T; seconds: number}> {
  let settled = false;
  const done = answer.finally(() => {
    settled = true;
  });
  done.catch(() => undefined);
  let seconds = 0;
  for (; !settled && seconds < 60; seconds += 1) {
    await vi.advanceTimersByTimeAsync(1000);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
  if (!settled) throw new Error('it waits for ever');
  return {value: await done, seconds};
}

beforeEach(async () => {
  // What is loaded in the middle of it takes real time.
  await Promise.all([import('../../src/lib/operate/ready.ts'), import('../../src/lib/operate/world.ts')]);
  vi.useFakeTimers({toFake: ['setTimeout', 'clearTimeout', 'performance']});
});
afterEach(() => {
  vi.useRealTimers();
});

describe('what each region would lose', () => {
  it('is judged from the one look at the store, and asked only of ends that were both read', async () => {
    const asked: string[] = [];
    const plain = memoryStore(members);
    let looks = 0;
    const store: Partial<Store> = {
      observe: async (own) => {
        looks += 1;
        const {ap, ...seen} = await plain.observe(own);
        return {...seen, ap: {known: false, code: 'timeout', reason: 'ap did not answer', at: ap?.at ?? 0}};
      },
      abilities: {
        loss: {
          loss: async (to: string) => {
            asked.push(to);
            return estimate;
          },
        } as never,
      },
    };
    const {value} = await inTheEnd(readStatus(world(store), signal));
    const {document} = value;
    expect(statusSchema.parse(document)).toEqual(document);
    expect([looks, asked]).toEqual([1, ['eu']]);
    const loss = Object.fromEntries(document.regions.map((each) => [each.region, each.loss]));
    expect(loss).toMatchObject({
      us: null,
      eu: [{store: 'orders', bytes: 50, transactions: 3, certainty: 'estimate'}],
      ap: [{bytes: null, certainty: 'unknown', basis: 'ap did not answer'}],
    });
  });

  it('is not known of a store that hangs, which holds nothing up for longer than its deadline', async () => {
    const {value, seconds} = await inTheEnd(
      readStatus(world({abilities: {loss: {loss: hangs} as never, links: {links: async () => [reading('us', 'eu')]}}}), signal),
    );
    expect(seconds).toBeLessThanOrEqual(5);
    const eu = value.document.regions.find(({region}) => region === 'eu');
    expect(eu).toMatchObject({lagWorst: {from: 'us'}, roles: [{role: 'standby'}]});
    // Both ends were read all the same: what their positions tell is left.
    expect(eu?.loss).toMatchObject([{store: 'orders', certainty: 'estimate'}]);
  });
});

it('readiness that cannot be judged in time is not known, of each region that could be left', async () => {
  const open = world({}, {}, {metrics: hangs});
  const stuck = {...open, fleet: {...open.fleet, metrics: [], capacity: capacity()}} as unknown as OpenFleet;
  const {value, seconds} = await inTheEnd(readStatus(stuck, signal));
  expect(seconds).toBeLessThanOrEqual(7);
  const [us, eu] = value.document.regions;
  expect(us?.ready).toEqual([]);
  expect(eu?.ready).toEqual([{from: 'us', ready: null, reason: expect.any(String), ageMs: null}]);
  expect(eu?.headroom, 'of a source that hangs').toMatchObject({left: null, reason: expect.any(String)});
});

function capacity() {
  const place = (region: string) => ({region, limit: 100, query: null, size: 1});
  const series = {
    ...{name: 'cpu', source: 'prom', collect: null, purpose: 'load', unit: '%', query: 'x', counter: false, grain: 'hour', timeZone: 'UTC'},
    ...{historyMs: 3_600_000, dataClass: null, moves: true, limit: null, regions: members.map(place)},
  };
  return {mape: 10, keepMs: 1000, series: [series], growth: 0};
}

it('the state is read once, and what is kept there holds no secret', async () => {
  const memory = mapMemory();
  const {kept} = memory;
  const scrub = (text: string) => text.replaceAll('hunter2', '•••');
  const throws = async () => {
    throw new Error('wrong password hunter2');
  };
  const open = world(
    {observe: throws},
    {secrets: {reveal: async () => '', scrub}},
    {state: async () => ({...memory, runs: () => [], close: () => undefined}) as never},
  );
  const {value} = await inTheEnd(readStatus(open, signal));
  expect(value.document.notes.join()).toContain('wrong password •••');
  expect(JSON.stringify(kept.get('status/lab'))).toContain('wrong password •••');
  expect(JSON.stringify([value, ...kept.values()])).not.toContain('hunter2');
});

it('tells that the state is gone, and of everything else', async () => {
  const {value} = await inTheEnd(readStatus(world({}), signal));
  expect(value.document).toMatchObject({
    activeRun: null,
    notes: expect.arrayContaining([
      'since when is not known: there is no state here',
      'the runs could not be read: there is no state here',
    ]),
  });
  expect(value.document.regions.map(({roles}) => roles[0]?.role)).toEqual(['primary', 'standby', 'standby']);
});
