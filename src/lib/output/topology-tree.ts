import type {StoreTopology, TopologyLink, TopologyMember} from '../replication/topology-model.ts';

/** One line of a tree: the member, what is drawn before its name, and the link that it hangs on; null = it begins one. */
export type TreeRow = {readonly prefix: string; readonly member: TopologyMember; readonly link: TopologyLink | null};

/** A tree, and the links that it has no line for. Together they hold every member and every link exactly once. */
export type Tree = {readonly rows: readonly TreeRow[]; readonly others: readonly TopologyLink[]};

type Branch = {readonly member: TopologyMember; readonly link: TopologyLink | null; readonly children: Branch[]};

/** Hangs each member on one of its senders, nearest to where changes begin; what is reached only against its links hangs on whom it sends to. */
export function treeOf({members, links}: Pick<StoreTopology, 'members' | 'links'>): Tree {
  const placed = new Map<string, Branch>();
  const used = new Set<TopologyLink>();
  const roots = members
    .toSorted((a, b) => rankOf(a, {members, links}) - rankOf(b, {members, links}))
    .flatMap((member) => grow(member, {members, links, placed, used}));
  return {
    rows: roots.flatMap((root) => rowsOf(root, '', '')),
    others: links.filter((link) => !used.has(link)),
  };
}

/** Trees begin with who takes writes, then with who sends and gets nothing; among peers with who has the most links; then as near as may be. */
function rankOf(
  {member, role, upstreams, depth, links}: TopologyMember,
  {members, links: all}: Pick<StoreTopology, 'members' | 'links'>,
): number {
  const among = links / 1000;
  if (role === 'primary') return -among;
  if (members.some((each) => each.role === 'peer')) return 2 - among;
  const sends = all.some(({from}) => from === member);
  const gets = members.some((each) => upstreams.includes(each.member));
  return (sends && !gets ? 1 : 3 + (depth ?? 1000)) - among;
}

type Growing = {
  readonly members: readonly TopologyMember[];
  readonly links: readonly TopologyLink[];
  readonly placed: Map<string, Branch>;
  readonly used: Set<TopologyLink>;
};

/** Breadth first, so that nobody hangs deeper than he must. */
function grow(root: TopologyMember, {members, links, placed, used}: Growing): readonly Branch[] {
  if (placed.has(root.member)) return [];
  const top: Branch = {member: root, link: null, children: []};
  placed.set(root.member, top);
  const queue = [top];
  for (const branch of queue) {
    const name = branch.member.member;
    // Live links first: a member hangs on who feeds it now, and not on who did.
    const down = links.filter(({from}) => from === name).toSorted((a, b) => Number(b.live) - Number(a.live));
    const up = links.filter(({to}) => to === name);
    for (const link of [...down, ...up]) {
      const other = members.find(({member}) => member === (link.from === name ? link.to : link.from));
      // Who begins a tree of his own is not hung on another by a link that is broken.
      if (other === undefined || placed.has(other.member) || (other.role === 'primary' && !link.live)) continue;
      const child: Branch = {member: other, link, children: []};
      branch.children.push(child);
      placed.set(other.member, child);
      used.add(link);
      queue.push(child);
    }
  }
  return [top];
}

function rowsOf({member, link, children}: Branch, prefix: string, below: string): readonly TreeRow[] {
  const last = children.length - 1;
  return [
    {prefix, member, link},
    ...children.flatMap((child, index) =>
      index === last ? rowsOf(child, `${below}└─ `, `${below}   `) : rowsOf(child, `${below}├─ `, `${below}│  `),
    ),
  ];
}
