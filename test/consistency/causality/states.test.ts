import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {Crdt} from '../../../src/lib/consistency/causality/crdt.ts';
import {countUp, gCounter, gCounterValue} from '../../../src/lib/consistency/causality/g-counter.ts';
import {mvRegister, mvValues, writeMv} from '../../../src/lib/consistency/causality/mv-register.ts';
import {addElement, elementsOf, orSet, removeElement} from '../../../src/lib/consistency/causality/or-set.ts';
import {countBy, pnCounter, pnCounterValue} from '../../../src/lib/consistency/causality/pn-counter.ts';
import {compareStates, mergeStates} from '../../../src/lib/consistency/causality/states.ts';
import type {CrdtKind} from '../../../src/lib/fleet/fleet.ts';
import {type Event, histories, play, REGIONS} from './histories.ts';

/** The elements of sets and values of registers are few, so that they meet; which one is independent of what is done with it. */
const NAMES = ['alice', 'bob', 'cléo'];
const nameOf = (pick: number): string => NAMES[Math.floor(pick / 3) % NAMES.length]!;

type Subject<State> = {
  readonly kind: CrdtKind;
  readonly crdt: Crdt<State>;
  readonly work: (state: State, region: string, pick: number, number: number) => State;
};
const subject = <State>(kind: CrdtKind, crdt: Crdt<State>, work: Subject<State>['work']): Subject<unknown> =>
  ({kind, crdt, work}) as unknown as Subject<unknown>;

const workSet = (state: Parameters<typeof elementsOf>[0], region: string, pick: number, number: number) =>
  pick % 3 === 0 ? removeElement(state, nameOf(pick)) : addElement(state, `${region}:${number}`, nameOf(pick));

const SUBJECTS = [
  subject('g-counter', gCounter, (state, region, pick) => countUp(state, region, pick)),
  subject('pn-counter', pnCounter, (state, region, pick) => countBy(state, region, pick - 6)),
  subject('or-set', orSet, workSet),
  subject('mv-register', mvRegister, (state, region, pick) => writeMv(state, region, pick === 0 ? null : JSON.stringify(nameOf(pick)))),
];

describe.each(SUBJECTS)('the laws of $kind', ({kind, crdt, work}) => {
  const {merge, print, empty} = crdt;
  const ofThree = (check: (a: unknown, b: unknown, c: unknown) => void): void =>
    fc.assert(
      fc.property(histories, (events) => {
        const [a, b, c] = play(events, crdt, work);
        check(a, b, c);
      }),
    );

  it('merge is commutative, associative and idempotent, and the empty state is its bottom', () =>
    ofThree((a, b, c) => {
      expect(print(merge(a, b))).toBe(print(merge(b, a)));
      expect(print(merge(merge(a, b), c))).toBe(print(merge(a, merge(b, c))));
      expect(print(merge(a, a))).toBe(print(a));
      expect(print(merge(a, empty))).toBe(print(a));
    }));

  it('merge is monotone: the result is at least each of the two', () =>
    ofThree((a, b, c) => {
      const order = (one: unknown, other: unknown) => compareStates(kind, print(one), print(other));
      const ab = merge(a, b);
      expect(order(a, ab)).toMatchObject({value: expect.stringMatching(/^(equal|before)$/)});
      expect(order(b, ab)).toMatchObject({value: expect.stringMatching(/^(equal|before)$/)});
      expect(order(ab, merge(ab, c))).toMatchObject({value: expect.stringMatching(/^(equal|before)$/)});
    }));

  it('compare is a partial order', () =>
    ofThree((a, b, c) => {
      const order = (one: unknown, other: unknown): string => JSON.stringify(compareStates(kind, print(one), print(other)));
      const [before, after] = ['{"ok":true,"value":"before"}', '{"ok":true,"value":"after"}'];
      expect(order(a, a)).toBe('{"ok":true,"value":"equal"}');
      expect(order(a, b) === before).toBe(order(b, a) === after);
      if (order(a, b) === before && order(b, c) === before) expect(order(a, c)).toBe(before);
    }));

  it('work is never less than what was there', () => {
    fc.assert(
      fc.property(histories, fc.nat(11), (events, pick) => {
        const [a] = play(events, crdt, work);
        expect(compareStates(kind, print(a), print(work(a, 'ap', pick, 99)))).toMatchObject({
          value: expect.stringMatching(/^(equal|before)$/),
        });
      }),
    );
  });

  it('three regions end in the same state, whatever the order in which they hear of each other', () => {
    fc.assert(
      fc.property(histories, fc.array(fc.tuple(fc.nat(2), fc.nat(2)), {maxLength: 12}), (events, gossip) => {
        const states = [...play(events, crdt, work)];
        const together = print(states.reduce(merge));
        for (const [to, from] of gossip) states[to] = merge(states[to], states[from]);
        for (const to of [2, 0, 1]) for (const from of [1, 2, 0]) states[to] = merge(states[to], states[from]);
        expect(states.map(print)).toEqual([together, together, together]);
        expect(mergeStates(kind, states.map(print).toReversed())).toEqual({ok: true, value: together});
      }),
    );
  });

  it('what is printed is read as the same state', () =>
    ofThree((a) => {
      const read = crdt.parse(print(a));
      expect(read.ok && print(read.value)).toBe(print(a));
    }));
});

describe('what the states say after any history', () => {
  /** Plays a history and merges all. */
  const outcome = <State>(events: readonly Event[], crdt: Crdt<State>, work: Subject<State>['work']): State =>
    play(events, crdt, work).reduce(crdt.merge);

  it('a counter is the sum of all operations', () => {
    fc.assert(
      fc.property(histories, (events) => {
        let [ups, all] = [0, 0];
        const grown = outcome(events, gCounter, (state, region, pick) => {
          ups += pick;
          return countUp(state, region, pick);
        });
        const moved = outcome(events, pnCounter, (state, region, pick) => {
          all += pick - 6;
          return countBy(state, region, pick - 6);
        });
        expect([gCounterValue(grown), pnCounterValue(moved)]).toEqual([BigInt(ups), BigInt(all)]);
      }),
    );
  });

  it('a set has what was added under a tag that no remove had seen: no add is lost, none comes back', () => {
    fc.assert(
      fc.property(histories, (events) => {
        const added = new Map<string, string>();
        const removed = new Set<string>();
        const set = outcome(events, orSet, (state, region, pick, number) => {
          const named = [...state.adds].filter(([, name]) => name === nameOf(pick));
          if (pick % 3 === 0) for (const [tag] of named) removed.add(tag);
          else added.set(`${region}:${number}`, nameOf(pick));
          return workSet(state, region, pick, number);
        });
        const live = [...added].filter(([tag]) => !removed.has(tag)).map(([, name]) => name);
        expect(elementsOf(set)).toEqual([...new Set(live)].toSorted());
      }),
    );
  });

  it('a register has exactly the writes that no other write has seen', () => {
    fc.assert(
      fc.property(histories, (events) => {
        const seen: Set<number>[] = REGIONS.map(() => new Set());
        const overwritten = new Set<number>();
        const written: number[] = [];
        events.forEach(({at, from}, number) => {
          if (from !== null) {
            seen[at] = new Set([...seen[at]!, ...seen[from]!]);
            return;
          }
          for (const each of seen[at]!) overwritten.add(each);
          seen[at]!.add(number);
          written.push(number);
        });
        const register = outcome(events, mvRegister, (state, region, _, number) => writeMv(state, region, String(number)));
        const expected = written.filter((number) => !overwritten.has(number)).map(String);
        expect(mvValues(register).toSorted()).toEqual(expected.toSorted());
      }),
    );
  });
});

describe('what cannot be a state', () => {
  it.each([
    ['g-counter', '[1]', 'the counter is not an object'],
    ['g-counter', '{"us-east": -1}', 'the count of "us-east" is not an integer from 0 to 2^53-1'],
    ['g-counter', '{"us-east": 1.5}', 'the count of "us-east" is not an integer from 0 to 2^53-1'],
    ['g-counter', '{"us-east": 9007199254740992}', 'the count of "us-east" is not an integer from 0 to 2^53-1'],
    ['g-counter', '{"us-east": 0.99999999999999999999}', 'the count of "us-east" is not an integer from 0 to 2^53-1'],
    ['g-counter', '{"us-east": "5"}', 'the count of "us-east" is not an integer from 0 to 2^53-1'],
    ['g-counter', '', 'it is not JSON'],
    ['pn-counter', '{"us-east": [1]}', '"us-east" has no two counts, [ups, downs]'],
    ['pn-counter', '{"us-east": 5}', '"us-east" has no two counts, [ups, downs]'],
    ['pn-counter', '{"us-east": [1, null]}', 'the downs of "us-east" is not an integer from 0 to 2^53-1'],
    ['or-set', '{"adds": []}', 'adds is not an object'],
    ['or-set', '{"added": {}}', '"added" is neither adds nor removes'],
    ['or-set', '{"adds": {"us-east": "alice"}}', 'the tag "us-east" is not region:count'],
    ['or-set', '{"adds": {"us-east:01": "alice"}}', 'the tag "us-east:01" is not region:count'],
    ['or-set', '{"adds": {"us-east:1": 7}}', 'the element of "us-east:1" is not text'],
    ['or-set', '{"removes": {"us-east:1": false}}', 'the remove of "us-east:1" is not true'],
    ['mv-register', '{"us-east:1": {"clock": {"us-east": 1}}}', 'the version "us-east:1" has other keys than clock and value'],
    ['mv-register', '{"us-east:2": {"clock": {"us-east": 1}, "value": 1}}', 'the clock of "us-east:2" does not say 2 for us-east'],
    ['mv-register', '{"us-east:0": {"clock": {"us-east": 0}, "value": 1}}', 'the clock of "us-east:0" does not say 0 for us-east'],
    ['mv-register', '{"ap:1": {"clock": null, "value": 1}}', 'the clock of "ap:1" is not an object'],
  ] as const)('%s %s', (kind, text, reason) => {
    expect(mergeStates(kind, [text])).toEqual({ok: false, reason});
    expect(compareStates(kind, '{}', text)).toEqual({ok: false, reason});
  });

  it.each(['g-counter', 'pn-counter', 'or-set', 'mv-register'] as const)(
    '%s: any JSON and any text is read or refused, never thrown at',
    (kind) => {
      const text = fc.oneof(fc.json(), fc.string(), fc.constantFrom('{"__proto__": 1}', '{"constructor": {}}', '['.repeat(100_000)));
      fc.assert(
        fc.property(text, (each) => {
          const read = mergeStates(kind, [each]);
          if (read.ok) expect(mergeStates(kind, [read.value])).toEqual(read);
          else expect(read.reason).toMatch(/ is | has | are | not /);
        }),
      );
    },
  );

  it('one write with two contents is a clash, in whatever order', () => {
    const add = (name: string): string => `{"adds": {"us-east:1": "${name}"}}`;
    const write = (value: number): string => `{"ap:1": {"clock": {"ap": 1}, "value": ${value}}}`;
    for (const [kind, a, b] of [
      ['or-set', add('alice'), add('bob')],
      ['mv-register', write(1), write(2)],
    ] as const) {
      const refused = mergeStates(kind, [a, b]);
      expect(refused).toMatchObject({ok: false, reason: expect.stringMatching(/us-east:1 stands for two elements|ap:1 has two contents/)});
      expect(mergeStates(kind, [b, a])).toEqual(refused);
    }
  });

  it('of a clash that is merged all the same, both sides keep the same', () => {
    const sets = ['alice', 'bob'].map((name) => ({adds: new Map([['ap:1', name]]), removes: new Set<string>()}));
    const registers = ['1', '2'].map((value) => new Map([['ap:1', {clock: new Map([['ap', 1]]), value}]]));
    expect([orSet.merge(sets[0]!, sets[1]!), orSet.merge(sets[1]!, sets[0]!)]).toEqual([sets[1], sets[1]]);
    expect([mvRegister.merge(registers[0]!, registers[1]!), mvRegister.merge(registers[1]!, registers[0]!)]).toEqual([
      registers[1],
      registers[1],
    ]);
  });
});

describe('how states are written', () => {
  it.each([
    ['g-counter', ['{"us-east": 5, "ap": 0}', '{"ap":2,"us-east":3.0}'], '{"ap": 2, "us-east": 5}'],
    ['g-counter', ['{}'], '{}'],
    ['g-counter', ['{"__proto__": 3}', '{"__proto__": 2}'], '{"__proto__": 3}'],
    ['g-counter', ['{"eu": 9007199254740991}'], '{"eu": 9007199254740991}'],
    [
      'pn-counter',
      ['{"us-east": [5, 0]}', '{"us-east": [3, 1], "é": [0, 2], "zz": [0, 1]}'],
      '{"zz": [0, 1], "é": [0, 2], "us-east": [5, 1]}',
    ],
    ['or-set', ['{}'], '{"adds": {}, "removes": {}}'],
    [
      'or-set',
      ['{"removes": {"ap:1": true}}', '{"adds": {"ap:1": "a\\u0001\\"b"}}'],
      '{"adds": {"ap:1": "a\\u0001\\"b"}, "removes": {"ap:1": true}}',
    ],
    [
      'mv-register',
      ['{"ap:1": {"value": {"bb": 12345678901234567890.10, "a": [1, null, true]}, "clock": {"ap": 1}}}', '{}'],
      '{"ap:1": {"clock": {"ap": 1}, "value": {"a": [1, null, true], "bb": 12345678901234567890.10}}}',
    ],
    // A version that another one has seen says nothing.
    [
      'mv-register',
      ['{"ap:1": {"clock": {"ap": 1}, "value": 1}, "ap:2": {"clock": {"ap": 2}, "value": 2}}'],
      '{"ap:2": {"clock": {"ap": 2}, "value": 2}}',
    ],
  ] as const)('%s %j', (kind, texts, expected) => expect(mergeStates(kind, texts)).toEqual({ok: true, value: expected}));

  it('NULL is below every state, and nothing else is', () => {
    expect(mergeStates('g-counter', [null, '{}', null])).toEqual({ok: true, value: '{}'});
    expect(mergeStates('g-counter', [null, null])).toEqual({ok: true, value: null});
    expect(compareStates('g-counter', null, '{}')).toEqual({ok: true, value: 'before'});
    expect(compareStates('g-counter', '{}', null)).toEqual({ok: true, value: 'after'});
    expect(compareStates('g-counter', null, null)).toEqual({ok: true, value: 'equal'});
  });

  it('a count that would pass 2^53-1 is refused', () => {
    const full = gCounter.parse('{"ap": 9007199254740991}');
    expect(() => countUp(full.ok ? full.value : gCounter.empty, 'ap')).toThrow('ap cannot count 1 more');
    expect(() => countBy(pnCounter.empty, 'ap', 0.5)).toThrow('ap cannot count 0.5 more');
  });
});
