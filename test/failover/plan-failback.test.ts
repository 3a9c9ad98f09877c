import {describe, expect, it} from 'vitest';
import {chooseAway, chooseHome, planFailback} from '../../src/lib/failover/plan-failback.ts';
import type {RouteSpec} from '../../src/lib/fleet/fleet.ts';
import type {Override} from '../../src/lib/plan/plan.ts';
import {known} from '../../src/lib/snapshot/cell.ts';
import {type SnapshotOptions, sampleFleet, sampleSnapshot} from './three-regions.ts';

const AWAY = {role: 'primary', writable: true, upstream: null, epoch: 2} as const;
const FOLLOWS = {upstream: 'eu-west', heardUpstreamAgoMs: 5, epoch: 2} as const;
const STALE = {role: 'primary', writable: true, upstream: null, epoch: 1} as const;

type More = Partial<Pick<RouteSpec, 'stages' | 'weights'>> & {readonly overrides?: readonly Override[]};

function plan(members: SnapshotOptions['members'], verdicts: SnapshotOptions['verdicts'] = {}, {overrides = [], ...route}: More = {}) {
  const sample = sampleFleet();
  const fleet = {...sample, routes: sample.routes.map((each) => ({...each, ...route}))};
  const snapshot = sampleSnapshot({members: members ?? {}, verdicts: verdicts ?? {}});
  const to = chooseHome(fleet, undefined);
  return planFailback({id: 'run-2', fleet, snapshot, from: chooseAway(fleet, snapshot, to), to, objectives: [], overrides});
}

const ids = (made: ReturnType<typeof plan>) => made.steps.map(({id}) => id);
const SWITCH = [
  'durability',
  'witness',
  'drain-front-door',
  'fence-eu-west',
  'seal',
  'catch-up',
  'promote',
  'follow-ap',
  'reroute-front-door',
  'verify-write',
  'verify-rejected-eu-west',
  'rejoin-eu-west',
  'unfence-eu-west',
  'equal',
];

describe('planFailback', () => {
  it('fences a stale primary for good and rebuilds it before it switches over', () => {
    const made = plan({'us-east': STALE, 'eu-west': AWAY, ap: FOLLOWS});
    expect(ids(made)).toEqual([
      'claim',
      'fence-us-east-first',
      'save-us-east',
      'rejoin-us-east-first',
      'unfence-us-east-first',
      'caught-up-us-east',
      ...SWITCH,
    ]);
    expect(made.steps.find(({id}) => id === 'fence-us-east-first')?.undo).toBeNull();
    expect(made.steps.find(({id}) => id === 'rejoin-us-east-first')?.do.args).toEqual({upstream: 'eu-west', how: 'rewind'});
  });

  it('keeps what would be overwritten, unless a person gives it up by name', () => {
    const members = {'us-east': null, 'eu-west': AWAY, ap: {upstream: null, epoch: 1}} as const;
    const saves = (made: ReturnType<typeof plan>) => ids(made).filter((id) => id.startsWith('save-'));
    const made = plan(members);
    expect(saves(made)).toEqual(['save-ap', 'save-us-east']);
    expect(made.gates.find(({id}) => id === 'keep:orders')?.asks.map(({target}) => target.member)).toEqual(['ap', 'us-east']);
    const given = plan(members, {}, {overrides: [{gate: 'keep', reason: 'its disk is gone', by: 'ann'}]});
    expect(saves(given)).toEqual([]);
    expect(given.overrides).toEqual([{gate: 'keep:orders', reason: 'its disk is gone', by: 'ann'}]);
    expect(plan({'us-east': FOLLOWS, 'eu-west': AWAY, ap: FOLLOWS}).gates.map(({id}) => id)).not.toContain('keep:orders');
  });

  it('brings traffic home in the stages of the fleet file, each a safe point that waits for home to stay well', () => {
    const following = {'us-east': FOLLOWS, 'eu-west': AWAY, ap: FOLLOWS};
    const made = plan(following, {}, {stages: {shares: [10, 50], holdMs: 60_000}});
    const sent = made.steps.filter(({do: {action}}) => action === 'route.weights').slice(1);
    expect(sent.map(({id, phase, do: call}) => [id, phase, Object(call.args).weights])).toEqual([
      ['reroute-front-door-10', 'reroute', {'us-east': 10, 'eu-west': 90, ap: 0}],
      ['reroute-front-door-50', 'converge', {'us-east': 50, 'eu-west': 50, ap: 0}],
      ['reroute-front-door', 'converge', {'us-east': 100, 'eu-west': 0, ap: 0}],
    ]);
    expect(sent.map(({hold}) => hold?.forMs ?? null)).toEqual([60_000, 60_000, null]);
    expect(sent[0]?.hold?.watch).toMatchObject([{check: 'region.verdict', target: {region: 'us-east'}, want: ['healthy', 'degraded']}]);
    const order = ids(made);
    expect(order.indexOf('verify-write')).toBe(order.indexOf('reroute-front-door-10') + 1);
  });

  it('ends at the normal weights of the fleet file, where the others that have a share can serve', () => {
    const following = {'us-east': FOLLOWS, 'eu-west': AWAY, ap: FOLLOWS};
    const weights = {'us-east': 70, 'eu-west': 30, ap: 0};
    const last = (verdicts: SnapshotOptions['verdicts']) =>
      Object(plan(following, verdicts, {weights}).steps.findLast(({do: {action}}) => action === 'route.weights')?.do.args).weights;
    expect(last({})).toEqual(weights);
    expect(last({'eu-west': 'unhealthy'})).toEqual({'us-east': 100, 'eu-west': 0, ap: 0});
  });

  it('only switches over when everybody follows already', () => {
    expect(ids(plan({'us-east': FOLLOWS, 'eu-west': AWAY, ap: FOLLOWS}))).toEqual(['claim', 'caught-up-us-east', ...SWITCH]);
  });

  it('brings a stray standby back too', () => {
    expect(ids(plan({'us-east': FOLLOWS, 'eu-west': AWAY, ap: {upstream: null, epoch: 1}}))).toContain('rejoin-ap-first');
  });

  it('accepts no proof by quorum for a planned stop', () => {
    const fence = plan({'us-east': FOLLOWS, 'eu-west': AWAY, ap: FOLLOWS}).steps.find(({id}) => id === 'fence-eu-west');
    expect(fence?.do.args).toMatchObject({accept: ['stopped', 'closed']});
    expect(fence?.undo?.action).toBe('store.unfence');
  });

  it('refuses two primaries on one timeline: nobody may decide which is right', () => {
    expect(() => plan({'us-east': {...STALE, epoch: 2}, 'eu-west': AWAY, ap: FOLLOWS})).toThrow(
      'us-east and eu-west both answer as primary of orders on timeline 2',
    );
  });

  it('brings back who hears a primary that is home, and whose log went another way', () => {
    const following = {upstream: 'us-east', heardUpstreamAgoMs: 5, epoch: 2} as const;
    const made = plan({'us-east': AWAY, 'eu-west': following, ap: {...following, epoch: 1, diverged: true}});
    expect(ids(made)).toEqual(['claim', 'save-ap', 'rejoin-ap-first', 'equal']);
    // Still behind the fork, since it is slow or applies late: what it holds is sound, and it comes over by itself.
    expect(() => plan({'us-east': AWAY, 'eu-west': following, ap: {...following, epoch: 1}})).toThrow(
      'every primary is in us-east already',
    );
    expect(() => plan({'us-east': AWAY, 'eu-west': following, ap: following})).toThrow('every primary is in us-east already');
  });

  it('compares without one that is only late where it brings another one back', () => {
    const following = {upstream: 'us-east', heardUpstreamAgoMs: 5, epoch: 2} as const;
    const made = plan({'us-east': AWAY, 'eu-west': {upstream: null, epoch: 1}, ap: {...following, epoch: 1}});
    expect(ids(made)).toEqual(['claim', 'save-eu-west', 'rejoin-eu-west-first', 'equal']);
    expect(made.steps.find(({id}) => id === 'equal')?.do.args).toMatchObject({mayMiss: ['ap']});
  });

  it('brings back first who went another way, and relies on it then; one that is only late is shown where to go on', () => {
    const apart = plan({'us-east': FOLLOWS, 'eu-west': AWAY, ap: {...FOLLOWS, epoch: 1, diverged: true}});
    expect(ids(apart)).toEqual(['claim', 'save-ap', 'rejoin-ap-first', 'caught-up-us-east', ...SWITCH]);
    expect(apart.steps.find(({id}) => id === 'follow-ap')).toMatchObject({onFailure: 'stop'});
    const late = plan({'us-east': FOLLOWS, 'eu-west': AWAY, ap: {...FOLLOWS, epoch: 1}});
    expect(ids(late)).not.toContain('rejoin-ap-first');
    expect(ids(late).slice(ids(late).indexOf('promote'))).toEqual([
      ...['promote', 'point-ap', 'rejoin-eu-west', 'reroute-front-door', 'verify-write', 'verify-rejected-eu-west'],
      ...['unfence-eu-west', 'follow-ap', 'equal'],
    ]);
    expect(late.steps.find(({id}) => id === 'follow-ap')).toMatchObject({onFailure: 'continue', phase: 'converge'});
    expect(late.steps.find(({id}) => id === 'point-ap')).toMatchObject({onFailure: 'continue'});
  });

  it('brings back who does not follow a primary that is home already, and moves nothing', () => {
    const following = {upstream: 'us-east', heardUpstreamAgoMs: 5, epoch: 2} as const;
    const made = plan({'us-east': AWAY, 'eu-west': STALE, ap: following});
    expect([made.from, made.to]).toEqual(['us-east', 'us-east']);
    expect(ids(made)).toEqual(['claim', 'fence-eu-west-first', 'save-eu-west', 'rejoin-eu-west-first', 'unfence-eu-west-first', 'equal']);
    expect(made.steps.every(({onFailure}) => onFailure !== 'continue')).toBe(true);
    expect(made.gates.map(({id}) => id)).toEqual([
      'run-alone',
      'unclaimed:orders',
      'observer',
      'routers',
      'one-primary:orders',
      'clocks:orders',
      'keep:orders',
    ]);
  });

  it('gives traffic back that a run has left held, once who does not follow is back, and also when everybody follows', () => {
    const fleet = sampleFleet();
    const held = (standby: object, weights = {'us-east': 0, 'eu-west': 0, ap: 0}) => {
      const seen = sampleSnapshot({members: {'us-east': AWAY, 'eu-west': standby, ap: standby}});
      const snapshot = {...seen, routers: {'front-door': known(weights, 0, 'here')}};
      const to = 'us-east';
      return planFailback({id: 'run-2', fleet, snapshot, from: chooseAway(fleet, snapshot, to), to, objectives: [], overrides: []});
    };
    const following = {upstream: 'us-east', heardUpstreamAgoMs: 5, epoch: 2} as const;
    const made = held({upstream: null, epoch: 2});
    const order = ids(made);
    expect([made.from, made.to]).toEqual(['us-east', 'us-east']);
    expect(order.slice(-3)).toEqual(['reroute-front-door', 'verify-write', 'equal']);
    expect(order.indexOf('rejoin-ap-first')).toBeLessThan(order.indexOf('reroute-front-door'));
    expect(made.steps.find(({id}) => id === 'reroute-front-door')?.do.args).toMatchObject({weights: {'us-east': 100, 'eu-west': 0, ap: 0}});
    const alone = held(following);
    expect(ids(alone)).toEqual(['claim', 'unfence-us-east', 'reroute-front-door', 'verify-write', 'equal']);
    const open = made.steps.find(({id}) => id === 'unfence-us-east');
    expect(open?.do.args).toEqual({when: 'undo'});
    expect(open?.requires.filter(({check}) => check === 'store.following').map(({target, want}) => [target.member, want])).toEqual([
      ['eu-west', 'us-east'],
      ['ap', 'us-east'],
    ]);
    expect(alone.expects.map(({check, want}) => [check, want])).toEqual([['store.primary', 'us-east']]);
    expect(alone.gates.map(({id}) => id)).toContain('unclaimed:orders');
    // Traffic that goes anywhere is where somebody wants it.
    expect(() => held(following, {'us-east': 0, 'eu-west': 1, ap: 0})).toThrow('every primary is in us-east already');
  });

  it('does not take a primary for the true one while so many are silent that another could acknowledge behind it', () => {
    const survivors = (made: ReturnType<typeof plan>) => made.gates.find(({id}) => id === 'survivors:orders');
    const alone = plan({'us-east': STALE, 'eu-west': null, ap: null});
    expect(survivors(alone)).toMatchObject({verdict: 'unknown', overridable: true, measured: ['eu-west', 'ap']});
    // One of them, with nobody else to acknowledge, could not.
    const following = {upstream: 'us-east', heardUpstreamAgoMs: 5, epoch: 1} as const;
    expect(survivors(plan({'us-east': STALE, 'eu-west': null, ap: following}))).toBeUndefined();
  });

  it('never takes one for it that a run of ours has passed by, whoever is silent', () => {
    const fleet = sampleFleet();
    const made = sampleSnapshot({members: {'us-east': STALE, 'eu-west': null, ap: null}});
    const orders = made.stores.orders;
    if (orders === undefined) throw new Error('no store');
    const homeAfter =
      (epoch: number, lineage = orders.members['us-east']?.known ? orders.members['us-east'].value.durable.lineage : '') =>
      () =>
        chooseAway(fleet, {...made, stores: {orders: {...orders, promoted: {lineage, epoch}}}}, 'us-east');
    expect(homeAfter(2)).toThrow(/us-east answers as primary of orders, but .*later timeline/);
    expect(homeAfter(1)()).toBe('us-east');
    expect(homeAfter(2, 'another')()).toBe('us-east');
  });

  it('a silent member that nobody goes home to keeps nobody waiting, and is brought back at the end if it can be', () => {
    const made = plan({'us-east': FOLLOWS, 'eu-west': AWAY, ap: null});
    const own = made.steps.filter(({do: {target}}) => target.member === 'ap');
    expect(own.map(({id, onFailure, after}) => [id, onFailure, after])).toEqual([
      ['fence-ap-first', 'continue', ['unfence-eu-west']],
      ['save-ap', 'continue', ['fence-ap-first', 'unfence-eu-west']],
      ['rejoin-ap-first', 'continue', ['save-ap', 'unfence-eu-west']],
      ['unfence-ap-first', 'continue', ['rejoin-ap-first', 'unfence-eu-west']],
    ]);
    expect(made.steps.find(({id}) => id === 'rejoin-ap-first')?.do.args).toEqual({upstream: 'us-east', how: 'rewind'});
    expect(made.steps.find(({id}) => id === 'equal')?.do.args).toMatchObject({mayMiss: ['ap']});
    expect(made.steps.find(({id}) => id === 'seal')?.do.args).toEqual({members: ['us-east']});
    expect(made.gates.map(({id}) => id)).not.toContain('keep:orders');
    // It may be a primary that nobody here knows of: somebody has to say that it is none.
    expect(made.gates.find(({id}) => id === 'survivors:orders')).toMatchObject({verdict: 'unknown', overridable: true, measured: ['ap']});
  });

  it('says why nothing is done when everything is at home', () => {
    const following = {upstream: 'us-east', heardUpstreamAgoMs: 5, epoch: 2} as const;
    expect(() => plan({'us-east': AWAY, 'eu-west': following, ap: following})).toThrow(
      'nothing was done: every primary is in us-east already',
    );
    expect(() => plan({'us-east': null})).toThrow(
      /us-east by what the others say, could not be asked: no answer; if it is lost, fail over first/,
    );
  });
});
