import {describe, expect, it} from 'vitest';
import {type SettleJob, settle} from '../../../src/lib/consistency/audit/settle.ts';
import type {LinkReading} from '../../../src/lib/ports/store.ts';

type Link = {
  readonly from: string;
  readonly to: string;
  readonly kind?: LinkReading['kind'];
  readonly replayOffset: string | null;
  readonly cause?: LinkReading['cause'];
};

/** Waits between members at these positions; each time it looks, the next list of links is seen, and the last one from then on. */
async function wait(
  positions: Readonly<Record<string, readonly string[]>>,
  looks: readonly (readonly Link[])[],
  unshown?: NonNullable<SettleJob['audit']['unshown']>,
) {
  let [now, look] = [0, 0];
  const asked = new Map<string, number>();
  const job: SettleJob = {
    audit: {
      ...(unshown === undefined ? {} : {unshown}),
      position: async (name) => {
        const nth = asked.get(name) ?? 0;
        asked.set(name, nth + 1);
        return positions[name]?.[nth] ?? positions[name]?.at(-1) ?? '0';
      },
    },
    links: async () => (looks[look++] ?? looks.at(-1) ?? []) as readonly LinkReading[],
    clock: {
      wall: () => now,
      now: () => now,
      sleep: async (ms) => {
        now += ms;
      },
    },
    waitMs: 1000,
  };
  const members = Object.keys(positions).map((member) => ({member, region: member}));
  const settled = await settle(job, members, new AbortController().signal);
  return {...settled, looks: look, now};
}

const rows = (from: string, to: string, replayOffset: string | null): Link => ({from, to, kind: 'logical', replayOffset});
const log = (from: string, to: string, replayOffset: string | null): Link => ({from, to, kind: 'physical', replayOffset});

describe('waiting for replication', () => {
  it('has nothing to wait for where nothing replicates', async () => {
    expect(await wait({a: ['5'], b: ['9']}, [[]])).toMatchObject({basis: 'none', looks: 1});
  });

  it.each(['promoted', 'other-cluster'])('does not wait for a member that gets nothing from anybody: %s', async (code) => {
    const apart: Link = {...log('a', 'c', null), cause: {code, state: 'broken'}};
    expect(await wait({a: ['5'], c: ['9']}, [[apart]])).toMatchObject({basis: 'none', looks: 1});
    expect(await wait({a: ['5'], b: ['9'], c: ['1']}, [[apart, log('a', 'b', '9')]])).toMatchObject({basis: 'position', looks: 1});
  });

  it('waits for the position that was captured, not for quiet', async () => {
    const looks = [
      [rows('a', 'b', '4'), rows('b', 'a', '9')],
      [rows('a', 'b', '4'), rows('b', 'a', '9')],
      [rows('a', 'b', '5'), rows('b', 'a', '9')],
    ];
    expect(await wait({a: ['5'], b: ['9']}, looks)).toMatchObject({basis: 'position', looks: 3});
  });

  it('does not compare positions of different logs', async () => {
    const looks = [[log('a', 'standby', '5'), rows('b', 'a', '900'), rows('a', 'b', '5')]];
    expect(await wait({a: ['5'], standby: ['5'], b: ['900']}, looks)).toMatchObject({basis: 'position'});
  });

  it('is behind when it was not reached, and says by how much', async () => {
    expect(await wait({a: ['5'], b: ['9']}, [[rows('a', 'b', '2')]])).toMatchObject({
      basis: 'behind',
      reason: 'b did not catch up with a: b has 3 bytes of it yet to apply.',
    });
    expect(await wait({a: ['5'], b: ['9']}, [[rows('a', 'b', null)]])).toMatchObject({
      basis: 'behind',
      reason: 'b did not catch up with a: it is not known what b has applied.',
    });
  });

  it('waits for standbys of a primary that is not compared until they have the same', async () => {
    const looks = [
      [log('gone', 'a', '7'), log('gone', 'b', '5')],
      [log('gone', 'a', '7'), log('gone', 'b', '7')],
    ];
    expect(await wait({a: ['7'], b: ['5']}, looks)).toMatchObject({basis: 'position', looks: 2});
  });

  it('waits for a standby that follows one that is not compared', async () => {
    const looks = [
      [log('a', 'between', '9'), log('between', 'b', '5')],
      [log('a', 'between', '9'), log('between', 'b', '9')],
    ];
    expect(await wait({a: ['9'], b: ['5']}, looks)).toMatchObject({basis: 'position', looks: 2});
  });

  it('does not know what a publisher that is gone had sent to one only', async () => {
    expect(
      await wait({a: ['5'], b: ['9']}, [[rows('gone', 'a', null), rows('gone', 'b', null), rows('a', 'b', '5'), rows('b', 'a', '9')]]),
    ).toMatchObject({
      basis: 'behind',
      reason: 'a did not catch up with gone: it is not known what a has applied.',
    });
  });

  it('waits until all have what any has of a publisher that is there and is not compared', async () => {
    const looks = [
      [rows('c', 'a', '7'), rows('c', 'b', '5')],
      [rows('c', 'a', '9'), rows('c', 'b', '7')],
    ];
    expect(await wait({a: ['5'], b: ['9']}, looks)).toMatchObject({basis: 'position', looks: 2});
  });

  it('waits once more for what is passed on', async () => {
    // What b got from a at the first look stands in its own log behind the place that was captured of it.
    const looks = [
      [rows('a', 'b', '5'), rows('b', 'c', '9')],
      [rows('a', 'b', '5'), rows('b', 'c', '9')],
      [rows('a', 'b', '5'), rows('b', 'c', '12')],
    ];
    expect(await wait({a: ['5'], b: ['9', '12'], c: ['1']}, looks)).toMatchObject({basis: 'position', looks: 3});
  });

  it('waits until each member shows what it had sent on, and not for what it sends on later', async () => {
    let asked = 0;
    const commits = [['x'], ['x', 'y'], ['y'], ['y', 'z']];
    const unshown = async (name: string): Promise<readonly string[]> => (name === 'a' ? (commits[asked++] ?? ['z']) : []);
    const caughtUp = [[log('a', 'b', '5')]];
    expect(await wait({a: ['5'], b: ['5']}, caughtUp, unshown)).toMatchObject({basis: 'position', looks: 2});
    const never = async (name: string): Promise<readonly string[]> => (name === 'a' ? ['x'] : []);
    expect(await wait({a: ['5'], b: ['5']}, caughtUp, never)).toMatchObject({
      basis: 'behind',
      reason: '1 commit waits for a synchronous standby of a, which does not show it before.',
    });
  });

  it('leaves links that carry no rows alone', async () => {
    expect(await wait({a: ['5'], b: ['9']}, [[{from: 'a', to: 'b', kind: 'messages', replayOffset: null}]])).toMatchObject({basis: 'none'});
  });
});
