import type {StoreTopology, TopologyDocument, TopologyLink, TopologyMember} from '../replication/topology-model.ts';
import {behindOf} from './topology-cells.ts';
import {NOT_MEASURED} from './units.ts';

/** The document as a mermaid flowchart: a subgraph for each region, a node for each member, an edge for each link; dotted = not live. */
export function topologyMermaid(document: TopologyDocument): string {
  const ids = new Map<string, string>();
  const members = document.stores.flatMap((store) => store.members.map((member) => ({store, member})));
  for (const {store, member} of members) ids.set(keyOf(store.store, member.member), `m${ids.size}`);
  const regions = Map.groupBy(members, ({member}) => member.region);
  const blocks = [...regions].map(([region, there], index) => regionBlock(`r${index}`, region, there, ids));
  const links = document.stores.flatMap((store) => store.links.map((link) => ({store, link})));
  // A sender that is no member of the store: it has a node all the same, or the link would not be seen.
  const strangers = new Map<string, string>();
  const idOf = (store: string, name: string): string => {
    const known = ids.get(keyOf(store, name));
    if (known !== undefined) return known;
    const key = keyOf(store, name);
    if (!strangers.has(key)) strangers.set(key, `x${strangers.size}`);
    return strangers.get(key) ?? '';
  };
  const edges = links.map(({store, link}) => edgeLine(link, idOf(store.store, link.from), idOf(store.store, link.to)));
  const nodes = [...strangers].map(([key, id]) => `  ${id}["${quoted((JSON.parse(key) as [string, string]).join(': '))}"]`);
  return ['flowchart LR', ...blocks.flat(), ...nodes, ...edges].join('\n');
}

const keyOf = (store: string, member: string): string => JSON.stringify([store, member]);

type Placed = {readonly store: StoreTopology; readonly member: TopologyMember};

function regionBlock(id: string, region: string, there: readonly Placed[], ids: ReadonlyMap<string, string>): readonly string[] {
  const law = there[0]?.member.jurisdiction ?? '';
  const nodes = there.map(({store, member}) => {
    const place = member.site === null ? '' : ` in ${member.site}`;
    const label = quoted(`${store.store}: ${member.member}, ${member.role}${place}`);
    return `    ${ids.get(keyOf(store.store, member.member))}["${label}"]`;
  });
  return [`  subgraph ${id}["${quoted(law === '' ? region : `${region} (${law})`)}"]`, ...nodes, '  end'];
}

function edgeLine(link: TopologyLink, from: string, to: string): string {
  const behind = behindOf(link);
  const name = link.link === null ? '' : `${link.link}: `;
  const label = `${name}${link.state}${behind === NOT_MEASURED ? '' : `, ${behind} behind`}`;
  return `  ${from} ${link.live ? '-->' : '-.->'}|"${quoted(label)}"| ${to}`;
}

/** Whatever a name holds, mermaid takes it for text: everything that means something to it becomes its code. */
function quoted(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').replace(/[^\p{L}\p{N} .,:()/_→–-]/gu, (sign) => `#${sign.codePointAt(0)};`);
}
