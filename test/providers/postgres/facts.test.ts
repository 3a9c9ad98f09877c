import {describe, expect, it} from 'vitest';
import type {Cluster, Node} from '../../../src/lib/providers/postgres/cluster.ts';
import {readAll} from '../../../src/lib/providers/postgres/facts.ts';
import {fakeClock} from '../../run/fake-clock.ts';

/** Members that answer, and how often each was asked. */
function clusterOf(...names: readonly string[]) {
  const asked: string[] = [];
  const nodes = names.map((name): readonly [string, Node] => {
    const rows = async (): Promise<readonly unknown[]> => {
      asked.push(name);
      return [{recovering: name !== 'us', timeline: 1}];
    };
    return [name, {name, session: {ready: async () => undefined, rows}} as unknown as Node];
  });
  return {asked, cluster: {store: 'orders', clock: fakeClock(), nodes: new Map(nodes)} as unknown as Cluster};
}

const signal = (): AbortSignal => new AbortController().signal;

describe('reading members', () => {
  it('asks each once for all who ask in one turn, and anew for the next', async () => {
    const {asked, cluster} = clusterOf('us', 'eu');
    const [one, other] = await Promise.all([readAll(cluster, signal()), readAll(cluster, signal())]);
    expect(asked).toEqual(['us', 'eu']);
    expect(one).toBe(other);
    expect(one).toMatchObject({us: {known: true, value: {recovering: false}}, eu: {known: true, value: {recovering: true}}});
    await readAll(cluster, signal());
    expect(asked).toEqual(['us', 'eu', 'us', 'eu']);
  });

  it('asks for other members, and those of another store, by themselves', async () => {
    const [mine, theirs] = [clusterOf('us', 'eu'), clusterOf('us', 'eu')];
    const readings = [readAll(mine.cluster, signal()), readAll(mine.cluster, signal(), ['us']), readAll(theirs.cluster, signal(), ['eu'])];
    expect((await Promise.all(readings)).map((cells) => Object.keys(cells))).toEqual([['us', 'eu'], ['us'], ['eu']]);
    expect([mine.asked, theirs.asked]).toEqual([['us', 'eu', 'us'], ['eu']]);
  });
});
