import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {outcomeOf} from '../../../src/kit/contracts/runner.ts';
import {type StoreWorld, storeContract} from '../../../src/kit/contracts/store.ts';
import type {Finding} from '../../../src/lib/ports/finding.ts';
import {eventually} from '../../servers/embedded.ts';
import {noPatroni, type PatroniCluster, startPatroni} from '../../servers/patroni.ts';
import {testCtx} from '../postgres/open-store.ts';
import {openPatroni, type PatroniStore} from './open-patroni.ts';

const TTL_MS = 20_000;
const signal = (): AbortSignal => AbortSignal.timeout(10_000);

// One cluster for all: what a test moves or breaks, it brings back, and each begins when everybody follows the leader.
describe.skipIf(noPatroni !== null)(`Patroni with etcd${noPatroni === null ? '' : ` (not run: ${noPatroni})`}`, () => {
  let cluster: PatroniCluster;
  let rows = 0;
  beforeAll(async () => {
    cluster = await startPatroni({names: ['us', 'eu', 'ap']});
  });
  afterAll(() => cluster?.end());

  const write = async (member: string): Promise<number> => {
    rows += 1;
    await cluster.member(member).sql(`insert into t values (${rows})`);
    return rows;
  };

  storeContract({describe, it, expect}, async (): Promise<StoreWorld> => {
    const primary = await cluster.settled();
    const [store, rival] = [await openPatroni(cluster), await openPatroni(cluster)];
    return {
      ...{store, rival, primary, standbys: ['us', 'eu', 'ap'].filter((name) => name !== primary)},
      kill: (member) => cluster.member(member).kill(),
      write: async (member) => void (await write(member)),
      ctx: (runId) => testCtx(runId),
      close: async () => {
        await Promise.all([store.close(), rival.close()]);
        for (const member of cluster.members) member.start();
      },
    };
  });

  describe('a store', () => {
    let store: PatroniStore;
    let leader: string;
    beforeEach(async () => {
      leader = await cluster.settled();
      store = await openPatroni(cluster);
    });
    afterEach(() => store.close());

    const others = (name: string): readonly string[] => ['us', 'eu', 'ap'].filter((each) => each !== name);
    const errorsOf = (findings: readonly Finding[]) => findings.filter(({verdict}) => verdict === 'error');
    const roleOf = async (name: string) => (await store.observe(signal(), [name]))[name];
    const isThere = (name: string, row: number) =>
      eventually(async () => (await cluster.member(name).sql(`select from t where x = ${row}`)).length === 1);

    it('is handed over and back, and nothing is lost', async () => {
      const {manage, rejoin} = store.abilities;
      const [other = ''] = others(leader);
      for (const [from, to] of [
        [leader, other],
        [other, leader],
      ] as const) {
        const move = {from, to, planned: true};
        expect(errorsOf(await manage.fit(move, signal()))).toEqual([]);
        const row = await write(from);
        const before = await roleOf(to);
        const position = await manage.handover(testCtx('run-1', 20_000), move);
        expect(position.epoch).toBe(before?.known === true ? before.value.durable.epoch + 1 : 'unknown');
        expect(await cluster.member(to).sql(`select from t where x = ${row}`)).toHaveLength(1);
        await write(to);
        // Nothing is asked twice: it is done already.
        expect((await manage.handover(testCtx('run-1', 20_000), move)).epoch).toBe(position.epoch);
        await rejoin.rejoin(testCtx('run-1', 30_000), from, 'follow', to);
        const standby = await roleOf(from);
        expect(standby).toMatchObject({
          known: true,
          value: {role: 'standby', writable: false, upstream: to, durable: {epoch: position.epoch}},
        });
        expect((await outcomeOf(() => write(from))).refused).toBe(true);
        await cluster.settled();
      }
    });

    it('is not failed over from a leader that is frozen: 3.0.2 with etcd v3 would let it take the key back', async () => {
      const [to = ''] = others(leader);
      cluster.member(leader).freeze();
      try {
        const findings = await store.abilities.manage.fit({from: leader, to, planned: false}, signal());
        expect(errorsOf(findings)).toMatchObject([{check: 'orders version', member: leader}]);
        expect(errorsOf(findings)[0]?.says).toMatch(
          /may only be frozen\. Patroni 3\.0\.2 with etcd v3 lets a leader that comes back take the leader key/,
        );
        expect(await store.abilities.fence.prove(testCtx('run-1', 3000), leader)).toBe(null);
      } finally {
        cluster.member(leader).thaw();
      }
      expect(await cluster.settled()).toBe(leader);
    });

    it('is not failed over from a server whose Patroni alone is gone', async () => {
      const [to = ''] = others(leader);
      await cluster.member(leader).killAgent();
      try {
        const findings = await store.abilities.manage.fit({from: leader, to, planned: false}, signal());
        expect(errorsOf(findings)).toMatchObject([{check: 'orders orphan', member: leader}]);
      } finally {
        cluster.member(leader).start();
      }
      expect(await cluster.settled()).toBe(leader);
    });

    it('tells nobody to move with a wrong password', async () => {
      const stranger = await openPatroni(cluster, {restPassword: 'wrong'});
      const [to = ''] = others(leader);
      try {
        const outcome = await outcomeOf(() => stranger.abilities.manage.handover(testCtx(), {from: leader, to, planned: true}));
        expect(outcome).toMatchObject({code: 'patroni-auth', exit: 69});
        expect(outcome.message).not.toContain('wrong');
      } finally {
        await stranger.close();
      }
      expect(await cluster.settled()).toBe(leader);
    });

    it('takes a member back after a restart, and rebuilds one', async () => {
      const {rejoin} = store.abilities;
      const [first = '', second = ''] = others(leader);
      await cluster.member(first).kill();
      expect(await rejoin.options(first, signal())).toEqual([]);
      const row = await write(leader);
      cluster.member(first).start();
      await rejoin.rejoin(testCtx('run-1', 30_000), first, 'follow', leader);
      await isThere(first, row);
      expect((await rejoin.options(second, signal())).map(({how}) => how)).toEqual(['follow', 'rebuild']);
      await rejoin.rejoin(testCtx('run-1', 30_000), second, 'rebuild', leader);
      await isThere(second, row);
      expect(await outcomeOf(() => rejoin.rejoin(testCtx(), leader, 'rebuild', leader))).toMatchObject({code: 'patroni-refused', exit: 77});
    });

    it('fails over after a kill within its ttl, is sealed then, and no acknowledged write is lost', async () => {
      const {manage, fence, rejoin, timings} = store.abilities;
      await cluster.configure({synchronous_mode: true, synchronous_mode_strict: true});
      // Patroni may choose another synchronous standby until it has settled.
      const to = await eventually(async () => {
        const cell = await store.ackRule(signal());
        const [only, ...more] = cell.known && cell.value.need === 1 ? cell.value.of : [];
        if (only === undefined || more.length > 0) return null;
        return errorsOf(await manage.fit({from: leader, to: only, planned: true}, signal())).length === 0 ? only : null;
      }, 60_000);
      const [stray = ''] = others(leader).filter((name) => name !== to);
      expect(errorsOf(await manage.fit({from: leader, to: stray, planned: false}, signal()))).toMatchObject([
        {check: 'orders synchronous'},
      ]);
      const acknowledged: number[] = [];
      for (let turn = 0; turn < 20; turn++) acknowledged.push(await write(leader));

      await cluster.member(leader).kill();
      const began = performance.now();
      const move = {from: leader, to, planned: false};
      expect(errorsOf(await manage.fit(move, signal()))).toEqual([]);
      expect(await fence.prove(testCtx('run-1', 3000), leader)).toBe(null);
      const {detectMs} = await timings.timings(signal());
      const position = await manage.handover(testCtx('run-1', 40_000), move);
      expect(performance.now() - began).toBeLessThan(detectMs + 2000);
      expect(detectMs).toBe(TTL_MS + 3000);
      const cell = await roleOf(to);
      expect(cell).toMatchObject({known: true, value: {role: 'primary', writable: true, durable: {epoch: position.epoch}}});
      const kept = await cluster.member(to).sql<{x: number}>(`select x from t where x = any('{${acknowledged.join(',')}}')`);
      expect(kept.map(({x}) => x).toSorted((a, b) => a - b)).toEqual(acknowledged);

      const proof = await eventually(() => fence.prove(testCtx('run-1', 3000), leader));
      expect(proof).toMatchObject({kind: 'sealed', survivesRestart: true});
      expect(proof.leaks).toContain('synchronous_commit=local');

      await cluster.configure({synchronous_mode: null, synchronous_mode_strict: null});
      cluster.member(leader).start();
      await rejoin.rejoin(testCtx('run-1', 40_000), leader, 'follow', to);
      await isThere(leader, await write(to));
      expect(await cluster.settled()).toBe(to);
    });
  });
});
