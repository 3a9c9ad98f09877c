import type {Ctx} from '../../lib/plan/action.ts';
import type {Router} from '../../lib/ports/router.ts';
import {outcomeOf, type Runner, verdictOf, worldTests} from './runner.ts';

/** A router in front of at least two regions. Its weights are put back after each test. */
export type RouterWorld = {
  readonly router: Router;
  /** Every region that it routes to. */
  readonly regions: readonly string[];
  /** What an effect is given, with at least ten seconds for it; `signal` replaces the one in it. */
  ctx(signal?: AbortSignal): Ctx;
  /** The same kind of router where nobody answers. Leave it out where there is no such thing. */
  readonly unreachable?: Router;
  close?(): Promise<void>;
};

/** What every router must keep. `makeWorld` is called for each test. The ability to cut sessions is not tested where it lacks. */
export function routerContract(runner: Runner, makeWorld: () => Promise<RouterWorld>): void {
  const kept = async (): Promise<RouterWorld> => {
    const world = await makeWorld();
    const before = await world.router.read(live());
    return {
      ...world,
      close: async () => {
        await world.router.write(world.ctx(), before);
        await world.close?.();
      },
    };
  };
  runner.describe('router contract', () => {
    weights(runner, kept);
    refusals(runner, kept);
    surroundings(runner, kept);
  });
}

function weights(runner: Runner, makeWorld: () => Promise<RouterWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('reads one weight from 0 to 100 for each of its regions', async ({router, regions}) => {
    const read = await router.read(live());
    expect(Object.keys(read).toSorted()).toEqual([...regions].toSorted());
    expect(Object.values(read).filter((weight) => !(weight >= 0 && weight <= 100))).toEqual([]);
  });

  test('reads back what was written', async ({router, regions, ctx}) => {
    for (const chosen of regions) {
      const wanted = only(regions, chosen, 100);
      await router.write(ctx(), wanted);
      expect(await router.read(live())).toEqual(wanted);
    }
    const shares = Object.fromEntries(regions.map((region, index) => [region, 10 * (index + 1)]));
    await router.write(ctx(), shares);
    expect(await router.read(live())).toEqual(shares);
  });

  test('takes weights as absolute: writing twice is writing once', async ({router, regions, ctx}) => {
    const wanted = only(regions, regions[0], 40);
    await router.write(ctx(), wanted);
    await router.write(ctx(), wanted);
    expect(await router.read(live())).toEqual(wanted);
  });

  test('can close every region', async ({router, regions, ctx}) => {
    const none = only(regions, undefined, 0);
    await router.write(ctx(), none);
    expect(await router.read(live())).toEqual(none);
  });
}

function refusals(runner: Runner, makeWorld: () => Promise<RouterWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('refuses a region that it does not know, and changes nothing', async ({router, regions, ctx}) => {
    const before = await router.read(live());
    const wrong = {...only(regions, regions[1], 100), 'no-such-region': 0};
    expect(await verdictOf(() => router.write(ctx(), wrong))).toBe('refused');
    expect(await router.read(live())).toEqual(before);
  });

  test('refuses a weight that is not from 0 to 100, and changes nothing', async ({router, regions, ctx}) => {
    const before = await router.read(live());
    for (const weight of [-1, 101, Number.NaN]) {
      expect(await verdictOf(() => router.write(ctx(), only(regions, regions[0], weight)))).toBe('refused');
      expect(await router.read(live())).toEqual(before);
    }
  });

  test('writes nothing for who has cancelled', async ({router, regions, ctx}) => {
    const before = await router.read(live());
    const cancelled = ctx(AbortSignal.abort(new Error('cancelled')));
    expect((await outcomeOf(() => router.write(cancelled, only(regions, regions[1], 77)))).refused).toBe(true);
    expect(await router.read(live())).toEqual(before);
  });
}

function surroundings(runner: Runner, makeWorld: () => Promise<RouterWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('counts the sessions that it cuts, and leaves the weights alone', async ({router, regions, ctx}) => {
    const before = await router.read(live());
    for (const region of regions) {
      const cut = (await router.cut?.(ctx(), region)) ?? 0;
      expect(Number.isInteger(cut) && cut >= 0).toBe(true);
    }
    if (router.cut !== undefined) expect(await verdictOf(() => router.cut?.(ctx(), 'no-such-region'))).toBe('refused');
    expect(await router.read(live())).toEqual(before);
  });

  test('says that it does not answer, with exit code 69', async ({unreachable, ctx}) => {
    if (unreachable === undefined) return;
    expect(await outcomeOf(() => unreachable.read(live()))).toMatchObject({refused: true, exit: 69});
    expect(await outcomeOf(() => unreachable.write(ctx(), {}))).toMatchObject({refused: true, exit: 69});
  });
}

function only(regions: readonly string[], chosen: string | undefined, weight: number): Record<string, number> {
  return Object.fromEntries(regions.map((region) => [region, region === chosen ? weight : 0]));
}

function live(): AbortSignal {
  return AbortSignal.timeout(10_000);
}
