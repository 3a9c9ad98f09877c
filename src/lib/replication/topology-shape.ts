import {componentsOf, type Graph, neighboursOf} from './graph.ts';
import type {Shape, TopologyLink} from './topology-model.ts';

type Ends = Pick<TopologyLink, 'from' | 'to'>;

/** The links between members as edges: each direction of a pair at most once, those from or to strangers left out. */
export function edgesOf(names: readonly string[], links: readonly Ends[]): readonly (readonly [string, string])[] {
  const known = new Set(names);
  const seen = new Map<string, readonly [string, string]>();
  for (const {from, to} of links) if (known.has(from) && known.has(to) && from !== to) seen.set(JSON.stringify([from, to]), [from, to]);
  return [...seen.values()];
}

/**
 * How many links each member is away from where changes begin. Where nobody says that they begin with him, they begin with who sends and gets
 * nothing. A member that cannot be reached from there has no depth.
 */
export function depthsOf(names: readonly string[], links: readonly Ends[], sources: readonly string[]): ReadonlyMap<string, number> {
  const edges = edgesOf(names, links);
  const gets = new Set(edges.map(([, to]) => to));
  const sends = new Set(edges.map(([from]) => from));
  const roots = sources.length > 0 ? sources : names.filter((name) => sends.has(name) && !gets.has(name));
  const depths = new Map(roots.map((name) => [name, 0]));
  for (const [name, depth] of depths) for (const [from, to] of edges) if (from === name && !depths.has(to)) depths.set(to, depth + 1);
  return depths;
}

/** What the links look like, whether they are live or not. */
export function shapeOf(names: readonly string[], links: readonly Ends[], depths: ReadonlyMap<string, number>): Shape {
  const directed = edgesOf(names, links);
  const graph: Graph = {nodes: names, edges: directed};
  if (names.length <= 1) return 'single';
  if (componentsOf(graph).length > 1) return 'disconnected';
  if (names.length === 2) return 'pair';
  const neighbours = neighboursOf(graph);
  const degrees = names.map((name) => neighbours.get(name)?.length ?? 0);
  const pairs = degrees.reduce((sum, each) => sum + each, 0) / 2;
  if (pairs === names.length - 1) return treeShape(graph, degrees, depths);
  // Three that are linked both ways are a mesh; one way round they are a ring.
  const mayBeRing = degrees.every((each) => each === 2) && (names.length > 3 || directed.length === 3);
  if (mayBeRing && goesRound(names, directed)) return 'ring';
  return pairs === (names.length * (names.length - 1)) / 2 ? 'mesh' : 'partial-mesh';
}

/** Three members in a line are a star when changes begin in the middle, else a chain. */
function treeShape(graph: Graph, degrees: readonly number[], depths: ReadonlyMap<string, number>): Shape {
  const hub = graph.nodes[degrees.indexOf(graph.nodes.length - 1)];
  if (hub !== undefined && (graph.nodes.length > 3 || depths.get(hub) === 0)) return 'star';
  if (!degrees.every((each) => each <= 2)) return 'tree';
  const begins = (isEnd: boolean): boolean => graph.nodes.some((node, i) => (degrees[i] === 1) === isEnd && depths.get(node) === 0);
  return begins(false) && !begins(true) ? 'tree' : 'chain';
}

/** Whether changes get all the way round, in one direction at least. */
function goesRound(names: readonly string[], edges: readonly (readonly [string, string])[]): boolean {
  const linked = new Set(edges.map((edge) => JSON.stringify(edge)));
  const order = ringOrder(
    names,
    edges.map(([from, to]) => ({from, to})),
  );
  const round = (ring: readonly string[]): boolean =>
    ring.every((each, index) => linked.has(JSON.stringify([each, ring[(index + 1) % ring.length]])));
  return round(order) || round(order.toReversed());
}

/** The members of a ring in its order, beginning with the first of them and going the way that its links go. */
export function ringOrder(names: readonly string[], links: readonly Ends[]): readonly string[] {
  const edges = edgesOf(names, links);
  const neighbours = neighboursOf({nodes: names, edges});
  const order = names.slice(0, 1);
  for (let last = order[0]; last !== undefined; last = order.at(-1)) {
    const others: readonly string[] = (neighbours.get(last) ?? []).filter((each) => !order.includes(each));
    const next: string | undefined = others.find((each) => edges.some(([from, to]) => from === last && to === each)) ?? others[0];
    if (next === undefined) break;
    order.push(next);
  }
  return order;
}
