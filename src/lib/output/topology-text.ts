import type {
  Severity,
  StoreTopology,
  TopologyDocument,
  TopologyFinding,
  TopologyLink,
  TopologyMember,
} from '../replication/topology-model.ts';
import {ringOrder} from '../replication/topology-shape.ts';
import type {Meaning, Paint} from './paint.ts';
import {type Cell, type Column, table} from './table.ts';
import {furtherLinks, linkCells, placeOf, roleCell} from './topology-cells.ts';
import {meshLines} from './topology-matrix.ts';
import {treeOf} from './topology-tree.ts';
import {formatTime} from './units.ts';
import {indented, joined, type TextOptions, verdictCell} from './verdict-cell.ts';

const SEVERITIES: Readonly<Record<Severity, Meaning>> = {note: 'muted', warning: 'warning', error: 'critical', unknown: 'unknown'};
const COLUMNS: readonly Column[] = [
  {title: 'member'},
  {title: 'place'},
  {title: 'role', shrink: false},
  {title: 'link'},
  {title: 'behind', align: 'right', shrink: false},
  {title: 'age', align: 'right', shrink: false},
];

/** `replication topology` for people: each store drawn, then what was judged of it and what to do. */
export function topologyText(document: TopologyDocument, options: TextOptions): string {
  const {columns, paint} = options;
  const head = indented(`replication topology at ${formatTime(document.at)}`, columns, 0);
  if (document.stores.length === 0) return joined([...head, ...indented('This fleet has no stores.', columns)]);
  return joined([...head, ...document.stores.flatMap((store) => ['', ...storeLines(store, columns, paint)])]);
}

function storeLines(store: StoreTopology, columns: number, paint: Paint): readonly string[] {
  const {members, findings, shape} = store;
  const size = `${members.length} member${members.length === 1 ? '' : 's'}`;
  const title: Cell[] = [
    {text: store.store, paint: paint.strong},
    store.engine,
    shape === 'single' || shape === 'pair' || shape === 'unknown'
      ? size
      : shape === 'disconnected'
        ? `${size}, disconnected`
        : `${shape} of ${size}`,
    verdictCell(store.verdict, paint),
  ];
  return [
    ...table([{}, {}, {shrink: false}, {shrink: false}], [title], columns),
    ...drawing(store, columns, paint),
    ...findings.flatMap((each) => findingLines(each, columns, paint)),
  ];
}

function drawing(store: StoreTopology, columns: number, paint: Paint): readonly string[] {
  if (store.shape === 'mesh' || store.shape === 'partial-mesh') return meshLines(store, columns, paint);
  return store.shape === 'ring' ? ringLines(store, columns, paint) : treeLines(store, columns, paint);
}

function treeLines(store: StoreTopology, columns: number, paint: Paint): readonly string[] {
  const {rows, others} = treeOf(store);
  const cells = rows.map(({prefix, member, link}) => {
    const up = link?.from === member.member;
    return memberRow(`${prefix}${member.member}`, member, {link, up, paint});
  });
  return [...titled(cells, columns, paint), ...furtherLinks(others, columns, paint)];
}

/** Round the members in the order of the ring, each with the link that leads to it from the one above; the first, from the last. */
function ringLines({members, links}: StoreTopology, columns: number, paint: Paint): readonly string[] {
  const names = members.map(({member}) => member);
  const order = ringOrder(names, links).flatMap((name) => members.filter(({member}) => member === name));
  const used = new Set<TopologyLink>();
  const cells = order.map((member, index) => {
    const before = order.at(index - 1)?.member;
    const link = links.find(({from, to}) => from === before && to === member.member) ?? null;
    if (link !== null) used.add(link);
    const prefix = index === 0 ? '┌→ ' : index === order.length - 1 ? '└─ ' : '│  ';
    return memberRow(`${prefix}${member.member}`, member, {link, up: false, paint});
  });
  const rest = links.filter((link) => !used.has(link));
  return [...titled(cells, columns, paint), ...furtherLinks(rest, columns, paint)];
}

function titled(rows: readonly Cell[][], columns: number, paint: Paint): readonly string[] {
  const [titles = '', ...lines] = table(COLUMNS, rows, columns);
  return [paint.muted(titles), ...lines];
}

type Hanging = {readonly link: TopologyLink | null; readonly up: boolean; readonly paint: Paint};

function memberRow(name: string, member: TopologyMember, {link, up, paint}: Hanging): Cell[] {
  return [name, placeOf(member), roleCell(member, paint), ...linkCells(link, up, paint)];
}

/** Severity, stable word, sentence, and what to do. The colour only adds to the word. */
function findingLines({severity, code, reason, fix}: TopologyFinding, columns: number, paint: Paint): readonly string[] {
  const [first = '', ...rest] = indented(`${severity} ${code}: ${reason}${fix === null ? '' : ` ${fix}`}`, Math.max(1, columns - 2));
  return [first.replace(severity, () => paint[SEVERITIES[severity]](severity)), ...rest.map((line) => `  ${line}`)];
}
