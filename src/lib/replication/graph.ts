/** Places and what connects them, in either direction. Edges name nodes that are there; loops and repeats do no harm. */
export type Graph = {readonly nodes: readonly string[]; readonly edges: readonly (readonly [string, string])[]};

type Neighbours = ReadonlyMap<string, readonly string[]>;

/** Who is next to whom: each once, in the order of the edges. A node without edges has an empty list. */
export function neighboursOf({nodes, edges}: Graph): Neighbours {
  const found = new Map(nodes.map((node) => [node, new Set<string>()]));
  for (const [a, b] of edges) {
    if (a === b || !found.has(a) || !found.has(b)) continue;
    found.get(a)?.add(b);
    found.get(b)?.add(a);
  }
  return new Map([...found].map(([node, others]) => [node, [...others]]));
}

/** The nodes in groups that are connected, in the order of the nodes. */
export function componentsOf(graph: Graph): readonly (readonly string[])[] {
  const neighbours = neighboursOf(graph);
  const left = new Set(graph.nodes);
  return graph.nodes.flatMap((node) => {
    if (!left.has(node)) return [];
    const group = spread([node], neighbours);
    for (const each of group) left.delete(each);
    return [graph.nodes.filter((each) => group.has(each))];
  });
}

/** What remains of a graph without some nodes. */
export function without({nodes, edges}: Graph, gone: ReadonlySet<string>): Graph {
  return {nodes: nodes.filter((node) => !gone.has(node)), edges: edges.filter(([a, b]) => !gone.has(a) && !gone.has(b))};
}

/** Everything that can be reached from `start` along the directed edges, with `start` itself. */
export function reachedFrom(start: readonly string[], edges: Graph['edges']): ReadonlySet<string> {
  const next = new Map<string, string[]>();
  for (const [from, to] of edges) next.set(from, [...(next.get(from) ?? []), to]);
  return spread(start, next);
}

/**
 * Into which groups the loss of some nodes breaks what was connected: two or more, or none at all when nothing is cut off from anything. Groups
 * that were apart before are not counted.
 */
export function partsWithout(graph: Graph, gone: ReadonlySet<string>): readonly (readonly string[])[] {
  const before = componentsOf(graph);
  const after = componentsOf(without(graph, gone));
  return before.flatMap((group) => {
    const parts = after.filter(([first]) => first !== undefined && group.includes(first));
    return parts.length > 1 ? parts : [];
  });
}

type Visit = {readonly node: string; readonly parent: string | null; next: number; children: number};

/** The nodes whose loss alone cuts others off from one another (Tarjan), in the order of the nodes. Linear in nodes and edges. */
export function articulationsOf(graph: Graph): readonly string[] {
  const neighbours = neighboursOf(graph);
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const cuts = new Set<string>();
  for (const root of graph.nodes) if (!order.has(root)) visitFrom(root, {neighbours, order, low, cuts});
  return graph.nodes.filter((node) => cuts.has(node));
}

type Marks = {
  readonly neighbours: Neighbours;
  readonly order: Map<string, number>;
  readonly low: Map<string, number>;
  readonly cuts: Set<string>;
};

/** With a stack of its own: a chain may be longer than calls may be deep. */
function visitFrom(root: string, marks: Marks): void {
  const {neighbours, order, low} = marks;
  const stack: Visit[] = [];
  const enter = (node: string, parent: string | null): void => {
    order.set(node, order.size);
    low.set(node, order.get(node) ?? 0);
    stack.push({node, parent, next: 0, children: 0});
  };
  enter(root, null);
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const other = neighbours.get(top.node)?.[top.next++];
    if (other === undefined) {
      stack.pop();
      leave(top, stack.at(-1), marks);
    } else if (!order.has(other)) {
      top.children += 1;
      enter(other, top.node);
    } else if (other !== top.parent) low.set(top.node, Math.min(low.get(top.node) ?? 0, order.get(other) ?? 0));
  }
}

function leave({node, parent, children}: Visit, above: Visit | undefined, {order, low, cuts}: Marks): void {
  if (parent === null && children > 1) cuts.add(node);
  if (above === undefined) return;
  const lowest = low.get(node) ?? 0;
  low.set(above.node, Math.min(low.get(above.node) ?? 0, lowest));
  if (above.parent !== null && lowest >= (order.get(above.node) ?? 0)) cuts.add(above.node);
}

function spread(start: readonly string[], next: Neighbours): ReadonlySet<string> {
  const seen = new Set(start);
  // A Set goes on with what is added while it is walked.
  for (const node of seen) for (const other of next.get(node) ?? []) seen.add(other);
  return seen;
}
