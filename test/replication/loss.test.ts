import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {previewLoss, type StoreForLoss} from '../../src/lib/replication/loss.ts';
import {type Cell, known, unknown} from '../../src/lib/snapshot/cell.ts';
import type {Member} from '../../src/lib/snapshot/snapshot.ts';

const position = (offset: number, epoch = 1, lineage = '7') => ({lineage, epoch, offset: String(offset)});
const member = (role: 'primary' | 'standby', offset: number, epoch = 1, lineage = '7'): Cell<Member> => {
  const durable = position(offset, epoch, lineage);
  return known(
    {region: 'r', role, writable: role === 'primary', durable, applied: durable, upstream: null, heardUpstreamAgoMs: null},
    0,
    'sql',
  );
};
const gone: Cell<Member> = unknown('refused', 'us refuses connections.', 0);
const strict = {name: 'user-content', rpoMs: 0, allowed: null};
const loose = {name: 'logs', rpoMs: 60_000, allowed: null};

const judge = (members: Record<string, Cell<Member>>, more: Partial<StoreForLoss> = {}) => {
  const snapshot = {engine: 'postgres', ack: unknown('no-primary', 'No primary.', 0), members};
  const store: StoreForLoss = {store: 'orders', member: 'eu', snapshot, quorum: 0, classes: [strict], reading: null, ...more};
  const {stores, blockedBy} = previewLoss('2026-01-01T00:00:00Z', 'eu-west', [store]);
  const [row] = stores;
  if (row === undefined) throw new Error('no row');
  return {...row, blocks: blockedBy.includes('orders')};
};

describe('previewing a loss', () => {
  it('is exact after the fence', () => {
    expect(judge({us: gone, eu: member('standby', 100)}, {fencedAt: position(100)})).toMatchObject({
      bytes: 0,
      transactions: 0,
      seconds: 0,
      certainty: 'exact',
      withinRpo: true,
      blocks: false,
    });
    expect(judge({us: gone, eu: member('standby', 90)}, {fencedAt: position(100)})).toMatchObject({
      bytes: 10,
      certainty: 'exact',
      withinRpo: false,
      blocks: true,
    });
  });

  it('is an estimate while the primary goes on, and that never meets an objective of 0', () => {
    const both = {us: member('primary', 100), eu: member('standby', 100)};
    expect(judge(both)).toMatchObject({bytes: 0, certainty: 'estimate', withinRpo: false, blocks: true});
    expect(judge(both, {classes: [loose]})).toMatchObject({withinRpo: true, blocks: false});
    expect(judge(both, {classes: [loose, strict]}), 'each class by its own').toMatchObject({
      withinRpo: false,
      objectives: [
        {class: 'logs', rpoMs: 60_000, withinRpo: true},
        {class: 'user-content', rpoMs: 0, withinRpo: false},
      ],
    });
    const reading = {store: 'orders', bytes: 50, transactions: 3, seconds: 61, certainty: 'exact', basis: 'read'} as const;
    expect(judge(both, {classes: [loose], reading})).toMatchObject({bytes: 50, transactions: 3, certainty: 'estimate', withinRpo: false});
  });

  it('under a quorum is bound only when enough standbys have let go and nothing leaks', () => {
    const two = {us: gone, eu: member('standby', 90), ap: member('standby', 100)};
    const seal = {members: ['eu', 'ap'], leaks: []};
    expect(judge(two, {quorum: 1})).toMatchObject({bytes: 0, certainty: 'estimate', withinRpo: false});
    expect(judge(two, {quorum: 1, seal})).toMatchObject({
      bytes: 0,
      certainty: 'bound',
      withinRpo: true,
      blocks: false,
      basis: expect.stringContaining('fetches 10 bytes'),
    });
    expect(judge(two, {quorum: 1, seal: {...seal, leaks: ['synchronous_commit=local']}})).toMatchObject({
      certainty: 'estimate',
      withinRpo: false,
    });
    expect(judge(two, {quorum: 1, seal: {members: ['eu'], leaks: []}})).toMatchObject({certainty: 'estimate'});
    expect(judge({...two, ap: gone}, {quorum: 1})).toMatchObject({bytes: null, certainty: 'unknown', withinRpo: null, blocks: true});
    expect(judge({...two, ap: gone}, {quorum: 2})).toMatchObject({bytes: 0, certainty: 'estimate'});
    expect(judge({...two, ap: member('standby', 100, 1, 'other')}, {quorum: 1})).toMatchObject({certainty: 'unknown'});
  });

  it('asynchronous and without the primary goes by the last sample, or is unknown', () => {
    const left = {us: gone, eu: member('standby', 90)};
    expect(judge(left, {classes: [loose]})).toMatchObject({
      bytes: null,
      transactions: null,
      seconds: null,
      certainty: 'unknown',
      withinRpo: null,
      blocks: true,
    });
    const sample = {bytes: 10, bytesPerSecond: 100, seconds: 0, transactions: 3, transactionsPerSecond: 10.2, ageMs: 2000};
    expect(judge(left, {classes: [loose], history: sample})).toMatchObject({
      bytes: 210,
      transactions: 24,
      seconds: 2,
      certainty: 'estimate',
      withinRpo: true,
    });
    const late = judge(left, {classes: [loose], history: {...sample, seconds: 3600}});
    expect(late, 'what was missing then is missing still').toMatchObject({seconds: 3602, withinRpo: false});
    const unsure = judge(left, {classes: [loose], history: {...sample, seconds: null, transactions: null}});
    expect(unsure).toMatchObject({seconds: null, transactions: null, withinRpo: null, blocks: true});
    const alone = judge(left, {classes: [loose], history: {...sample, bytesPerSecond: null, transactionsPerSecond: null}});
    expect(alone, 'one sample does not tell what was written since').toMatchObject({
      ...{bytes: null, transactions: null, seconds: 2, certainty: 'estimate', withinRpo: true, blocks: false},
      basis:
        'The last sample of the lag is 2 s old (10 bytes were missing then). What was written since is not known: no two looks have seen it being written. At most 2 s of writes are missing.',
    });
  });

  it('is not known where two were promoted beside one another', () => {
    const judged = judge({us: member('primary', 500, 2), eu: member('primary', 900, 2)}, {classes: [loose]});
    expect(judged).toMatchObject({
      certainty: 'unknown',
      bytes: null,
      blocks: true,
      basis: expect.stringContaining('both run as primaries'),
    });
  });

  it('says of a former primary that runs on that what it holds is not counted, and of an estimate why it is missed', () => {
    const {basis} = judge({us: member('primary', 500), eu: member('primary', 100, 2)});
    expect(basis).toBe(
      'eu is the primary already. us, a former primary, runs too: what it holds and eu lacks is not counted here; `regionctl failback plan` leads back, and keeps it first.',
    );
    expect(judge({us: gone, eu: member('primary', 100, 2)}).basis).toBe('eu is the primary already.');
    const both = {us: member('primary', 100), eu: member('standby', 100)};
    expect(judge(both).basis).toMatch(/\. An estimate never meets an objective of 0\.$/);
    expect(judge(both, {classes: [loose]}).basis).not.toContain('objective');
  });

  it('is nothing for what is the primary already, also beside a former one', () => {
    expect(judge({us: member('primary', 500), eu: member('primary', 100, 2)})).toMatchObject({
      bytes: 0,
      certainty: 'exact',
      withinRpo: true,
    });
  });

  it('is unknown without a target to judge', () => {
    for (const more of [{member: null}, {member: 'xx'}])
      expect(judge({us: gone}, more)).toMatchObject({certainty: 'unknown', blocks: true});
    expect(judge({us: member('primary', 1), eu: gone})).toMatchObject({certainty: 'unknown', basis: 'us refuses connections.'});
    expect(judge({us: member('primary', 1), eu: member('standby', 1, 1, 'other')})).toMatchObject({certainty: 'unknown'});
  });

  it('never shows less than nothing, and an estimate never meets 0', () => {
    const cell = fc.oneof(
      fc.constant(gone),
      fc
        .record({role: fc.constantFrom('primary', 'standby'), offset: fc.nat(), epoch: fc.integer({min: 1, max: 3})})
        .map(({role, offset, epoch}) => member(role as 'primary' | 'standby', offset, epoch)),
    );
    const number = fc.option(fc.double(), {nil: null});
    const reading = fc.option(
      fc.record({
        store: fc.constant('orders'),
        bytes: number,
        transactions: number,
        seconds: number,
        certainty: fc.constantFrom('exact' as const, 'bound' as const, 'unknown' as const),
        basis: fc.constant('x'),
      }),
      {nil: null},
    );
    fc.assert(
      fc.property(cell, cell, cell, fc.nat(2), reading, (us, eu, ap, quorum, live) => {
        const row = judge({us, eu, ap}, {quorum, reading: live});
        for (const value of [row.bytes, row.transactions, row.seconds]) expect(value === null || value >= 0).toBe(true);
        if (row.certainty === 'estimate' || row.certainty === 'unknown') expect(row.blocks).toBe(true);
        expect(row.basis).not.toBe('');
      }),
    );
  });
});
