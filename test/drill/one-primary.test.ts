import {describe, expect, it} from 'vitest';
import {onePrimaryAction} from '../../src/lib/drill/one-primary.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import type {Clock} from '../../src/lib/ports/clock.ts';
import type {Proof} from '../../src/lib/ports/store.ts';
import {known, unknown} from '../../src/lib/snapshot/cell.ts';
import {rivalsOf} from '../../src/lib/snapshot/rivals.ts';
import type {Member} from '../../src/lib/snapshot/snapshot.ts';
import {FakeStore, standby} from '../failover/fake-store.ts';

const primary = (region: string, epoch: number, more: Partial<Member> = {}): Member => {
  const position = {lineage: 'L', epoch, offset: '100'};
  return standby(region, 100, {role: 'primary', writable: true, upstream: null, durable: position, applied: position, ...more});
};
const follows = (region: string, upstream: string): Member => standby(region, 100, {upstream});

/** Time passes only where somebody waits for it. */
function jumpingClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    wall: () => now,
    sleep: async (ms) => {
      now += ms;
    },
  };
}

function world(members: Record<string, Member | null>) {
  const store = new FakeStore();
  store.members = members;
  const clock = jumpingClock();
  const action = onePrimaryAction({stores: {orders: store.port}, clock});
  const look = (
    more: {home?: Record<string, string>; close?: boolean; former?: Record<string, string>; withinMs?: number} = {},
  ): Promise<Json> => {
    const {home = null, close = false, former, withinMs = 2000} = more;
    const args = {stores: ['orders'], home, close, ...(former === undefined ? {} : {former}), withinMs};
    const ctx = {runId: 'r', token: 't', signal: new AbortController().signal, now: clock.now, deadline: 1e9};
    return action.apply(ctx, {}, action.parse(args));
  };
  return {store, clock, look};
}

const proof = (kind: Proof['kind']): Proof => ({kind, at: '', survivesRestart: true, leaks: []});
const split = () => ({'us-east': primary('us-east', 1), 'eu-west': primary('eu-west', 2), ap: follows('ap', 'eu-west')});

describe('the primaries, once every fault is healed', () => {
  it('are well where one member takes writes: nobody is waited for', async () => {
    const {look, clock} = world({'us-east': follows('us-east', 'eu-west'), 'eu-west': primary('eu-west', 2), ap: follows('ap', 'eu-west')});
    expect(await look()).toEqual({met: true, says: 'no other member of orders than eu-west takes writes'});
    expect(clock.now()).toBe(0);
  });

  it('are two where an old one came back beside the new one: the store, both members, and what to do are named', async () => {
    await expect(world(split()).look()).rejects.toMatchObject({
      code: 'two-primaries',
      exit: 2,
      message:
        'orders has two primaries: eu-west takes writes (timeline 2), and us-east takes writes (timeline 1); close us-east, which was passed by: fence it, or let `regionctl failback run` bring it back',
    });
  });

  it('may take a moment: one that is still stepping down when it is first looked at has done so in time', async () => {
    const {store, look} = world(split());
    let looks = 0;
    store.onObserve = () => {
      looks += 1;
      if (looks === 4) store.members['us-east'] = follows('us-east', 'eu-west');
    };
    expect(await look()).toMatchObject({met: true});
    expect(looks).toBe(4);
  });

  it('are no two where the old one waits with every commit for standbys that have left it', async () => {
    const sealed = primary('us-east', 1, {acknowledges: {need: 1, of: ['eu-west', 'ap']}});
    expect(await world({...split(), 'us-east': sealed}).look()).toEqual({
      met: true,
      says: 'no other member of orders than eu-west takes writes; us-east answers as a primary too, and waits with every commit for 1 of eu-west, ap, none of whom follows it',
    });
    await expect(world({...split(), 'us-east': sealed, ap: follows('ap', 'us-east')}).look()).rejects.toMatchObject({
      code: 'two-primaries',
    });
  });

  it('are no two where the old one is proven to be fenced', async () => {
    const {store, look} = world(split());
    let asked = 0;
    store.prove = async () => {
      asked += 1;
      return asked === 2 ? proof('closed') : null;
    };
    expect(await look()).toMatchObject({met: true, says: expect.stringContaining('us-east answers as a primary too, and is closed')});
  });

  it('are not known where a member does not answer, unless its host says that it is stopped', async () => {
    const {store, look} = world({...split(), 'us-east': null});
    expect(await look()).toEqual({
      met: null,
      says: 'us-east does not answer, so it is not known whether it is a primary of orders as well',
    });
    expect(await look({close: true})).toMatchObject({met: null});
    store.prove = async () => proof('stopped');
    expect(await look()).toMatchObject({met: true});
    expect(await look({close: true})).toMatchObject({met: true});
    store.port.observe = () => Promise.reject(new Error('no route'));
    expect(await look()).toEqual({met: null, says: 'nothing is known of orders: no route'});
  });

  it('must be where they were when nobody was to be promoted', async () => {
    const home = {orders: 'us-east'};
    const {store, look} = world({'us-east': primary('us-east', 1), 'eu-west': follows('eu-west', 'us-east'), ap: follows('ap', 'us-east')});
    expect(await look({home})).toMatchObject({met: true});
    store.members = {...split(), 'us-east': follows('us-east', 'eu-west')};
    await expect(look({home})).rejects.toMatchObject({
      code: 'primary-moved',
      message: 'the primary of orders is eu-west in eu-west: nobody was to be promoted, and it was in us-east',
    });
    store.members = {'us-east': follows('us-east', 'ap'), 'eu-west': follows('eu-west', 'ap'), ap: follows('ap', 'us-east')};
    expect(await look({home})).toEqual({met: null, says: 'no primary of orders is seen'});
  });

  it('that a failover of regionctl has passed by are closed, and nothing else is', async () => {
    const {store, look} = world(split());
    store.fence = async () => {
      store.members['us-east'] = {...primary('us-east', 1), writable: false};
      return proof('closed');
    };
    expect(await look({close: true})).toMatchObject({met: true});
    expect(store.calls).toEqual(['fence']);
    // Neither has passed the other by: a person decides.
    store.members = {...split(), 'us-east': primary('us-east', 2)};
    await expect(look({close: true})).rejects.toMatchObject({message: expect.stringContaining('; close one of them by hand')});
    expect(store.calls).toEqual(['fence']);
  });

  it('are waited for while an old one is still starting, and it is closed as soon as it takes writes', async () => {
    const {store, look, clock} = world({...split(), 'us-east': null});
    let looks = 0;
    store.onObserve = () => {
      looks += 1;
      if (looks === 4) store.members['us-east'] = primary('us-east', 1);
    };
    store.fence = async () => {
      store.members['us-east'] = follows('us-east', 'eu-west');
      return proof('closed');
    };
    expect(await look({close: true})).toMatchObject({met: true});
    expect(store.calls).toEqual(['fence']);
    expect(clock.now()).toBe(750);
  });

  it('are not waited for where who is silent never was one', async () => {
    const {look, clock} = world({...split(), 'us-east': follows('us-east', 'eu-west'), ap: null});
    expect(await look({close: true, former: {orders: 'us-east'}})).toMatchObject({met: true});
    expect(clock.now()).toBe(0);
    const lost = world({...split(), 'us-east': null});
    expect(await lost.look({close: true, former: {orders: 'us-east'}})).toMatchObject({met: null});
  });

  it('that a failover has passed by are closed however little time there is', async () => {
    for (const withinMs of [1, 100, 250]) {
      const {store, look} = world(split());
      store.fence = async () => {
        store.members['us-east'] = {...primary('us-east', 1), writable: false};
        return proof('closed');
      };
      expect(await look({close: true, withinMs})).toMatchObject({met: true});
      expect(store.calls).toEqual(['fence']);
    }
  });

  it('that cannot be closed are two all the same', async () => {
    await expect(world(split()).look({close: true})).rejects.toMatchObject({code: 'two-primaries'});
  });
});

describe('who takes writes', () => {
  it('is not known of one that waits for a standby nobody can read', () => {
    const rule = {acknowledges: {need: 1, of: ['eu-west', 'ap']}};
    const cells = {
      'us-east': known(primary('us-east', 1, rule), 0, 'here'),
      'eu-west': known(primary('eu-west', 2), 0, 'here'),
      ap: unknown('timeout', 'no answer', 0),
    };
    expect(rivalsOf({members: cells}).map(({member, takes, stale}) => [member, takes, stale])).toEqual([
      ['eu-west', true, false],
      ['us-east', null, true],
    ]);
  });
});
