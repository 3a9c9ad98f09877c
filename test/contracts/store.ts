import type {Ctx} from '../../src/lib/plan/action.ts';
import type {Store} from '../../src/lib/ports/store.ts';

/** What the suite needs of a test runner. */
export type Runner = {
  describe(name: string, body: () => void): void;
  it(name: string, body: () => Promise<void>): void;
  // biome-ignore lint/suspicious/noExplicitAny: the matchers of any runner
  expect(value: unknown): any;
};

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
export function storeContract({describe, it, expect}: Runner, makeWorld: () => Promise<StoreWorld>): void {
  const test = (name: string, body: (world: StoreWorld) => Promise<void>): void => {
    it(name, async () => {
      const world = await makeWorld();
      try {
        await body(world);
      } finally {
        await world.close();
      }
    });
  };
  const signal = (): AbortSignal => AbortSignal.timeout(10_000);

  describe('store contract', () => {
    test('observes every member, and names exactly one primary', async ({store, primary, standbys}) => {
      const cells = await store.observe(signal());
      expect(Object.keys(cells).toSorted()).toEqual([primary, ...standbys].toSorted());
      const roles = Object.entries(cells).flatMap(([name, cell]) => (cell.known && cell.value.role === 'primary' ? [name] : []));
      expect(roles).toEqual([primary]);
    });

    test('never throws for a dead member, which is unknown with a code and a reason', async ({store, primary, kill}) => {
      await kill(primary);
      const cell = (await store.observe(signal()))[primary];
      expect(cell?.known).toBe(false);
      if (cell?.known === false) expect(cell.code.length > 0 && cell.reason.length > 0).toBe(true);
      expect((await store.ackRule(signal())).known).toBe(false);
    });

    test('reads every link from both ends, with nothing negative', async ({store, primary, standbys}) => {
      const links = (await store.abilities.links?.links(signal())) ?? [];
      if (store.abilities.links === undefined) return;
      expect(links.map(({from, to}) => `${from}>${to}`).toSorted()).toEqual(standbys.map((name) => `${primary}>${name}`).toSorted());
      for (const {sendBytes, writeBytes, flushBytes, replayBytes, sampleAgeMs} of links) {
        for (const value of [sendBytes, writeBytes, flushBytes, replayBytes, sampleAgeMs]) expect(value === null || value >= 0).toBe(true);
      }
    });

    test('is claimed by one at a time', async ({store, rival, ctx}) => {
      const [ours, theirs] = [store.abilities.claim, rival.abilities.claim];
      if (ours === undefined || theirs === undefined) return;
      await ours.claim(ctx());
      await expect(theirs.claim(ctx('another-run'))).rejects.toMatchObject({code: 'lease-held', exit: 75});
      expect(await ours.held(ctx())).toBe(true);
      await theirs.evict(ctx('another-run'));
      expect(await ours.held(ctx())).toBe(false);
    });

    test('a fenced member takes no write until the fence is undone', async ({store, primary, write, ctx}) => {
      const {fence} = store.abilities;
      if (fence === undefined) return;
      await write(primary);
      const proof = await fence.fence(ctx(), primary);
      expect(Number.isNaN(Date.parse(proof.at))).toBe(false);
      await expect(write(primary)).rejects.toThrow();
      expect(await fence.prove(ctx(), primary)).not.toBeNull();
      await expect(fence.lift(ctx(), primary, 'following')).rejects.toMatchObject({exit: 77});
      await fence.lift(ctx(), primary, 'undo');
      expect(await fence.prove(ctx(), primary)).toBeNull();
      await write(primary);
    });

    test('promotes only what is claimed and where it was seen, and then exactly once', async ({store, standbys, ctx, write}) => {
      const {promote, claim, seal} = store.abilities;
      const [target] = standbys;
      if (promote === undefined || claim === undefined || seal === undefined || target === undefined) return;
      await seal.seal(ctx(), standbys);
      const cell = (await store.observe(signal(), [target]))[target];
      if (!cell?.known) throw new Error('the target is unknown');
      const from = cell.value.durable;
      const refusal = {code: 'promote-refused', exit: 77};
      await expect(promote.promote(ctx(), target, {from, notAfterMs: 1000})).rejects.toMatchObject(refusal);
      await claim.claim(ctx());
      await expect(promote.promote(ctx(), target, {from: {...from, epoch: from.epoch + 1}, notAfterMs: 1000})).rejects.toMatchObject(
        refusal,
      );
      const after = await promote.promote(ctx(), target, {from, notAfterMs: 1000});
      expect(after.epoch > from.epoch && after.lineage === from.lineage).toBe(true);
      await write(target);
      await expect(promote.promote(ctx(), target, {from, notAfterMs: 1000})).rejects.toMatchObject(refusal);
    });

    test('a sealed standby holds what it said, whatever is written after', async ({store, primary, standbys, write, ctx}) => {
      const {seal} = store.abilities;
      if (seal === undefined) return;
      const positions = await seal.seal(ctx(), standbys);
      await write(primary);
      const cells = await store.observe(signal(), standbys);
      for (const name of standbys) {
        const cell = cells[name];
        expect(cell?.known === true ? cell.value.durable : null).toEqual(positions[name]);
      }
    });
  });
}
