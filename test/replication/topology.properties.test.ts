import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {articulationsOf} from '../../src/lib/replication/graph.ts';
import {judgeTopology} from '../../src/lib/replication/topology.ts';
import {edgesOf} from '../../src/lib/replication/topology-shape.ts';
import {anyStore} from './any-topology.ts';
import {ISO, link, sample} from './topology-samples.ts';

describe('of any store', () => {
  it('every member and every link is there, and no finding has a hole', () => {
    fc.assert(
      fc.property(anyStore, (input) => {
        const {stores} = judgeTopology(ISO, [input]);
        const [store] = stores;
        expect(store?.members.map(({member}) => member)).toEqual(input.members.map(({name}) => name));
        // What stands for the sender of a member that does not answer is no link.
        const silent = (name: string): boolean => input.seen[name]?.known !== true;
        const seen = input.links.filter(({from, to, state}) => !(from === 'unknown' && state === 'unknown' && silent(to)));
        expect(store?.links.map(({from, to, state}) => [from, to, state])).toEqual(seen.map(({from, to, state}) => [from, to, state]));
        for (const {code, reason, fix} of store?.findings ?? []) {
          const said = `${code} ${reason} ${fix ?? ''}`;
          expect(said).not.toMatch(/\b(undefined|NaN|null|\[object)\b/u);
          expect(said).not.toContain('nobody');
          expect(reason).toMatch(/\.$/u);
          expect(fix ?? '.').toMatch(/\.$/u);
          expect(reason).not.toMatch(/\.\.| {2}/u);
        }
      }),
      {numRuns: 500},
    );
  });

  it('a broken link is an error, what is not known is never healthy, and nothing else is either unless there is a finding', () => {
    fc.assert(
      fc.property(anyStore, (input) => {
        const [store] = judgeTopology(ISO, [input]).stores;
        const severities = store?.findings.map(({severity}) => severity) ?? [];
        const alone = input.members.length < 2;
        if (input.links.some(({state}) => state === 'broken')) expect(severities).toContain('error');
        const blind = input.members.some(({name}) => input.seen[name]?.known !== true) || (!alone && input.linksTrouble !== null);
        if (blind || store?.links.some(({state}) => state === 'unknown')) expect(store?.verdict).not.toMatch(/^(healthy|degraded)$/u);
        if (severities.every((each) => each === 'note')) expect(store?.verdict).toBe('healthy');
      }),
      {numRuns: 500},
    );
  });

  it('a broken link to a member that is lost is told of, though nobody knows whose it is', () => {
    const input = sample({
      roles: {a: '?', b: '?', c: '='},
      links: [link('a', 'b', {state: 'unknown'}), link('unknown', 'a', {state: 'broken'}), link('a', 'c', {state: 'unknown'})],
    });
    const [store] = judgeTopology(ISO, [input]).stores;
    expect(store?.findings.map(({code, severity}) => [code, severity])).toContainEqual(['link-broken', 'error']);
  });

  it('each articulation point of the live links is a finding that names it', () => {
    fc.assert(
      fc.property(anyStore, (input) => {
        const [store] = judgeTopology(ISO, [input]).stores;
        const names = input.members.map(({name}) => name);
        const live = store?.links.filter((each) => each.live) ?? [];
        const points = store?.findings.filter(({code}) => code === 'single-point').map(({reason}) => reason) ?? [];
        for (const cut of articulationsOf({nodes: names, edges: edgesOf(names, live)}))
          expect(points.some((reason) => reason.startsWith(`The loss of ${cut} `))).toBe(true);
      }),
      {numRuns: 300},
    );
  });
});
