import {describe, expect, it} from 'vitest';
import type {AllFacts} from '../../../src/lib/providers/redis/facts.ts';
import {findingsOf} from '../../../src/lib/providers/redis/overseers.ts';
import {type View, viewOf, type Watcher} from '../../../src/lib/providers/redis/sentinel.ts';
import {known, unknown} from '../../../src/lib/snapshot/cell.ts';
import {cell, ensemble, PRIMARY, STANDBY} from './samples.ts';

const WELL: View = {
  primary: {host: '10.0.0.1', port: 6379},
  flags: ['master'],
  replicas: 1,
  sentinels: 3,
  quorum: 2,
  vote: {holds: true, usable: 3, says: 'OK 3 usable Sentinels'},
  isTilted: false,
};
const facts: AllFacts = {us: cell(PRIMARY), eu: cell(STANDBY)};
const sentinels = {master: 'cache-1', each: []};

/** The findings that three Sentinels lead to; what is given stands for what they say instead. */
function said(views: readonly (Partial<View> | string)[], members: AllFacts = facts): readonly string[] {
  const watchers = views.map((view, index): Watcher => {
    const seen = typeof view === 'string' ? unknown(view, `s${index + 1}: it is ${view}`, 0) : known({...WELL, ...view}, 0, 'sentinel');
    return {name: `s${index + 1}`, cell: seen};
  });
  return findingsOf(ensemble(['us', 'eu']), sentinels, watchers, members).map(({verdict, says}) => `${verdict}: ${says}`);
}

describe('what Sentinels say', () => {
  it('is read out of their answers', () => {
    const about = ['name', 'cache-1', 'flags', 'master,s_down,o_down', 'num-slaves', '2', 'num-other-sentinels', '2', 'quorum', '2'];
    const vote = {kind: 'refused', code: 'error', says: '', text: 'NOQUORUM 1 usable Sentinels. Not enough available Sentinels'} as const;
    const place = {kind: 'list', texts: ['10.0.0.1', '6379']} as const;
    const info = {kind: 'text', text: 'sentinel_masters:1\r\nsentinel_tilt:1\r\n'} as const;
    expect(viewOf(about, {vote, place, info})).toMatchObject({
      primary: {host: '10.0.0.1', port: 6379},
      flags: ['master', 's_down', 'o_down'],
      replicas: 2,
      sentinels: 3,
      quorum: 2,
      vote: {holds: false, usable: 1},
      isTilted: true,
    });
    const nothing = {kind: 'nothing'} as const;
    expect(viewOf([], {vote: nothing, place: nothing, info: nothing})).toEqual({
      ...{primary: null, flags: [], replicas: null, sentinels: null, quorum: null, vote: null, isTilted: null},
    });
  });

  it('is well when all agree', () => {
    expect(said([{}, {}, {}])).toEqual(
      [
        's1 watches us as cache-1, and knows 1 replica',
        's2 watches us as cache-1, and knows 1 replica',
        's3 watches us as cache-1, and knows 1 replica',
        'the primary can be moved: 3 of 3 Sentinels can be reached from s1; the quorum is 2, and a majority of 3 must agree to a move',
        '3 Sentinels watch the store',
        'the Sentinels and us agree that it is the primary',
      ].map((says) => `pass: ${says}`),
    );
  });

  it('warns of TILT mode, of a primary that one finds down, and of one that is down itself', () => {
    const [tilted, alarmed, dead] = said([{isTilted: true}, {flags: ['master', 's_down']}, 'refused']);
    expect(tilted).toBe('warning: s1 is in TILT mode: it distrusts its own clock or pauses, and moves nothing until that is over');
    expect(alarmed).toBe('warning: s2 finds us down (s_down)');
    expect(dead).toBe('warning: s3 does not count: s3: it is refused');
  });

  it('warns when some are cut off from the majority, and is an error when all are', () => {
    const alone = {vote: {holds: false, usable: 1, says: 'NOQUORUM'}};
    const needs = 'the quorum is 2, and a majority of 3 must agree to a move';
    expect(said([{vote: {holds: true, usable: 2, says: 'OK'}}, {}, alone])[3]).toBe(
      'warning: 3 of 3 Sentinels can be reached from s2, so the primary can be moved; s3 cannot reach enough of them',
    );
    expect(said([alone, alone, alone])[3]).toBe(`error: nobody can move the primary: 1 of 3 Sentinels can be reached from s1; ${needs}`);
    expect(said(['timeout', 'timeout', 'auth'])[3]).toBe('unknown: none of 3 Sentinels tells whether it could move the primary');
  });

  it('warns of fewer than three, counting those that are known of and not asked', () => {
    expect(said([{sentinels: 2}])[2]).toBe('warning: 2 Sentinels watch the store: when one is lost, nobody can move the primary');
    expect(said([{sentinels: 3}])[2]).toBe('pass: 3 Sentinels watch the store');
  });

  it('is not taken for agreement while the primary that they name could not be asked', () => {
    expect(said([{}], {us: unknown('timeout', 'us: no answer', 0), eu: cell(STANDBY)}).at(-1)).toBe(
      'unknown: the Sentinels say that us is the primary, which could not be asked: us: no answer',
    );
    expect(said([{primary: {host: '10.0.0.2', port: 6379}}]).at(-1)).toBe(
      'error: the Sentinels say that eu is the primary, which answers as a replica; us answers as primary',
    );
    expect(said([{primary: null}]).at(-1)).toBe('unknown: no Sentinel says where the primary of cache-1 is');
  });
});
