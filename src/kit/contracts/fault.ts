import type {Ctx} from '../../lib/plan/action.ts';
import type {Json} from '../../lib/plan/json.ts';
import type {Fault} from '../../lib/ports/fault.ts';
import {becomesTrue, type Runner, verdictOf, worldTests} from './runner.ts';

/** An injector and a region that it may hurt. The region is healed before and after each test. */
export type FaultWorld = {
  readonly fault: Fault;
  readonly region: string;
  /** One kind of `fault.kinds` with arguments for it, whose effect can be seen from outside. */
  readonly kind: string;
  readonly args: Json;
  /** Whether the region is hurt now, found out without asking the injector: by its clients' path, say. */
  isActiveFromOutside(): Promise<boolean>;
  /** What an effect is given, with at least a minute for it. */
  ctx(): Ctx;
  /** The injector as another process has it, later: it knows nothing but what is there. Leave it out where it keeps nothing itself. */
  again?(): Fault;
  /** The same kind of injector where nobody answers. Leave it out where there is no such thing. */
  readonly unreachable?: Fault;
  close?(): Promise<void>;
};

/** Long enough to be seen, and more than any test takes otherwise. */
const LONG_LEASE_MS = 600_000;
const SHORT_LEASE_MS = 1500;
/** What an injector may take that does not say how long it does. */
const UNSAID_MS = 30_000;

/** What every fault injector must keep. `makeWorld` is called for each test. One that needs a reaper keeps no lease: of that nothing is asked. */
export function faultContract(runner: Runner, makeWorld: () => Promise<FaultWorld>): void {
  const healed = async (): Promise<FaultWorld> => {
    const world = await makeWorld();
    await world.fault.heal(world.ctx(), world.region);
    await becomesTrue(async () => !(await world.isActiveFromOutside()));
    return {
      ...world,
      close: async () => {
        await world.fault.heal(world.ctx(), world.region);
        await world.close?.();
      },
    };
  };
  runner.describe('fault contract', () => {
    injecting(runner, healed);
    ending(runner, healed);
    refusals(runner, healed);
  });
}

function injecting(runner: Runner, makeWorld: () => Promise<FaultWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('names the kinds that it can inject', async ({fault, kind}) => {
    expect(fault.kinds.includes(kind)).toBe(true);
    expect(new Set(fault.kinds).size).toBe(fault.kinds.length);
  });

  test('has nothing active where nothing was injected', async (world) => {
    expect(await activeKinds(world)).toEqual([]);
    expect(await world.isActiveFromOutside()).toBe(false);
  });

  test('is active once injected: by its own account and from outside', async (world) => {
    const {fault, kind} = world;
    const record = await inject(world, LONG_LEASE_MS);
    expect(JSON.parse(JSON.stringify(record ?? null))).toEqual(record ?? null);
    expect(await activeKinds(world)).toEqual([kind]);
    expect(await becomesTrue(world.isActiveFromOutside)).toBe(true);
    expect(fault.kinds.includes(kind)).toBe(true);
  });
}

function ending(runner: Runner, makeWorld: () => Promise<FaultWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('ends every fault of the region, also one that was injected twice, and healing again is success', async (world) => {
    const {fault, region, ctx, isActiveFromOutside} = world;
    await inject(world, LONG_LEASE_MS);
    await inject(world, LONG_LEASE_MS);
    await fault.heal(ctx(), region);
    expect(await activeKinds(world)).toEqual([]);
    expect(await becomesTrue(async () => !(await isActiveFromOutside()))).toBe(true);
    await fault.heal(ctx(), region);
    expect(await activeKinds(world)).toEqual([]);
  });

  test('takes no longer than it says that it may', async (world) => {
    const {fault, region, ctx} = world;
    for (const ms of [fault.injectMs, fault.healMs, fault.lateMs]) expect(ms === undefined || (Number.isFinite(ms) && ms >= 0)).toBe(true);
    const began = performance.now();
    await inject(world, LONG_LEASE_MS);
    const there = performance.now();
    await fault.heal(ctx(), region);
    await activeKinds(world);
    expect(there - began <= (fault.injectMs ?? UNSAID_MS)).toBe(true);
    expect(performance.now() - there <= (fault.healMs ?? UNSAID_MS)).toBe(true);
  });

  test('is seen and ended by an injector that did not begin it', async (world) => {
    if (world.again === undefined) return;
    await inject(world, LONG_LEASE_MS);
    const other = {...world, fault: world.again()};
    expect(await activeKinds(other)).toEqual([world.kind]);
    await other.fault.heal(world.ctx(), world.region);
    expect(await activeKinds(world)).toEqual([]);
    expect(await becomesTrue(async () => !(await world.isActiveFromOutside()))).toBe(true);
  });

  test('ends by itself when its lease has run out', async (world) => {
    if (world.fault.needsReaper === true) return;
    const began = performance.now();
    await inject(world, SHORT_LEASE_MS);
    expect(await becomesTrue(async () => (await activeKinds(world)).length === 0)).toBe(true);
    expect(performance.now() - began >= SHORT_LEASE_MS).toBe(true);
    expect(await becomesTrue(async () => !(await world.isActiveFromOutside()))).toBe(true);
  });

  test('takes a new lease when it is injected again', async (world) => {
    if (world.fault.needsReaper === true) return;
    await inject(world, SHORT_LEASE_MS);
    await inject(world, LONG_LEASE_MS);
    expect(await becomesTrue(async () => (await activeKinds(world)).length === 0, SHORT_LEASE_MS + 500)).toBe(false);
  });
}

function refusals(runner: Runner, makeWorld: () => Promise<FaultWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('refuses what it does not know, and leaves nothing behind', async (world) => {
    const {fault, region, kind, args, ctx} = world;
    const leaseMs = LONG_LEASE_MS;
    expect(await verdictOf(() => fault.inject(ctx(), {kind: 'no-such-kind', region, args, leaseMs}))).toBe('refused');
    expect(await verdictOf(() => fault.inject(ctx(), {kind, region: 'no-such-region', args, leaseMs}))).toBe('refused');
    expect(await activeKinds(world)).toEqual([]);
  });

  test('accepts what it can do, and says what is wrong with what it then refuses', async ({fault, region, kind, args, ctx}) => {
    if (fault.accepts === undefined) return;
    const order = {kind, region, args, leaseMs: LONG_LEASE_MS};
    expect(fault.accepts(order, [])).toBe(null);
    for (const part of [{kind: 'no-such-kind'}, {region: 'no-such-region'}, {leaseMs: 0}]) {
      const wrong = {...order, ...part};
      const {says = '', fix = ''} = fault.accepts(wrong, []) ?? {};
      expect(says !== '' && fix !== '').toBe(true);
      expect(await verdictOf(() => fault.inject(ctx(), wrong))).toBe('refused');
    }
  });

  test('says which of its kinds cannot be had here, refuses those, and says nothing when it cannot tell', async (world) => {
    const {fault, unreachable, region, args, ctx} = world;
    const reasons = (await fault.unavailable?.(live())) ?? {};
    for (const [kind, why] of Object.entries(reasons)) {
      expect(fault.kinds.includes(kind) && why !== '').toBe(true);
      expect(await verdictOf(() => fault.inject(ctx(), {kind, region, args, leaseMs: LONG_LEASE_MS}))).toBe('refused');
    }
    expect(await activeKinds(world)).toEqual([]);
    const ask = unreachable?.unavailable;
    if (ask !== undefined) expect(await verdictOf(() => ask(live()))).toBe('refused');
  });

  test('refuses a fault without a lease', async (world) => {
    expect(await verdictOf(() => inject(world, 0))).toBe('refused');
    expect(await activeKinds(world)).toEqual([]);
  });

  test('says unknown, never "none", when it cannot tell', async ({fault, unreachable, region, kind, args, ctx}) => {
    const cancelled = await fault.active(region, AbortSignal.abort(new Error('cancelled')));
    for (const cell of [cancelled, await unreachable?.active(region, live())]) {
      if (cell === undefined) continue;
      expect(cell.known).toBe(false);
      if (!cell.known) expect(cell.code !== '' && cell.reason !== '' && cell.at > 0).toBe(true);
    }
    if (unreachable === undefined) return;
    expect(await verdictOf(() => unreachable.inject(ctx(), {kind, region, args, leaseMs: LONG_LEASE_MS}))).toBe('refused');
    expect(await verdictOf(() => unreachable.heal(ctx(), region))).toBe('refused');
  });
}

function inject({fault, kind, region, args, ctx}: FaultWorld, leaseMs: number): Promise<Json> {
  return fault.inject(ctx(), {kind, region, args, leaseMs});
}

/** The kinds that are active on the region; throws when the injector cannot tell. */
async function activeKinds({fault, region}: FaultWorld): Promise<readonly string[]> {
  const cell = await fault.active(region, live());
  if (!cell.known) throw new Error(`whether a fault is active is unknown: ${cell.code}: ${cell.reason}`);
  return cell.value;
}

function live(): AbortSignal {
  return AbortSignal.timeout(10_000);
}
