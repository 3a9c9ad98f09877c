import {describe, expect, it} from 'vitest';
import {healUntilProven, judgeOutside, lookAtEnd, type Seen, seenBefore} from '../../src/lib/drill/fault-end.ts';
import type {Fault} from '../../src/lib/ports/fault.ts';
import {type Cell, known, unknown} from '../../src/lib/snapshot/cell.ts';
import {fakeClock} from '../run/fake-clock.ts';
import {seen} from './faults.ts';

const answered = (...answering: string[]) => ({answering, silent: []});
const blind: Cell<Seen> = unknown('interrupted', 'nobody looked', 0);

describe('a place, seen from outside', () => {
  it.each<[string, ReturnType<typeof answered> | null, Cell<Seen>, boolean | null, string]>([
    ['what answered answers again', answered('app', 'db'), seen({answering: ['app', 'db']}), true, 'app, db answer'],
    ['what answered is silent', answered('app', 'db'), seen({answering: ['app'], silent: ['db']}), false, 'db does not answer'],
    ['what answered refuses', answered('db'), seen({silent: ['db'], refused: ['db']}), false, 'db does not answer'],
    ['what was silent is silent', answered('app'), seen({answering: ['app'], silent: ['db']}), true, 'app answers'],
    ['nothing answered before', answered(), seen({silent: ['app']}), true, 'nothing that answered before is silent'],
    [
      'a fence stopped the database',
      answered('app', 'db'),
      seen({answering: ['app'], stopped: ['db']}),
      true,
      'app answers; db was stopped through its host',
    ],
    ['it is not known', answered('app'), seen({untold: ['app']}), null, 'it is not known whether app answers'],
    ['it is not known of what does not matter', answered('app'), seen({answering: ['app'], untold: ['db']}), true, 'app answers'],
    ['nobody looked', answered('app'), blind, null, 'it is not known what answers: nobody looked'],
    ['an endpoint is not in the fleet file any more', answered('app', 'old'), seen({answering: ['app']}), true, 'app answers'],
    ['before is not known, and something answers', null, seen({answering: ['app'], silent: ['db'], refused: ['db']}), true, 'app answers'],
    ['before is not known, and something is late', null, seen({answering: ['app'], silent: ['db']}), false, 'db does not answer'],
    ['before is not known, and everything refuses', null, seen({silent: ['db'], refused: ['db']}), false, 'nothing answers there'],
    ['before is not known, and neither is now', null, seen({untold: ['db']}), null, 'it is not known whether db answers'],
    ['there is nothing to ask', null, seen({}), true, 'nothing there can be asked'],
  ])('%s', (_, was, now, proven, says) => {
    expect(judgeOutside(was, now)).toEqual({proven, says});
  });
});

describe('a look before the fault', () => {
  it('says nothing when nothing answered and not everything could be asked, as when our own way there was cut', () => {
    const was = seenBefore(seen({untold: ['app', 'db']}));
    expect([was, seenBefore(seen({silent: ['app'], untold: ['db']})), seenBefore(blind)]).toEqual([null, null, null]);
    expect(judgeOutside(was, seen({silent: ['app', 'db'], refused: ['app', 'db']}))).toMatchObject({proven: false});
    expect(seenBefore(seen({silent: ['app']}))).toEqual({answering: [], silent: ['app']});
    expect(seenBefore(seen({}))).toEqual({answering: [], silent: []});
  });

  it('awaits what could not be asked: it must not be silent afterwards, though it may be unknown still', () => {
    const was = seenBefore(seen({answering: ['app'], untold: ['db']}));
    expect(was).toEqual({answering: ['app'], silent: [], untold: ['db']});
    expect(judgeOutside(was, seen({answering: ['app'], silent: ['db']}))).toEqual({proven: false, says: 'db does not answer'});
    expect(judgeOutside(was, seen({answering: ['app'], untold: ['db']}))).toEqual({proven: true, says: 'app answers'});
    expect(judgeOutside(was, seen({answering: ['app', 'db']}))).toMatchObject({proven: true});
  });
});

/** An injector of two kinds. */
function world(active: string[]) {
  const state = {active, healed: [] as (string | undefined)[], looks: 0};
  const port: Fault = {
    kinds: ['freeze', 'cut'],
    inject: async () => null,
    heal: async (_, __, kind) => {
      state.healed.push(kind);
      state.active = state.active.filter((each) => kind !== undefined && each !== kind);
    },
    active: async () => known(state.active, 0, 'test'),
  };
  const clock = fakeClock();
  const ctx = (ms: number, signal = new AbortController().signal) => ({
    runId: 'r',
    token: 't',
    signal,
    now: clock.now,
    deadline: clock.now() + ms,
  });
  return {state, port, clock, ctx};
}
const place = (kind: string | null = null) => ({region: 'east', kind, before: answered('app')});
const well = async () => seen({answering: ['app']});
const live = new AbortController().signal;

describe('the end of a fault', () => {
  it('needs the word of the injector and an answer from outside', async () => {
    const {port} = world([]);
    expect(await lookAtEnd({port, outside: well}, place(), live)).toEqual({
      proven: true,
      active: [],
      says: 'no fault is active on east, and app answers',
    });
    expect(await lookAtEnd({port, outside: async () => seen({silent: ['app']})}, place(), live)).toMatchObject({proven: false});
    expect(await lookAtEnd({port: world(['cut']).port, outside: well}, place(), live)).toMatchObject({proven: false, active: ['cut']});
    const dumb = {...port, active: async () => unknown('x', 'no answer', 0)};
    expect(await lookAtEnd({port: dumb, outside: well}, place(), live)).toMatchObject({proven: null, active: null});
  });

  it('of one kind does not wait for endpoints that another fault keeps silent', async () => {
    const {port} = world(['cut']);
    const outside = async () => Promise.reject(new Error('it was asked'));
    expect(await lookAtEnd({port, outside}, place('freeze'), live)).toMatchObject({proven: true, active: ['cut']});
    expect(await lookAtEnd({port, outside}, place('cut'), live)).toMatchObject({proven: false});
  });
});

describe('healing', () => {
  it('goes on until the endpoints answer, and heals once more only when that takes long', async () => {
    const {port, clock, ctx, state} = world(['freeze']);
    const answersAt = clock.now() + 3100;
    const outside = async () => (clock.now() >= answersAt ? seen({answering: ['app']}) : seen({silent: ['app']}));
    expect(await healUntilProven({port, outside, clock}, ctx(10_000), place())).toMatchObject({proven: true});
    expect([state.healed.length, clock.now()]).toEqual([2, 3250]);
  });

  it('heals again at once what the injector still shows', async () => {
    const {port, clock, ctx, state} = world(['freeze']);
    const stubborn = {
      ...port,
      heal: async (...call: Parameters<Fault['heal']>) => (state.healed.push('x') > 3 ? port.heal(...call) : undefined),
    };
    expect(await healUntilProven({port: stubborn, outside: well, clock}, ctx(10_000), place())).toMatchObject({proven: true});
    expect(clock.now()).toBe(750);
  });

  it('says what was seen last when the deadline is near, and stops when it is cancelled', async () => {
    const {port, clock, ctx} = world(['freeze']);
    const outside = async () => seen({silent: ['app']});
    expect(await healUntilProven({port, outside, clock}, ctx(5000), place())).toMatchObject({
      proven: false,
      says: 'no fault is active on east, and app does not answer',
    });
    expect(clock.now()).toBeLessThanOrEqual(5000);
    const lost = {...port, heal: async () => Promise.reject(new Error('connection refused'))};
    expect(await healUntilProven({port: lost, outside, clock}, ctx(1000), place())).toMatchObject({
      proven: null,
      says: 'connection refused',
    });
    const cancelled = ctx(5000, AbortSignal.abort(new Error('interrupted')));
    await expect(healUntilProven({port, outside, clock}, cancelled, place())).rejects.toThrow('interrupted');
  });
});
