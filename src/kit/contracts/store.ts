import type {Ctx} from '../../lib/plan/action.ts';
import type {Store} from '../../lib/ports/store.ts';
import {outcomeOf, type Runner, worldTests} from './runner.ts';

/** A store with one primary and at least two standbys that have caught up, and the means to hurt it. */
export type StoreWorld = {
  readonly store: Store;
  /** A second, independent opening of the same store. */
  readonly rival: Store;
  readonly primary: string;
  readonly standbys: readonly string[];
  /** Makes a member stop answering for good. */
  kill(member: string): Promise<void>;
  /** Writes one row on a member; rejects when it is refused. */
  write(member: string): Promise<void>;
  /** What an effect is given; another name stands for another run. */
  ctx(runId?: string): Ctx;
  close(): Promise<void>;
};

/** What every store must keep, whatever its engine. `makeWorld` is called for each test. Abilities that it lacks are not tested. */
export function storeContract(runner: Runner, makeWorld: () => Promise<StoreWorld>): void {
  runner.describe('store contract', () => {
    observing(runner, makeWorld);
    holding(runner, makeWorld);
    promoting(runner, makeWorld);
  });
}

function observing(runner: Runner, makeWorld: () => Promise<StoreWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('observes every member, or those that are asked for, and names exactly one primary', async ({store, primary, standbys}) => {
    const cells = await store.observe(live());
    expect(Object.keys(cells).toSorted()).toEqual([primary, ...standbys].toSorted());
    const roles = Object.entries(cells).flatMap(([name, cell]) => (cell.known && cell.value.role === 'primary' ? [name] : []));
    expect(roles).toEqual([primary]);
    expect(Object.keys(await store.observe(live(), standbys)).toSorted()).toEqual([...standbys].toSorted());
  });

  test('never throws for a dead member, which is unknown with a code and a reason', async ({store, primary, standbys, kill}) => {
    await kill(primary);
    const cells = await store.observe(live());
    const cell = cells[primary];
    expect(cell?.known).toBe(false);
    if (cell?.known === false) expect(cell.code.length > 0 && cell.reason.length > 0).toBe(true);
    expect(standbys.map((name) => cells[name]?.known)).toEqual(standbys.map(() => true));
    expect((await store.ackRule(live())).known).toBe(false);
  });

  test('reads every link from both ends, with nothing negative', async ({store, primary, standbys}) => {
    if (store.abilities.links === undefined) return;
    const links = await store.abilities.links.links(live());
    expect(links.map(({from, to}) => `${from}>${to}`).toSorted()).toEqual(standbys.map((name) => `${primary}>${name}`).toSorted());
    for (const {sendBytes, writeBytes, flushBytes, replayBytes, sampleAgeMs} of links) {
      for (const value of [sendBytes, writeBytes, flushBytes, replayBytes, sampleAgeMs]) expect(value === null || value >= 0).toBe(true);
    }
  });
}

function holding(runner: Runner, makeWorld: () => Promise<StoreWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('is claimed by one at a time', async ({store, rival, ctx}) => {
    const [ours, theirs] = [store.abilities.claim, rival.abilities.claim];
    if (ours === undefined || theirs === undefined) return;
    await ours.claim(ctx());
    expect(await outcomeOf(() => theirs.claim(ctx('another-run')))).toMatchObject({code: 'lease-held', exit: 75});
    expect(await ours.held(ctx())).toBe(true);
    const told = Object.values(await theirs.holders(ctx('another-run')));
    expect(told.filter((holder) => holder !== null).length > 0).toBe(true);
    expect(Object.values(await ours.holders(ctx())).every((holder) => holder === null)).toBe(true);
    await theirs.evict(ctx('another-run'));
    expect(await ours.held(ctx())).toBe(false);
  });

  test('a fenced member takes no write until the fence is undone', async ({store, primary, write, ctx}) => {
    const {fence} = store.abilities;
    if (fence === undefined || store.manager !== undefined) return;
    await write(primary);
    const proof = await fence.fence(ctx(), primary);
    expect(Number.isNaN(Date.parse(proof.at))).toBe(false);
    expect((await outcomeOf(() => write(primary))).refused).toBe(true);
    expect((await fence.prove(ctx(), primary)) === null).toBe(false);
    expect(await outcomeOf(() => fence.lift(ctx(), primary, 'following'))).toMatchObject({refused: true, exit: 77});
    await fence.lift(ctx(), primary, 'undo');
    expect(await fence.prove(ctx(), primary)).toBe(null);
    await write(primary);
  });

  test('one with a manager of its own is left to it: a healthy primary is not fenced, and nothing is done to it', async (world) => {
    const {store, primary, write, ctx} = world;
    const {manage, fence, seal, promote, follow, durability} = store.abilities;
    if (store.manager === undefined) return;
    expect(manage === undefined).toBe(false);
    expect([seal, promote, follow, durability]).toEqual([undefined, undefined, undefined, undefined]);
    if (fence === undefined) return;
    expect(await fence.prove(ctx(), primary)).toBe(null);
    expect(await outcomeOf(() => fence.fence(ctx(), primary))).toMatchObject({refused: true, exit: 77});
    await write(primary);
  });

  test('a sealed standby holds what it said, whatever is written after', async ({store, primary, standbys, write, ctx}) => {
    const {seal} = store.abilities;
    if (seal === undefined) return;
    const positions = await seal.seal(ctx(), standbys);
    await write(primary);
    const cells = await store.observe(live(), standbys);
    for (const name of standbys) {
      const cell = cells[name];
      expect(cell?.known === true ? cell.value.durable : null).toEqual(positions[name]);
    }
  });
}

function promoting(runner: Runner, makeWorld: () => Promise<StoreWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('promotes only what is claimed and where it was seen, and then exactly once', async ({store, standbys, ctx, write}) => {
    const {promote, claim, seal} = store.abilities;
    const [target] = standbys;
    if (promote === undefined || claim === undefined || seal === undefined || target === undefined) return;
    await seal.seal(ctx(), standbys);
    const cell = (await store.observe(live(), [target]))[target];
    if (!cell?.known) throw new Error('the target is unknown');
    const from = cell.value.durable;
    const attempt = (epoch: number) => outcomeOf(() => promote.promote(ctx(), target, {from: {...from, epoch}, until: ctx().now() + 1000}));
    const refusal = {code: 'promote-refused', exit: 77};
    expect(await attempt(from.epoch)).toMatchObject(refusal);
    await claim.claim(ctx());
    expect(await attempt(from.epoch + 1)).toMatchObject(refusal);
    const after = await promote.promote(ctx(), target, {from, until: ctx().now() + 1000});
    expect(after.epoch > from.epoch && after.lineage === from.lineage).toBe(true);
    await write(target);
    expect(await attempt(from.epoch)).toMatchObject(refusal);
  });
}

function live(): AbortSignal {
  return AbortSignal.timeout(10_000);
}
