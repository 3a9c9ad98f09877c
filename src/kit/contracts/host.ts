import type {Host} from '../../lib/ports/host.ts';
import {becomesTrue, outcomeOf, type Runner, verdictOf, worldTests} from './runner.ts';

/** The host of a standby that runs and follows `upstream`. It is a running standby of `upstream` again after each test. */
export type HostWorld = {
  readonly host: Host;
  /** The member that it follows, by the name under which `startAsStandby`, `rebuild` and `rewind` know it. */
  readonly upstream: string;
  /** Whether the member's server takes connections, found out without asking the host. */
  isRunningFromOutside(): Promise<boolean>;
  /** Whether the member replicates from `upstream` now, found out without asking the host. */
  isFollowingFromOutside(): Promise<boolean>;
  /** Whether the member takes a write now, found out without asking the host. Leave it out where nobody can tell. */
  takesWritesFromOutside?(): Promise<boolean>;
  /** The same kind of host where nobody answers. Leave it out where there is no such thing. */
  readonly unreachable?: Host;
  close?(): Promise<void>;
};

/** What every host must keep. `makeWorld` is called for each test. */
export function hostContract(runner: Runner, makeWorld: () => Promise<HostWorld>): void {
  const restored = async (): Promise<HostWorld> => {
    const world = await makeWorld();
    return {
      ...world,
      close: async () => {
        await world.host.startAsStandby(world.upstream, live());
        await world.close?.();
      },
    };
  };
  runner.describe('host contract', () => {
    stopAndStart(runner, restored);
    standby(runner, restored);
    copying(runner, restored);
    refusals(runner, restored);
  });
}

function stopAndStart(runner: Runner, makeWorld: () => Promise<HostWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('sees a server that runs', async ({host}) => {
    const {running, detail} = await host.status(live());
    expect(running).toBe(true);
    expect(detail.trim() !== '').toBe(true);
  });

  test('stops it, and stopping it again is success', async ({host, isRunningFromOutside}) => {
    await host.stop(live());
    expect(await isRunningFromOutside()).toBe(false);
    const {running, detail} = await host.status(live());
    expect(running).toBe(false);
    expect(detail.trim() !== '').toBe(true);
    await host.stop(live());
    expect((await host.status(live())).running).toBe(false);
  });

  test('starts it as what it was, and starting it again is success', async ({host, isRunningFromOutside, isFollowingFromOutside}) => {
    await host.stop(live());
    await host.start(live());
    expect((await host.status(live())).running).toBe(true);
    expect(await becomesTrue(isRunningFromOutside)).toBe(true);
    await host.start(live());
    expect(await becomesTrue(isFollowingFromOutside)).toBe(true);
  });
}

function standby(runner: Runner, makeWorld: () => Promise<HostWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('starts a stopped server as a standby of the member that is named', async ({host, upstream, isFollowingFromOutside}) => {
    await host.stop(live());
    expect(await isFollowingFromOutside()).toBe(false);
    await host.startAsStandby(upstream, live());
    expect((await host.status(live())).running).toBe(true);
    expect(await becomesTrue(isFollowingFromOutside)).toBe(true);
  });

  test('starts a stopped server as a standby of nobody: it answers, takes no write and follows nobody, also after a restart', async (world) => {
    const {host, upstream, isRunningFromOutside, isFollowingFromOutside} = world;
    await host.stop(live());
    for (const start of [() => host.startAsStandby(null, live()), () => host.start(live())]) {
      await start();
      expect((await host.status(live())).running).toBe(true);
      expect(await becomesTrue(isRunningFromOutside)).toBe(true);
      expect(await isFollowingFromOutside()).toBe(false);
      expect((await world.takesWritesFromOutside?.()) ?? false).toBe(false);
      await host.stop(live());
    }
    await host.startAsStandby(upstream, live());
    expect(await becomesTrue(isFollowingFromOutside)).toBe(true);
  });

  test('turns a standby that runs to the member that is named', async ({host, upstream, isRunningFromOutside, isFollowingFromOutside}) => {
    await host.stop(live());
    await host.startAsStandby(null, live());
    expect(await becomesTrue(isRunningFromOutside)).toBe(true);
    await host.startAsStandby(upstream, live());
    expect(await becomesTrue(isFollowingFromOutside)).toBe(true);
  });
}

function copying(runner: Runner, makeWorld: () => Promise<HostWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('rebuilds it as a standby, whether it runs or not, and says how much it copied', async ({host, upstream, ...world}) => {
    for (const stopped of [false, true]) {
      if (stopped) await host.stop(live());
      const {bytes} = await host.rebuild(upstream, live());
      expect(Number.isInteger(bytes) && bytes > 0).toBe(true);
      expect((await host.status(live())).running).toBe(true);
      expect(await becomesTrue(world.isFollowingFromOutside)).toBe(true);
    }
  });

  test('rewinds a stopped one, if it can rewind at all: it is a standby afterwards, also where there was nothing to take back', async (world) => {
    const {host, upstream} = world;
    if (host.rewind === undefined) return;
    await host.stop(live());
    const {bytes} = await host.rewind(upstream, live());
    expect(Number.isInteger(bytes) && bytes >= 0).toBe(true);
    expect((await host.status(live())).running).toBe(true);
    expect(await becomesTrue(world.isFollowingFromOutside)).toBe(true);
  });
}

function refusals(runner: Runner, makeWorld: () => Promise<HostWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('refuses an upstream that it does not know, and leaves the server as it was', async ({host, isFollowingFromOutside}) => {
    expect(await verdictOf(() => host.startAsStandby('no-such-member', live()))).toBe('refused');
    expect(await verdictOf(() => host.rebuild('no-such-member', live()))).toBe('refused');
    if (host.rewind !== undefined) expect(await verdictOf(() => host.rewind?.('no-such-member', live()))).toBe('refused');
    expect((await host.status(live())).running).toBe(true);
    expect(await becomesTrue(isFollowingFromOutside)).toBe(true);
  });

  test('touches nothing for who has cancelled', async ({host, upstream, isRunningFromOutside}) => {
    const cancelled = AbortSignal.abort(new Error('cancelled'));
    for (const attempt of [() => host.status(cancelled), () => host.stop(cancelled), () => host.rebuild(upstream, cancelled)])
      expect((await outcomeOf(attempt)).refused).toBe(true);
    expect(await isRunningFromOutside()).toBe(true);
  });

  test('says that it does not answer, with exit code 69', async ({unreachable, upstream}) => {
    if (unreachable === undefined) return;
    const attempts = [
      () => unreachable.status(live()),
      () => unreachable.stop(live()),
      () => unreachable.start(live()),
      () => unreachable.startAsStandby(upstream, live()),
      () => unreachable.rebuild(upstream, live()),
    ];
    for (const attempt of attempts) expect(await outcomeOf(attempt)).toMatchObject({refused: true, exit: 69});
  });
}

function live(): AbortSignal {
  return AbortSignal.timeout(90_000);
}
