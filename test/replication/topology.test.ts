import {describe, expect, it} from 'vitest';
import {judgeTopology} from '../../src/lib/replication/topology.ts';
import type {StoreForTopology, StoreTopology} from '../../src/lib/replication/topology-model.ts';
import {all, everyWay, ISO, link, sample} from './topology-samples.ts';

function judge(input: StoreForTopology): StoreTopology {
  const [store] = judgeTopology(ISO, [input]).stores;
  if (store === undefined) throw new Error('no store');
  return store;
}
const codes = (input: StoreForTopology): readonly string[] => judge(input).findings.map(({code, severity}) => `${severity} ${code}`);
const finding = (input: StoreForTopology, code: string) => {
  const found = judge(input).findings.find((each) => each.code === code);
  if (found === undefined) throw new Error(`no ${code} among ${codes(input).join(', ')}`);
  return found;
};
const STAR = sample({roles: {us: 'p', eu: 's', ap: 's'}, links: [link('us', 'eu'), link('us', 'ap')]});
const broken = (from: string, to: string) => link(from, to, {state: 'broken'});
const unread = (from: string, to: string) => link(from, to, {state: 'unknown'});
const SEVEN = ['us', 'eu', 'ap', 'sa', 'me', 'af', 'in'];

describe('the shape of the links', () => {
  it.each<[string, StoreForTopology]>([
    ['single', sample({roles: {us: 'p'}, links: []})],
    ['pair', sample({roles: {us: 'p', eu: 's'}, links: [link('us', 'eu')]})],
    ['star', STAR],
    ['star', sample({roles: {us: 'p', eu: 's', ap: 's', sa: 's'}, links: [link('us', 'eu'), broken('us', 'ap'), link('us', 'sa')]})],
    ['chain', sample({roles: {us: 'p', eu: 's', ap: 's'}, links: [link('us', 'eu'), link('eu', 'ap')]})],
    ['tree', sample({roles: {us: 's', eu: 'p', ap: 's', sa: 's'}, links: [link('eu', 'us'), link('eu', 'ap'), link('ap', 'sa')]})],
    [
      'tree',
      sample({
        roles: {us: 'p', eu: 's', ap: 's', sa: 's', me: 's'},
        links: [link('us', 'eu'), link('us', 'ap'), link('ap', 'sa'), link('ap', 'me')],
      }),
    ],
    ['ring', sample({roles: all(['a', 'b', 'c'], '='), links: [link('a', 'b'), link('b', 'c'), link('c', 'a')]})],
    ['ring', sample({roles: all(['a', 'b', 'c', 'd'], '='), links: ['ab', 'bc', 'cd', 'da'].map(([f = '', t = '']) => link(t, f))})],
    [
      'partial-mesh',
      sample({roles: all(['a', 'b', 'c', 'd'], 'p'), links: ['ab', 'ac', 'bd', 'cd'].map(([f = '', t = '']) => link(f, t))}),
    ],
    ['mesh', sample({roles: all(['a', 'b', 'c'], 'p'), links: everyWay(['a', 'b', 'c'])})],
    ['mesh', sample({roles: all(SEVEN, 'p'), links: everyWay(SEVEN)})],
    ['disconnected', sample({roles: {us: 'p', eu: 's', ap: 's'}, links: [link('us', 'eu')]})],
    ['unknown', sample({roles: {us: 'p', eu: 's'}, links: [], more: {linksTrouble: {code: 'timeout', reason: 'late'}}})],
  ])('%s', (shape, input) => {
    expect(judge(input).shape).toBe(shape);
  });

  it('counts how far each member is from where changes begin, and knows who sends to it', () => {
    const {members} = judge(sample({roles: {us: 'p', eu: 's', ap: 's'}, links: [link('us', 'eu'), link('eu', 'ap')]}));
    expect(members.map(({member, depth, upstreams, copy}) => [member, depth, upstreams, copy])).toEqual([
      ['us', 0, [], true],
      ['eu', 1, ['us'], true],
      ['ap', 2, ['eu'], true],
    ]);
  });

  it('keeps what the fleet file says of a member that does not answer', () => {
    const {members} = judge(sample({roles: {us: '?', eu: 's'}, links: [unread('us', 'eu')], places: {us: {region: 'us-east', site: 'a'}}}));
    expect(members[0]).toMatchObject({member: 'us', region: 'us-east', site: 'a', role: 'unknown', depth: 0, code: 'timeout', copy: null});
  });
});

describe('what is well', () => {
  it('a star of three regions has notes only', () => {
    expect(codes(STAR)).toEqual(['note single-point']);
    expect(judge(STAR)).toMatchObject({verdict: 'healthy', reason: 'Nothing is wrong.'});
    expect(finding(STAR, 'single-point').reason).toBe('The loss of us leaves eu and ap without changes until one of them is promoted.');
  });

  it('a mesh of five has nothing at all, a mesh of seven a proposal', () => {
    const five = SEVEN.slice(0, 5);
    expect(codes(sample({roles: all(five, 'p'), links: everyWay(five)}))).toEqual([]);
    const places = Object.fromEntries(SEVEN.map((name, index) => [name, {jurisdiction: index < 4 ? 'US' : 'EU'}]));
    const seven = sample({roles: all(SEVEN, 'p'), links: everyWay(SEVEN), places});
    expect(codes(seven)).toEqual(['note crosses-jurisdiction', 'note large-mesh']);
    expect(finding(seven, 'large-mesh')).toMatchObject({
      reason: expect.stringContaining('21 links'),
      fix: 'With us and me as super-nodes (one for each jurisdiction, the one with the most live links), each other region linked with one of them, 6 links remain.',
    });
    // Where each region has its own law, one for each would save nothing.
    const laws = Object.fromEntries(SEVEN.map((name) => [name, {jurisdiction: name}]));
    expect(
      finding(sample({roles: all(SEVEN, 'p'), links: everyWay(SEVEN, ['us>eu', 'eu>us']), places: laws}), 'crosses-jurisdiction').severity,
    ).toBe('note');
    const own = sample({roles: all(SEVEN, 'p'), links: everyWay(SEVEN), places: laws});
    expect(finding(own, 'large-mesh').fix).toContain('us, eu and ap as super-nodes (the 3 with the most live links)');
  });

  it('super-nodes are those with live links, and hot ones before cold ones', () => {
    const places = {
      us: {tier: 2},
      ...Object.fromEntries(SEVEN.slice(1).map((name) => [name, {jurisdiction: name === 'in' ? 'IN' : 'EU'}])),
    };
    const links = everyWay(SEVEN).map((each) => (each.from === 'eu' || each.to === 'eu' ? {...each, ...broken(each.from, each.to)} : each));
    expect(finding(sample({roles: all(SEVEN, 'p'), links, places}), 'large-mesh').fix).toContain('With ap and in as super-nodes');
  });

  it('a pair is told that it is short of a copy', () => {
    const pair = sample({roles: {us: 'p', eu: 's'}, links: [link('us', 'eu')]});
    expect(codes(pair)).toEqual(['warning few-copies']);
    expect(judgeTopology(ISO, [STAR, pair])).toMatchObject({verdict: 'degraded', reason: `orders: ${finding(pair, 'few-copies').reason}`});
    expect(finding(pair, 'few-copies').reason).toContain('2 live copies in 2 regions (us and eu)');
  });

  it('a fleet without stores, and a store that only passes messages on', () => {
    expect(judgeTopology(ISO, [])).toEqual({at: ISO, verdict: 'healthy', reason: 'There is no store to judge.', stores: []});
    const links = [link('us', 'eu', {kind: 'messages', link: 'a'}), link('eu', 'us', {kind: 'messages', link: 'b'})];
    expect(codes(sample({roles: {us: '=', eu: '='}, links}))).toEqual([]);
  });
});

describe('a hub that is lost', () => {
  const roles = {us: '?', eu: 's', ap: 's'} as const;
  it('is an error that names whom it cut off, once they say so', () => {
    const gone = sample({roles, links: [unread('unknown', 'us'), broken('us', 'eu'), broken('us', 'ap')]});
    expect(codes(gone)).toEqual(['error hub-lost']);
    expect(finding(gone, 'hub-lost').reason).toBe(
      'us, the hub of the star, does not answer: eu and ap are cut off by that. No answer within 1500 ms.',
    );
  });

  it('has no link from the nobody who stands for a sender of it', () => {
    expect(judge(sample({roles, links: [unread('unknown', 'us'), broken('us', 'eu')]})).links.map(({from}) => from)).toEqual(['us']);
    expect(judge(sample({roles, links: [unread('elsewhere', 'eu')]})).links).toHaveLength(1);
  });

  it('is unknown as long as they say that they stream', () => {
    const frozen = sample({roles, links: [unread('unknown', 'us'), unread('us', 'eu'), unread('us', 'ap')]});
    expect(codes(frozen)).toEqual(['unknown hub-lost']);
    expect(finding(frozen, 'hub-lost').reason).toContain('whether eu and ap still get anything is not known');
    expect(judge(frozen).verdict).toBe('unknown');
  });

  it('is both where one says so and another does not', () => {
    const half = sample({roles, links: [broken('us', 'eu'), unread('us', 'ap')]});
    expect(codes(half)).toEqual(['error hub-lost']);
    expect(finding(half, 'hub-lost').reason).toContain('eu is cut off by that; whether ap still gets anything is not known.');
  });

  it('is a relay where it only passes on', () => {
    const relay = sample({roles: {us: 'p', eu: '?', ap: 's', sa: 's'}, links: [unread('us', 'eu'), broken('eu', 'ap'), link('us', 'sa')]});
    expect(codes(relay)).toEqual(['error relay-lost', 'warning few-copies']);
    expect(finding(relay, 'relay-lost')).toMatchObject({
      reason: expect.stringContaining('ap is cut off by that.'),
      fix: 'Bring eu back, or let ap follow another member.',
    });
  });

  it('cuts nobody off in a mesh', () => {
    const links = everyWay(['a', 'b', 'c']).map((each) => (each.from === 'c' || each.to === 'c' ? unread(each.from, each.to) : each));
    expect(codes(sample({roles: {a: 'p', b: 'p', c: '?'}, links}))).toEqual(['unknown member-unknown', 'warning few-copies']);
  });
});

describe('members and links that are not well', () => {
  it('a standby without a live link is an orphan, with the reason of its link', () => {
    const orphan = sample({roles: {us: 'p', eu: 's', ap: 's'}, links: [link('us', 'eu'), broken('us', 'ap')]});
    expect(codes(orphan)).toEqual(['error orphan', 'warning few-copies']);
    expect(finding(orphan, 'orphan').reason).toBe('ap has no live link: us says broken of ap.');
  });

  it('a standby that is only listed under another name needs that name, and is not built anew', () => {
    const other = {state: 'broken', code: 'other-name'} as const;
    const named = sample({roles: {us: 'p', eu: 's', ap: 's'}, links: [link('us', 'eu'), link('us', 'ap', other)]});
    expect(finding(named, 'orphan').fix).toBe('Set application_name=ap in the primary_conninfo of ap, and reload it.');
    const cut = sample({roles: {us: 'p', eu: 's', ap: 's'}, links: [link('us', 'eu'), broken('us', 'ap')]});
    expect(finding(cut, 'orphan').fix).toBe('Mend the link, or build ap anew.');
  });

  it('a member of whose other link nothing is known is no orphan yet', () => {
    const links = everyWay(['a', 'b', 'c']).map((each) =>
      each.from === 'c' ? broken('c', each.to) : each.to === 'c' ? unread(each.from, 'c') : each,
    );
    const half = sample({roles: {a: 'p', b: 'p', c: '?'}, links});
    expect(codes(half).filter((code) => code.startsWith('error'))).toEqual(['error link-broken', 'error link-broken']);
    expect(codes(half)).toContain('unknown member-unknown');
    const gone = sample({roles: {a: 'p', b: 's', c: '?'}, links: [link('a', 'b'), broken('a', 'c')]});
    expect(finding(gone, 'orphan')).toMatchObject({
      reason: 'c does not answer and has no live link: a says broken of c.',
      fix: 'Bring c back, or build it anew.',
    });
  });

  it('a peer that nobody linked is a warning, a standby an error', () => {
    expect(codes(sample({roles: {us: '=', eu: '='}, links: []}))).toEqual(['warning orphan', 'warning orphan']);
    expect(codes(sample({roles: {us: 'p', eu: 's', ap: 's'}, links: [link('us', 'eu')]}))).toContain('error orphan');
  });

  it('a former primary that came back grows apart from the new one', () => {
    const back = sample({roles: {us: 'p', eu: 'p', ap: 's'}, links: [broken('eu', 'us'), link('eu', 'ap')]});
    expect(codes(back)).toEqual(['error unreplicated', 'error two-primaries', 'warning few-copies']);
    expect(finding(back, 'few-copies').reason).toContain('2 live copies in 2 regions (eu and ap)');
    expect(finding(back, 'two-primaries').reason).toContain('us and eu both take writes, and neither gets what is written at the other');
  });

  it('two primaries that get one another, also by a third, are meant so; one way is not enough', () => {
    const third = [link('a', 'c'), link('c', 'a'), link('b', 'c'), link('c', 'b')];
    expect(codes(sample({roles: {a: 'p', b: 'p', c: 'p'}, links: third}))).not.toContain('error two-primaries');
    const oneWay = sample({roles: {a: 'p', b: 'p'}, links: [link('a', 'b')]});
    expect(finding(oneWay, 'two-primaries')).toMatchObject({
      severity: 'error',
      reason: expect.stringContaining('a does not get what is written at b'),
    });
    const perhaps = sample({roles: {a: 'p', b: 'p'}, links: [link('a', 'b'), unread('b', 'a')]});
    expect(finding(perhaps, 'two-primaries').severity).toBe('unknown');
  });

  it('nobody who takes writes is an error', () => {
    expect(codes(sample({roles: {us: 's', eu: 's'}, links: [link('us', 'eu')]}))).toContain('error no-primary');
  });

  it('a link that stalls is a warning, one that nothing is known of is unknown', () => {
    const roles = {us: 'p', eu: 's', ap: 's', sa: 's'} as const;
    const links = [link('us', 'eu', {state: 'stalled'}), unread('us', 'ap'), link('us', 'sa')];
    expect(codes(sample({roles, links}))).toEqual(expect.arrayContaining(['unknown link-unknown', 'warning link-stalled']));
  });

  it('a link whose sender is silent is connected, and carries nothing: no copy lives by it', () => {
    const says = 'ap asked us for a sign of life and has heard nothing for 40 s.';
    const silent = link('us', 'ap', {state: 'stalled', code: 'sender-silent', reason: says});
    const store = sample({roles: {us: 'p', eu: 's', ap: 's'}, links: [link('us', 'eu'), silent]});
    const {links, members} = judge(store);
    expect(links.map(({to, state, live}) => [to, state, live])).toEqual([
      ['eu', 'streaming', true],
      ['ap', 'stalled', false],
    ]);
    expect(members.map(({member, liveLinks, copy}) => [member, liveLinks, copy])).toEqual([
      ['us', 1, true],
      ['eu', 1, true],
      ['ap', 0, null],
    ]);
    expect(codes(store)).toEqual(expect.arrayContaining(['error orphan', 'warning few-copies']));
    expect(finding(store, 'orphan').reason).toBe(`ap has no live link: ${says}`);
    const paused = link('us', 'ap', {state: 'stalled', code: 'replay-paused'});
    expect(judge(sample({roles: {us: 'p', ap: 's'}, links: [paused]})).links, 'what is only not replayed has arrived').toMatchObject([
      {live: true},
    ]);
  });

  it('a store whose links cannot be read is unknown', () => {
    const trouble = {code: 'timeout', reason: 'no answer within 10 s'};
    const blind = sample({roles: {us: 'p', eu: 's'}, links: [], more: {linksTrouble: trouble}});
    expect(judge(blind)).toMatchObject({verdict: 'unknown', findings: [{code: 'links-unread', severity: 'unknown'}, {code: 'few-copies'}]});
  });

  it('a mesh that is split says into what, and does not repeat it for every pair', () => {
    const names = ['a', 'b', 'c', 'd'];
    const side = (name: string): boolean => name < 'c';
    const links = everyWay(names).map((each) => (side(each.from) === side(each.to) ? each : broken(each.from, each.to)));
    const split = sample({roles: all(names, 'p'), links});
    expect(finding(split, 'split')).toMatchObject({severity: 'error', reason: expect.stringContaining('a and b | c and d')});
    expect(codes(split).filter((code) => code === 'error link-broken')).toHaveLength(4);
    expect(codes(split)).not.toContain('error two-primaries');
    const unsure = sample({
      roles: all(names, 'p'),
      links: links.map((each) => (each.state === 'broken' ? unread(each.from, each.to) : each)),
    });
    expect(finding(unsure, 'split').severity).toBe('unknown');
  });
});

describe('rings and meshes', () => {
  const ring = ['a', 'b', 'c', 'd'];
  const round = ring.map((name, index) => link(name, ring[(index + 1) % 4] ?? ''));

  it('a ring one way is a warning, an open one an error with its reason', () => {
    expect(codes(sample({roles: all(ring, '='), links: round}))).toEqual(['warning one-way-ring']);
    const open = sample({roles: all(ring, '='), links: [...round.slice(0, 3), broken('d', 'a')]});
    expect(codes(open).slice(0, 1)).toEqual(['error ring-broken']);
    expect(finding(open, 'ring-broken').reason).toContain('open at d → a: changes do not get all the way round. d says broken of a.');
    expect(codes(sample({roles: all(ring, '='), links: [...round, ...round.map(({from, to}) => link(to, from))]}))).toEqual([]);
  });

  it('a mesh with a link one way only is told which one is missing', () => {
    const gap = sample({roles: all(['a', 'b', 'c'], 'p'), links: everyWay(['a', 'b', 'c'], ['b>a'])});
    expect(codes(gap)).toEqual(['warning one-way']);
    expect(finding(gap, 'one-way')).toMatchObject({
      reason: 'a → b has no link the other way: what is written at b does not get to a directly.',
      fix: 'Add b → a, or leave it out on purpose.',
    });
  });
});

describe('single points', () => {
  it('a relay cuts off those behind it, and three links are too many', () => {
    const chain = sample({roles: {a: 'p', b: 's', c: 's', d: 's'}, links: [link('a', 'b'), link('b', 'c'), link('c', 'd')]});
    expect(codes(chain)).toEqual(['warning single-point', 'warning single-point', 'warning deep-cascade']);
    expect(judge(chain).findings.map(({reason}) => reason)[0]).toBe('The loss of b cuts off c and d.');
    expect(finding(chain, 'deep-cascade').reason).toContain('d is 3 links away');
  });

  it('a region counts where none of its members would by itself', () => {
    const places = {b1: {region: 'b'}, b2: {region: 'b'}};
    const links = [link('a', 'b1'), link('a', 'b2'), link('b1', 'c'), link('b2', 'c')];
    const region = sample({roles: {a: 'p', b1: 's', b2: 's', c: 's'}, links, places});
    expect(finding(region, 'single-point')).toMatchObject({severity: 'warning', reason: 'The loss of the region b cuts off c.'});
  });

  it('a link that is broken does not help', () => {
    const links = [...everyWay(['a', 'b', 'c'], ['a>c', 'c>a']), broken('a', 'c'), broken('c', 'a')];
    expect(finding(sample({roles: all(['a', 'b', 'c'], 'p'), links}), 'single-point').reason).toContain('The loss of b');
  });

  it('copies in one region, in one site, or a standby in the site of its primary only', () => {
    const roles = {a: 'p', b: 's', c: 's'} as const;
    const links = [link('a', 'b'), link('a', 'c')];
    const at = (sites: readonly (string | null)[], regions = ['r', 'r', 'r']) =>
      sample({
        roles,
        links,
        places: Object.fromEntries(['a', 'b', 'c'].map((name, i) => [name, {region: regions[i] ?? 'r', site: sites[i] ?? null}])),
      });
    expect(codes(at([null, null, null]))).toContain('warning one-region');
    expect(codes(at(['s', 't', 't']))).toContain('warning one-region');
    expect(codes(at(['s', 's', 's']))).toContain('warning one-site');
    expect(codes(at(['s', 's', 't'], ['r', 'r', 'q']))).toContain('note few-regions');
    const two = sample({
      roles: {a: 'p', b: 's', c: 'p', d: 's'},
      links: [link('a', 'b'), link('c', 'd'), link('a', 'c', {kind: 'logical'}), link('c', 'a', {kind: 'logical'})],
      places: {a: {region: 'r', site: 's'}, b: {region: 'r', site: 's'}, c: {region: 'q'}, d: {region: 'p'}},
    });
    expect(codes(two)).not.toContain('warning same-site');
    const far = {...two, links: [link('a', 'b'), broken('c', 'd'), link('c', 'a', {kind: 'logical'})]};
    expect(finding(far, 'same-site').reason).toBe('Every live standby of a (b) stands in its own site, r/s.');
  });
});

describe('jurisdictions', () => {
  const places = {us: {jurisdiction: 'US'}, eu: {jurisdiction: 'EU'}, ap: {jurisdiction: 'SG'}};
  const store = (allowed: readonly string[] | null, links = [link('us', 'eu'), link('us', 'ap')]) =>
    sample({roles: {us: 'p', eu: 's', ap: 's'}, links, places, more: {classes: [{name: 'user-content', allowed}]}});

  it('a link that crosses is a note where that is allowed, or nothing is said', () => {
    expect(finding(store(['US', 'EU', 'SG']), 'crosses-jurisdiction').reason).toContain('every data class of the store allows it');
    expect(finding(store(null), 'crosses-jurisdiction').reason).toContain('no data class of the store says where it may be');
    expect(judge(store(null)).links.map(({crosses}) => crosses)).toEqual([
      ['US', 'EU'],
      ['US', 'SG'],
    ]);
  });

  it('is an error that names the class where it is forbidden, also when the link is broken', () => {
    for (const links of [undefined, [link('us', 'eu'), broken('us', 'ap')]]) {
      const {severity, reason, fix} = finding(store(['US', 'EU'], links), 'forbidden-jurisdiction');
      expect(severity).toBe('error');
      expect(reason).toBe(
        'orders keeps the data class user-content, which may be in US, EU only; ap is in SG, and us → ap carries it there.',
      );
      expect(fix).toContain('allow SG in dataClasses.user-content.allowed');
    }
  });
});
