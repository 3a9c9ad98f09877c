import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {type DrillDeps, drillActions} from '../../src/lib/drill/actions.ts';
import type {Ctx} from '../../src/lib/plan/action.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import type {Target} from '../../src/lib/plan/plan.ts';
import type {Clock} from '../../src/lib/ports/clock.ts';
import type {Fault} from '../../src/lib/ports/fault.ts';
import {systemClock} from '../../src/lib/run/system-clock.ts';
import {type Cell, known, unknown} from '../../src/lib/snapshot/cell.ts';
import type {RegionHealth} from '../../src/lib/snapshot/snapshot.ts';
import {startOrderServer} from '../witness/order-server.ts';
import {FLEET, nobody, wellSenses} from './plans.ts';

const health = (verdict: RegionHealth['verdict']): Cell<RegionHealth> =>
  known({verdict, agree: 1, asked: 1, code: 'x', reason: 'because'}, 0, 'here');
const blind: Cell<RegionHealth> = unknown('cut-off', 'nobody can tell', 0);

/** A clock that jumps over every sleep. */
function jumpingClock(): Clock {
  const time = {now: 0};
  return {
    wall: () => 1_700_000_000_000 + time.now,
    now: () => time.now,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      time.now += ms;
    },
  };
}

function fakeFaults(more: Partial<Fault> = {}) {
  const active = new Map<string, string[]>();
  const port: Fault = {
    kinds: ['lose', 'freeze'],
    inject: async (_ctx, {kind, region}) => {
      active.set(region, [kind]);
      return {pids: [1]};
    },
    heal: async (_ctx, region) => void active.delete(region),
    active: async (region) => known(active.get(region) ?? [], 0, 'lab'),
    ...more,
  };
  return {port, active};
}

const life = new AbortController();
const senses = (more: Partial<DrillDeps['senses']> = {}) =>
  wellSenses({regions: ['us-east', 'eu-west'], sampleHealth: async () => health('healthy'), ...more});

function kitWith(more: Partial<DrillDeps> = {}) {
  const clock = more.clock ?? jumpingClock();
  const kit = drillActions({
    faults: fakeFaults().port,
    ...nobody,
    senses: senses(),
    witness: {dir: '/nowhere', fleet: FLEET, life: life.signal},
    clock,
    ...more,
  });
  const ctx = (): Ctx => ({runId: 'run-1', token: 't', signal: life.signal, now: clock.now, deadline: clock.now() + 10_000});
  const find = (name: string) => {
    const action = kit.actions.find((one) => one.name === name);
    if (action === undefined) throw new Error(name);
    return action;
  };
  return {
    kit,
    look: (name: string, target: Target, args: Json) => find(name).look(ctx(), target, find(name).parse(args)),
    apply: (name: string, target: Target, args: Json) => find(name).apply(ctx(), target, find(name).parse(args)),
    ask: (name: string, target: Target, want: Json) => kit.checks.find((one) => one.name === name)?.ask(ctx(), target, want, 'any'),
    describe: (name: string, target: Target, args: Json) => find(name).describe(target, find(name).parse(args)),
  };
}

const east = {region: 'us-east', fault: 'lose'};
const lose = {kind: 'lose', args: {}, leaseMs: 1000};

describe('fault.inject and fault.heal', () => {
  it('inject once, and are told apart from another fault and from not knowing', async () => {
    const {port, active} = fakeFaults();
    const {look, apply, ask} = kitWith({faults: port});
    expect(await look('fault.inject', east, lose)).toBe('before');
    expect(await ask('fault.active', east, [])).toMatchObject({holds: true, says: 'no fault is active on us-east'});
    expect(await apply('fault.inject', east, lose)).toMatchObject({
      fault: 'lose',
      region: 'us-east',
      injectedAt: '2023-11-14T22:13:20.000Z',
      detail: {pids: [1]},
    });
    expect(await look('fault.inject', east, lose)).toBe('done');
    expect(await ask('fault.active', east, ['lose'])).toMatchObject({holds: true, measured: ['lose']});
    active.set('us-east', ['freeze']);
    expect(await look('fault.inject', east, lose)).toBe('elsewhere');
    const dumb = kitWith({faults: fakeFaults({active: async () => unknown('x', 'no answer', 0)}).port});
    expect(await dumb.look('fault.inject', east, lose)).toBe('unknown');
    expect(await dumb.ask('fault.active', east, [])).toMatchObject({holds: null});
  });

  it('refuses a kind that the injector does not know, and a fleet without faults', async () => {
    const {apply} = kitWith();
    await expect(apply('fault.inject', east, {...lose, kind: 'flood'})).rejects.toMatchObject({code: 'usage'});
    await expect(apply('fault.inject', {}, lose)).rejects.toMatchObject({code: 'usage'});
    await expect(kitWith({faults: null}).look('fault.inject', east, lose)).rejects.toMatchObject({code: 'no-faults', exit: 69});
  });

  it('heals until it is proven that nothing is left', async () => {
    let tries = 0;
    const {port, active} = fakeFaults();
    active.set('us-east', ['lose']);
    const slow: Fault = {
      ...port,
      heal: async (ctx, region) => {
        tries += 1;
        if (tries === 1) throw new Error('connection refused');
        if (tries === 3) await port.heal(ctx, region);
      },
    };
    expect(await kitWith({faults: slow}).apply('fault.heal', east, {})).toMatchObject({provenHealed: true});
    expect(tries).toBe(3);
    const stuck = kitWith({faults: {...port, active: async () => known(['lose'], 0, 'lab')}});
    await expect(stuck.apply('fault.heal', east, {})).rejects.toMatchObject({
      code: 'not-healed',
      message: expect.stringContaining('lose is still active'),
    });
    const silent = kitWith({faults: {...port, active: async () => unknown('x', 'the lab does not answer', 0)}});
    await expect(silent.apply('fault.heal', east, {})).rejects.toMatchObject({
      code: 'not-healed',
      message: expect.stringContaining('does not answer'),
    });
  });
});

describe('fault.still', () => {
  const still = (active: readonly string[], kinds: string[]) => {
    const port = fakeFaults({active: async () => known(active, 0, 'lab')}).port;
    return kitWith({faults: port}).apply('fault.still', {}, {faults: [{region: 'us-east', kinds}]});
  };

  it('holds as long as every fault is there, whatever else is', async () => {
    expect(await still(['freeze', 'lose'], ['lose'])).toMatchObject({says: 'the fault outlasted the reaction'});
  });

  it('fails when one has ended by itself, also when another one of its kind is there', async () => {
    await expect(still([], ['lose'])).rejects.toMatchObject({code: 'fault-over', exit: 2});
    await expect(still(['lose'], ['lose', 'lose'])).rejects.toMatchObject({code: 'fault-over'});
  });

  it('says so when it cannot be told', async () => {
    const port = fakeFaults({active: async () => unknown('unreachable', 'nobody answers', 0)}).port;
    expect(await kitWith({faults: port}).apply('fault.still', {}, {faults: [{region: 'us-east', kinds: ['lose']}]})).toMatchObject({
      says: 'whether the fault on us-east outlasted the reaction is not known',
    });
  });
});

describe('health.await', () => {
  const args = {verdict: 'unhealthy', everyMs: 250, fall: 2, withinMs: 5000};
  const samples =
    (...cells: Cell<RegionHealth>[]) =>
    async () =>
      cells.shift() ?? blind;

  it('wants the verdict so many times in a row; unknown begins anew', async () => {
    const {apply} = kitWith({
      senses: senses({
        sampleHealth: samples(health('unhealthy'), blind, health('unhealthy'), health('healthy'), health('unhealthy'), health('unhealthy')),
      }),
    });
    expect(await apply('health.await', east, args)).toMatchObject({
      samples: 6,
      afterMs: 1250,
      says: 'us-east is unhealthy after 1250 ms: because',
    });
  });

  it('fails when it does not come about in time, saying what was seen last', async () => {
    await expect(kitWith().apply('health.await', east, args)).rejects.toMatchObject({
      code: 'not-detected',
      message: expect.stringContaining('it is healthy'),
    });
    const cut = kitWith({senses: senses({sampleHealth: async () => blind})});
    await expect(cut.apply('health.await', east, args)).rejects.toMatchObject({
      message: expect.stringContaining('not known (nobody can tell)'),
    });
  });
});

describe('drill.steady', () => {
  const args = {checks: [{health: 'healthy'}, {writable: true}, {lagBelowMs: 30}], except: ['us-east'], withinMs: 0, must: false};

  it('looks at every region but those left out, at writes and at lag', async () => {
    const {apply, ask} = kitWith({
      senses: senses({sampleHealth: async (region) => (region === 'us-east' ? health('unhealthy') : health('healthy'))}),
    });
    expect(await apply('drill.steady', {}, args)).toMatchObject({
      met: true,
      checks: [{check: 'health of eu-west', holds: true}, {holds: true}, {says: 'the largest lag is 12 ms'}],
    });
    expect(await apply('drill.steady', {}, {...args, except: []})).toMatchObject({met: false, says: 'us-east is unhealthy: because'});
    await expect(apply('drill.steady', {}, {...args, except: [], must: true})).rejects.toMatchObject({code: 'not-steady', exit: 77});
    expect(await ask('fleet.steady', {}, {checks: [{health: 'healthy'}], except: []})).toMatchObject({holds: false});
  });

  it('waits for the state to come about, and never takes unknown for steady', async () => {
    let seen = 0;
    const late = kitWith({
      senses: senses({
        sampleHealth: async () => {
          seen += 1;
          return health(seen > 4 ? 'healthy' : 'recovering');
        },
      }),
    });
    expect(await late.apply('drill.steady', {}, {...args, withinMs: 5000})).toMatchObject({met: true});
    const cut = kitWith({senses: senses({sampleHealth: async () => blind})});
    expect(await cut.apply('drill.steady', {}, args)).toMatchObject({met: false});
    expect(await cut.ask('fleet.steady', {}, {checks: [{health: 'healthy'}], except: []})).toMatchObject({holds: null});
  });
});

describe('region.verdict', () => {
  it('compares one fresh sample with a verdict or a list of them', async () => {
    const {ask} = kitWith();
    expect(await ask('region.verdict', east, 'healthy')).toMatchObject({holds: true});
    expect(await ask('region.verdict', east, ['unhealthy', 'degraded'])).toMatchObject({holds: false, says: 'us-east is healthy: because'});
    expect(await kitWith({senses: senses({sampleHealth: async () => blind})}).ask('region.verdict', east, 'healthy')).toMatchObject({
      holds: null,
    });
  });
});

describe('the arguments', () => {
  it('are checked, and a wrong one is named', () => {
    const {kit, describe: say} = kitWith();
    const start = kit.actions.find(({name}) => name === 'witness.start');
    expect(() => start?.parse({url: 'x', everyMs: 0, deadlineMs: 1})).toThrow(/witness\.start.*everyMs/);
    expect(say('fault.inject', east, lose)).toBe('inject lose into us-east, for 1000 ms at most');
    expect(say('health.await', east, {verdict: 'unhealthy', everyMs: 1, fall: 2, withinMs: 1})).toBe(
      'wait until us-east is unhealthy 2 times in a row',
    );
  });
});

describe('witness.start and witness.stop', () => {
  let dir: string;
  let server: Awaited<ReturnType<typeof startOrderServer>>;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'drill-'));
    server = await startOrderServer(20_760);
  });
  afterEach(async () => {
    await server.close();
    await rm(dir, {recursive: true});
  });
  const startArgs = () => ({url: server.url, everyMs: 10, deadlineMs: 200});

  it('measure a stream, once', async () => {
    const onWitness = vi.fn();
    const {kit, apply, look, ask} = kitWith({clock: systemClock(), witness: {dir, fleet: FLEET, life: life.signal}, onWitness});
    expect(await look('witness.stop', {}, {coolDownMs: 0})).toBe('done');
    expect(await look('witness.start', {}, startArgs())).toBe('before');
    expect(await ask('witness.running', {}, true)).toMatchObject({holds: false});
    await apply('witness.start', {}, startArgs());
    await apply('witness.start', {}, startArgs());
    expect(await look('witness.start', {}, startArgs())).toBe('done');
    await vi.waitUntil(() => (kit.witness()?.snapshot().acknowledged ?? 0) > 10, {timeout: 5000, interval: 5});
    expect(await ask('service.writable', {}, true)).toMatchObject({holds: true, says: expect.stringContaining('acknowledged')});
    expect(await ask('service.writable', {}, 'now')).toMatchObject({holds: true, says: 'a write was accepted'});
    expect(await look('witness.stop', {}, {coolDownMs: 0})).toBe('before');
    const result = await apply('witness.stop', {}, {coolDownMs: 30});
    expect(result).toMatchObject({
      lostWrites: 0,
      duplicatedWrites: 0,
      lossWindowMs: 0,
      failed: 0,
      lost: [],
      readBackTrouble: null,
      interrupted: false,
    });
    expect(await look('witness.stop', {}, {coolDownMs: 0})).toBe('done');
    expect(kit.witness()).toBeNull();
    expect(onWitness.mock.calls.map(([witness]) => witness === null)).toEqual([false, true]);
    expect(await ask('service.writable', {}, true)).toMatchObject({holds: true, says: 'a write was accepted'});
  });

  it('tell what a process that died had measured, with the gap unknown', async () => {
    const before = kitWith({clock: systemClock(), witness: {dir, fleet: FLEET, life: life.signal}});
    await before.apply('witness.start', {}, startArgs());
    await vi.waitUntil(() => (before.kit.witness()?.snapshot().acknowledged ?? 0) > 10, {timeout: 5000, interval: 5});
    await before.apply('witness.stop', {}, {coolDownMs: 0});
    const file = join(dir, 'run-1.witness.ndjson');
    await writeFile(file, (await readFile(file, 'utf8')).replace(/^.*"close".*$/m, ''));
    const next = kitWith({clock: systemClock(), witness: {dir, fleet: FLEET, life: life.signal}});
    expect(await next.look('witness.stop', {}, {coolDownMs: 0})).toBe('before');
    expect(await next.apply('witness.stop', {}, {coolDownMs: 0})).toMatchObject({lostWrites: 0, interrupted: true});
  });

  it('say that losses are not known when nothing can be read back', async () => {
    const end = new AbortController();
    const {kit, apply} = kitWith({clock: systemClock(), witness: {dir, fleet: FLEET, life: life.signal}});
    await apply('witness.start', {}, startArgs());
    await vi.waitUntil(() => (kit.witness()?.snapshot().acknowledged ?? 0) > 3, {timeout: 5000, interval: 5});
    const stop = kit.actions.find(({name}) => name === 'witness.stop');
    await server.close();
    setTimeout(() => end.abort(), 300);
    const ctx = {runId: 'run-1', token: 't', signal: end.signal, now: () => performance.now(), deadline: performance.now() + 1000};
    expect(await stop?.apply(ctx, {}, {coolDownMs: 0})).toMatchObject({
      lostWrites: null,
      lost: null,
      lossWindowMs: null,
      readBackTrouble: expect.any(String),
    });
    await server.reopen();
  });
});
