import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {compareMembers, type Digest} from '../../src/lib/consistency/compare.ts';
import {unavailable} from '../../src/lib/errors.ts';

type Rows = Readonly<Record<string, string>>;
const at = {lineage: '7', epoch: 1, offset: '100'};
const signal = new AbortController().signal;
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** A store whose members hold one table `t` each; `reads` lists what successive readings of a member see. */
function digestOf(reads: Readonly<Record<string, readonly Rows[]>>): Digest {
  const read: Record<string, number> = {};
  return {
    tables: async () => ['t'],
    rows: async function* (member) {
      const turn = read[member] ?? 0;
      read[member] = turn + 1;
      const all = reads[member] ?? [];
      const rows = all[Math.min(turn, all.length - 1)] ?? {};
      for (const key of Object.keys(rows).toSorted(byBytes)) yield {key, sum: rows[key] ?? ''};
    },
  };
}

const members = ['a', 'b', 'c'].map((member) => ({member, region: member.toUpperCase()}));
const rowsArbitrary = fc.dictionary(fc.string({unit: 'grapheme', maxLength: 3}), fc.constantFrom('1', '2'), {
  maxKeys: 12,
  noNullPrototype: true,
});

describe('comparing members', () => {
  it('finds exactly what differs, whatever the rows', async () => {
    await fc.assert(
      fc.asyncProperty(rowsArbitrary, rowsArbitrary, rowsArbitrary, async (a, b, c) => {
        const result = await compareMembers(digestOf({a: [a], b: [b], c: [c]}), members, at, signal);
        const all = {a, b, c};
        const keys = [...new Set(Object.values(all).flatMap((rows) => Object.keys(rows)))].toSorted(byBytes);
        const differ = keys.filter((key) => new Set([a, b, c].map((rows) => (Object.hasOwn(rows, key) ? rows[key] : undefined))).size > 1);
        expect(result.verdict).toBe(differ.length === 0 ? 'equal' : 'diverged');
        expect([...new Set(result.tables[0]?.divergent.map(({key}) => key))]).toEqual(differ);
        expect(result.coverage.rows).toBe(keys.length);
      }),
    );
  });

  it('does not report what has arrived at the second look', async () => {
    const digest = digestOf({a: [{k: '1', l: '1'}], b: [{k: '1'}, {k: '1', l: '1'}], c: [{k: '1', l: '1'}]});
    expect(await compareMembers(digest, members, at, signal)).toMatchObject({verdict: 'equal', asOf: {A: at, B: at, C: at}});
  });

  it('waits at the second look for all that was written by the first', async () => {
    const asked: string[] = [];
    const digest = digestOf({a: [{k: '1'}], b: [{}, {k: '1'}], c: [{k: '1'}]});
    const spied: Digest = {
      ...digest,
      rows: (member, table, position, given) => {
        asked.push(position.offset);
        return digest.rows(member, table, position, given);
      },
    };
    const latest = async () => ({...at, offset: '150'});
    expect(await compareMembers(spied, members, at, signal, {latest})).toMatchObject({verdict: 'equal'});
    expect(asked).toEqual(['100', '100', '100', '150', '150', '150']);
  });

  it('does not call a row diverged that changes at every look, and does not say that it is equal', async () => {
    const moving = {a: [1, 3, 5, 7].map((n) => ({k: `${n}`})), b: [2, 4, 6, 8].map((n) => ({k: `${n}`})), c: [{k: '9'}]};
    expect(await compareMembers(digestOf(moving), members, at, signal)).toMatchObject({
      verdict: 'unknown',
      reason: 't: 1 rows changed at each of 4 looks, so it is not known whether they are the same',
      tables: [{code: 'moving', divergent: []}],
    });
    const beside = {a: moving.a.map((row) => ({...row, l: '1'})), b: moving.b.map((row) => ({...row, l: '2'})), c: [{k: '9', l: '1'}]};
    expect(await compareMembers(digestOf(beside), members, at, signal)).toMatchObject({
      verdict: 'diverged',
      tables: [{divergent: [{key: 'l', class: 'stale', regions: ['B']}]}],
    });
  });

  it('a position that cannot be read at the second look leaves it unknown', async () => {
    const latest = async () => {
      throw unavailable('gone', 'the primary does not answer');
    };
    const digest = digestOf({a: [{k: '1'}], b: [{}], c: [{k: '1'}]});
    expect(await compareMembers(digest, members, at, signal, {latest})).toMatchObject({
      verdict: 'unknown',
      reason: 't: the primary does not answer',
    });
  });

  it('names missing and stale regions, and says when the list is cut', async () => {
    const digest = digestOf({a: [{k: '1', l: '1'}], b: [{k: '2', l: '2'}], c: [{l: '1'}]});
    const result = await compareMembers(digest, members, at, signal);
    expect(result.tables[0]?.divergent).toEqual([
      {key: 'k', class: 'missing', regions: ['C']},
      {key: 'k', class: 'stale', regions: ['B']},
      {key: 'l', class: 'stale', regions: ['B']},
    ]);
    expect((await compareMembers(digest, members, at, signal, {listed: 2})).tables[0]).toMatchObject({truncated: true, rows: 2});
  });

  it('never says equal without something compared to its end', async () => {
    const good = digestOf({a: [{k: '1'}], b: [{k: '1'}], c: [{k: '1'}]});
    expect((await compareMembers(good, members.slice(0, 1), at, signal)).verdict).toBe('unknown');
    expect((await compareMembers({...good, tables: async () => []}, members, at, signal)).verdict).toBe('unknown');
    const broken: Digest = {
      ...good,
      rows: async function* (member, table, position, given) {
        yield* good.rows(member, table, position, given);
        if (member === 'b') throw unavailable('reset', 'b broke the connection off.');
      },
    };
    expect(await compareMembers(broken, members, at, signal)).toMatchObject({
      verdict: 'unknown',
      reason: 't: b broke the connection off.',
      tables: [{code: 'reset'}],
    });
    const skipping: Digest = {...good, skipped: async () => ['u']};
    expect(await compareMembers(skipping, members, at, signal)).toMatchObject({verdict: 'equal', coverage: {skipped: [{table: 'u'}]}});
    await expect(compareMembers(broken, members, at, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
  });
});
