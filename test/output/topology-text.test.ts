import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {colourPaint, plainPaint} from '../../src/lib/output/paint.ts';
import {topologyMermaid} from '../../src/lib/output/topology-mermaid.ts';
import {topologyText} from '../../src/lib/output/topology-text.ts';
import {treeOf} from '../../src/lib/output/topology-tree.ts';
import {judgeTopology} from '../../src/lib/replication/topology.ts';
import type {StoreForTopology} from '../../src/lib/replication/topology-model.ts';
import {anyStore} from '../replication/any-topology.ts';
import {AT, all, everyWay, ISO, link, sample} from '../replication/topology-samples.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with an escape character.
const CODES = /\u001b\[\d+m/g;
const places = {'us-east': {jurisdiction: 'US'}, 'eu-west': {site: 'eu-west-1a'}, ap: {jurisdiction: 'SG'}};
const FIVE = ['us-east', 'eu-west', 'ap', 'sa', 'me'];
const MANY = Array.from({length: 14}, (_, index) => `member-${index + 1}`);
const shapes: Readonly<Record<string, StoreForTopology>> = {
  pair: sample({roles: {'us-east': 'p', 'eu-west': 's'}, links: [link('us-east', 'eu-west')], places}),
  star: sample({
    roles: {'us-east': 'p', 'eu-west': 's', ap: 's'},
    links: [link('us-east', 'eu-west'), link('us-east', 'ap', {state: 'catching-up'})],
    places,
    more: {classes: [{name: 'user-content', allowed: ['US', 'EU']}]},
  }),
  cascade: sample({roles: {a: 'p', b: 's', c: 's', d: 's'}, links: [link('a', 'b'), link('b', 'c'), link('a', 'd', {state: 'stalled'})]}),
  'broken hub': sample({
    roles: {'us-east': '?', 'eu-west': 's', ap: 's'},
    links: [
      link('unknown', 'us-east', {state: 'unknown'}),
      link('us-east', 'eu-west', {state: 'broken'}),
      link('us-east', 'ap', {state: 'unknown'}),
    ],
    places,
  }),
  ring: sample({roles: all(['a', 'b', 'c', 'd'], '='), links: ['ab', 'bc', 'cd', 'da'].map(([from = '', to = '']) => link(from, to))}),
  messages: sample({
    roles: {us: '=', eu: '=', ap: '='},
    links: [
      link('us', 'eu', {link: 'news', kind: 'messages'}),
      link('eu', 'us', {link: 'orders', kind: 'messages'}),
      link('ap', 'us', {kind: 'messages'}),
    ],
  }),
  'mesh of 3': sample({roles: all(FIVE.slice(0, 3), 'p'), links: everyWay(FIVE.slice(0, 3), ['ap>us-east'])}),
  'mesh of 5': sample({
    roles: all(FIVE, 'p'),
    links: everyWay(FIVE).map((each) => (each.to === 'me' ? {...each, ...link(each.from, 'me', {state: 'broken'})} : each)),
  }),
  'mesh of 14': sample({
    roles: all(MANY, 'p'),
    links: everyWay(MANY, [], {seconds: 1}).map((each, index) => (index === 3 ? {...each, state: 'stalled' as const} : each)),
  }),
  split: sample({
    roles: all(['a', 'b', 'c', 'd'], 'p'),
    links: everyWay(['a', 'b', 'c', 'd']).map((each) =>
      each.from < 'c' === each.to < 'c' ? each : link(each.from, each.to, {state: 'broken'}),
    ),
  }),
};
const document = (...stores: readonly StoreForTopology[]) => judgeTopology(ISO, stores);
const textOf = (columns: number, ...stores: readonly StoreForTopology[]) =>
  topologyText(document(...stores), {columns, paint: plainPaint(), now: AT});

describe('replication topology in the terminal', () => {
  it.each(Object.entries(shapes))('%s at 80 columns', (_name, store) => {
    expect(textOf(80, store)).toMatchSnapshot();
  });

  it('a mesh of five at 48 columns has numbers for heads, at 200 lag in every cell', () => {
    const mesh = shapes['mesh of 5'] as StoreForTopology;
    expect(textOf(48, mesh)).toMatchSnapshot();
    expect(textOf(200, mesh)).toMatchSnapshot();
  });

  it('is never wider than the terminal, coloured or not', async () => {
    const colours = await colourPaint();
    fc.assert(
      fc.property(fc.integer({min: 40, max: 200}), fc.array(anyStore, {maxLength: 2}), (columns, stores) => {
        const plain = textOf(columns, ...stores);
        for (const line of plain.split('\n')) expect([...line].length, line).toBeLessThanOrEqual(columns);
        expect(topologyText(document(...stores), {columns, paint: colours, now: AT}).replaceAll(CODES, '')).toBe(plain);
        expect(plain).not.toMatch(/\b(undefined|NaN|null|\[object)\b/u);
      }),
      {numRuns: 300},
    );
  });

  it('a tree has every member exactly once, and with its further links every link', () => {
    fc.assert(
      fc.property(anyStore, (input) => {
        const [store] = document(input).stores;
        if (store === undefined) throw new Error('no store');
        const {rows, others} = treeOf(store);
        const byName = (names: readonly string[]): readonly string[] => names.toSorted();
        expect(byName(rows.map(({member}) => member.member))).toEqual(byName(store.members.map(({member}) => member)));
        const drawn = [...rows.flatMap(({link: each}) => (each === null ? [] : [each])), ...others];
        expect(new Set(drawn)).toEqual(new Set(store.links));
        expect(drawn).toHaveLength(store.links.length);
      }),
      {numRuns: 300},
    );
  });

  it.each(['mesh of 3', 'mesh of 5', 'mesh of 14', 'ring'])('a %s has one row for each member', (name) => {
    const store = shapes[name] as StoreForTopology;
    const lines = textOf(120, store).split('\n');
    for (const member of store.members)
      expect(
        lines.filter((line) => new RegExp(`^(┌→ |│ {2}|└─ )?${member.name} +${member.name} +p`, 'u').test(line.trimStart())),
      ).toHaveLength(1);
  });

  it('says in words that there is nothing', () => {
    expect(textOf(80)).toContain('This fleet has no stores.');
  });
});

describe('replication topology as mermaid', () => {
  it('has a subgraph for each region, labels with state and lag, and dots for what is not live', () => {
    expect(
      topologyMermaid(document(shapes.star as StoreForTopology, {...(shapes['broken hub'] as StoreForTopology), store: 'invoices'})),
    ).toMatchSnapshot();
  });

  it('has one node for each member, one edge for each link and balanced subgraphs, whatever names hold', () => {
    fc.assert(
      fc.property(fc.array(anyStore, {minLength: 1, maxLength: 3}), (inputs) => {
        const stores = inputs.map((input, index) => ({...input, store: `store "${index}"`}));
        const lines = topologyMermaid(document(...stores)).split('\n');
        const members = stores.flatMap((store) => store.members);
        const nodes = lines.flatMap((line) => /^ {4}(m\d+)\["[^"[\]<>&`|;]*(?:#\d+;[^"[\]<>&`|;]*)*"\]$/u.exec(line)?.[1] ?? []);
        expect(new Set(nodes).size).toBe(members.length);
        expect(nodes).toHaveLength(members.length);
        const opened = lines.filter((line) => /^ {2}subgraph r\d+\["[^"]+"\]$/u.test(line)).length;
        expect(opened).toBe(new Set(members.map(({region}) => region)).size);
        expect(lines.filter((line) => line === '  end')).toHaveLength(opened);
        const edges = lines.filter((line) => /^ {2}[mx]\d+ -(->|\.->)\|"[^"]+"\| m\d+$/u.test(line));
        expect(edges).toHaveLength(document(...stores).stores.flatMap(({links}) => links).length);
        const strangers = lines.filter((line) => /^ {2}x\d+\["/u.test(line)).length;
        expect(1 + nodes.length + 2 * opened + edges.length + strangers).toBe(lines.length);
      }),
      {numRuns: 300},
    );
  });
});
