import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {articulationsOf, componentsOf, type Graph, partsWithout, reachedFrom, without} from '../../src/lib/replication/graph.ts';

/** Any graph of up to ten nodes, with loops and repeats. */
const graphs = fc.integer({min: 1, max: 10}).chain((size) => {
  const nodes = Array.from({length: size}, (_, index) => `n${index}`);
  const node = fc.constantFrom(...nodes);
  return fc.record({nodes: fc.constant(nodes), edges: fc.array(fc.tuple(node, node), {maxLength: 20})}) as fc.Arbitrary<Graph>;
});

/** By trying: a node cuts when without it the others lie in more groups than before. */
function bruteForce(graph: Graph): readonly string[] {
  const before = componentsOf(graph);
  return graph.nodes.filter((node) => {
    const alone = before.some((group) => group.length === 1 && group[0] === node);
    return componentsOf(without(graph, new Set([node]))).length > before.length - (alone ? 1 : 0);
  });
}

describe('what the loss of a node cuts off', () => {
  it('is what a brute-force removal finds', () => {
    let cutting = 0;
    fc.assert(
      fc.property(graphs, (graph) => {
        const found = articulationsOf(graph);
        cutting += found.length;
        expect(found).toEqual(bruteForce(graph));
        for (const node of graph.nodes) expect(partsWithout(graph, new Set([node])).length > 1).toBe(found.includes(node));
      }),
      {numRuns: 500},
    );
    expect(cutting, 'no graph had any: the test proves nothing').toBeGreaterThan(100);
  });

  it('is found in a chain that is longer than calls may be deep', () => {
    const nodes = Array.from({length: 50_000}, (_, index) => `n${index}`);
    const edges = nodes.slice(1).map((node, index) => [nodes[index] ?? '', node] as const);
    expect(articulationsOf({nodes, edges})).toHaveLength(nodes.length - 2);
  });

  it('goes along the direction when it asks who is reached', () => {
    const edges = [
      ['a', 'b'],
      ['b', 'c'],
      ['d', 'c'],
    ] as const;
    expect([...reachedFrom(['a'], edges)]).toEqual(['a', 'b', 'c']);
    expect([...reachedFrom(['c'], edges)]).toEqual(['c']);
  });
});
