import {describe, expect, it} from 'vitest';
import {missingGuards} from '../../src/lib/failover/check-guards.ts';
import {chooseSource} from '../../src/lib/failover/plan-failover.ts';
import {chooseSwitchTarget, planSwitchover} from '../../src/lib/failover/plan-switchover.ts';
import {readPlan} from '../../src/lib/plan/read-plan.ts';
import {type FleetOptions, type MemberSample, sampleFleet, sampleSnapshot} from './three-regions.ts';

const PRIMARY: MemberSample = {role: 'primary', writable: true, upstream: null};
const FOLLOWS: MemberSample = {upstream: 'us-east', heardUpstreamAgoMs: 5};
const WELL = {'us-east': PRIMARY, 'eu-west': FOLLOWS, ap: FOLLOWS};

function plan(members: Readonly<Record<string, MemberSample | null>> = WELL, options: FleetOptions & {to?: string; manager?: string} = {}) {
  const fleet = {...sampleFleet(options), approval: {before: ['fence' as const], approvers: 2, expiresMs: 60_000}};
  const seen = sampleSnapshot({members, verdicts: {}});
  const {orders} = seen.stores;
  const managed = orders === undefined || options.manager === undefined ? {} : {orders: {...orders, manager: options.manager}};
  const snapshot = {...seen, stores: {...seen.stores, ...managed}};
  const from = chooseSource(fleet, snapshot, undefined);
  return planSwitchover({
    id: 'switchover-1',
    fleet,
    snapshot,
    from,
    to: chooseSwitchTarget(fleet, from, options.to),
    objectives: [],
    overrides: [],
  });
}
const ids = (made: ReturnType<typeof plan>) => made.steps.map(({id}) => id);

describe('planSwitchover', () => {
  it('moves a primary that is well, and brings it back as a standby afterwards', () => {
    const made = plan();
    expect(made).toMatchObject({kind: 'switchover', from: 'us-east', to: 'eu-west', staysDown: []});
    expect(ids(made)).toEqual([
      ...['claim', 'durability', 'witness', 'drain-front-door', 'fence-us-east', 'seal', 'catch-up', 'promote', 'follow-ap'],
      ...['reroute-front-door', 'verify-write', 'verify-rejected-us-east', 'rejoin-us-east', 'unfence-us-east', 'equal'],
    ]);
    expect(made.steps.find(({id}) => id === 'fence-us-east')?.do.args).toMatchObject({accept: ['stopped', 'closed']});
    expect(missingGuards(made)).toEqual([]);
  });

  it('holds nothing up before what can be prepared is prepared', () => {
    const order = ids(plan());
    expect(order.indexOf('durability')).toBeLessThan(order.indexOf('drain-front-door'));
  });

  it('asks for the approval of the fleet file before the first thing that clients notice', () => {
    expect(plan().steps.filter(({approval}) => approval !== null)).toMatchObject([{id: 'drain-front-door', approval: {approvers: 2}}]);
  });

  it('stands on the primary and its timeline', () => {
    expect(plan().standsOn).toMatchObject([{check: 'store.unmoved', want: {primary: 'us-east', epoch: 1}}]);
  });

  it('refuses a target that does not follow, for good, and another stray by a gate that may be passed', () => {
    const gate = (made: ReturnType<typeof plan>) => made.gates.find(({id}) => id === 'following:orders');
    expect(gate(plan({...WELL, 'eu-west': {upstream: null}}))).toMatchObject({verdict: 'refuse', overridable: false});
    expect(gate(plan({...WELL, ap: null}))).toMatchObject({verdict: 'refuse', overridable: true, says: 'ap does not follow us-east'});
  });

  it('refuses who hears the primary and went another way, or has not come over to its timeline yet, and relies on neither', () => {
    const gate = (made: ReturnType<typeof plan>) => made.gates.find(({id}) => id === 'following:orders');
    const newer = {'us-east': {...PRIMARY, epoch: 2}, 'eu-west': {...FOLLOWS, epoch: 2}, ap: {...FOLLOWS, epoch: 2}};
    expect(gate(plan(newer))).toMatchObject({verdict: 'pass'});
    expect(gate(plan({...newer, 'eu-west': {...FOLLOWS, diverged: true}, ap: {upstream: null}}))).toMatchObject({
      ...{verdict: 'refuse', overridable: false},
      says: 'eu-west hears us-east, but its log went another way; ap does not follow us-east',
    });
    expect(gate(plan({...newer, 'eu-west': FOLLOWS}))).toMatchObject({
      ...{verdict: 'refuse', overridable: false, measured: ['eu-west']},
      says: 'eu-west has not come over to timeline 2 of us-east yet',
    });
    const apart = plan({...newer, ap: {...FOLLOWS, diverged: true}});
    expect(gate(apart)).toMatchObject({verdict: 'refuse', overridable: true, says: 'ap hears us-east, but its log went another way'});
    const late = plan({...newer, ap: FOLLOWS});
    expect(gate(late)).toMatchObject({verdict: 'refuse', overridable: true, says: 'ap has not come over to timeline 2 of us-east yet'});
    // Waiting for it would hold all traffic up; nothing is done to the data of one that is only late.
    const afterwards = (made: ReturnType<typeof plan>) =>
      made.steps.slice(ids(made).indexOf('verify-rejected-us-east') + 1).map(({id, onFailure}) => [id, onFailure]);
    expect(afterwards(apart)).toEqual([
      ['unfence-us-east', 'stop'],
      ['save-ap', 'continue'],
      ['rejoin-ap-first', 'continue'],
      ['equal', 'stop'],
    ]);
    expect(afterwards(late)).toEqual([
      ['unfence-us-east', 'stop'],
      ['follow-ap', 'continue'],
      ['equal', 'stop'],
    ]);
    for (const made of [apart, late]) {
      expect(ids(made).indexOf('rejoin-us-east')).toBeLessThan(ids(made).indexOf('reroute-front-door'));
      expect(ids(made).filter((id) => id === 'follow-ap')).toHaveLength(made === late ? 1 : 0);
      expect(ids(made)[ids(made).indexOf('promote') + 1]).toBe('point-ap');
      expect(made.steps.find(({id}) => id === 'point-ap')).toMatchObject({onFailure: 'continue', do: {args: {upstream: 'eu-west'}}});
      expect(made.steps.find(({id}) => id === 'equal')?.do.args).toMatchObject({mayMiss: ['ap']});
    }
  });

  it('brings the former primary back before traffic where nobody else can hold a write, and lets a stray hold nothing up', () => {
    const lonely = plan({...WELL, ap: null});
    expect(lonely.steps.find(({id}) => id === 'fence-us-east')?.do.args).toMatchObject({clean: true});
    expect(ids(lonely).indexOf('write-out-us-east')).toBeLessThan(ids(lonely).indexOf('drain-front-door'));
    expect(ids(plan())).not.toContain('write-out-us-east');
    expect(ids(lonely).slice(ids(lonely).indexOf('promote'))).toEqual([
      ...['promote', 'rejoin-us-east', 'reroute-front-door', 'verify-write', 'verify-rejected-us-east', 'unfence-us-east'],
      ...['fence-ap-first', 'save-ap', 'rejoin-ap-first', 'unfence-ap-first', 'equal'],
    ]);
    // There is nobody to catch up from; what came last is replayed all the same.
    expect(ids(lonely)).not.toContain('catch-up');
    expect(lonely.steps.find(({id}) => id === 'seal')?.ensures).toMatchObject([
      {check: 'store.sealed'},
      {check: 'store.most-advanced', want: {among: ['eu-west'], replayed: true}},
    ]);
    const deaf = plan({...WELL, ap: {upstream: null}});
    expect(ids(deaf)).toEqual(expect.arrayContaining(['follow-ap', 'rejoin-us-east']));
    expect(ids(deaf).indexOf('rejoin-us-east')).toBeLessThan(ids(deaf).indexOf('reroute-front-door'));
    expect(deaf.steps.find(({id}) => id === 'follow-ap')).toMatchObject({onFailure: 'continue'});
    expect(missingGuards(deaf)).toEqual([]);
    // What it holds alone is kept before it is brought back, and it can still be missing.
    expect(ids(deaf).slice(-5)).toEqual(['verify-rejected-us-east', 'unfence-us-east', 'save-ap', 'rejoin-ap-first', 'equal']);
    expect(deaf.steps.at(-1)?.do.args).toMatchObject({mayMiss: ['ap']});
  });

  it('refuses where even with the former primary too few can hold a write', () => {
    const gate = (made: ReturnType<typeof plan>) => made.gates.find(({id}) => id === 'acknowledgers:orders');
    expect(gate(plan())).toMatchObject({verdict: 'pass', asks: [], measured: ['ap', 'us-east']});
    // Whether the one that is needed can come back is asked of its host.
    expect(gate(plan({...WELL, ap: null}))).toMatchObject({asks: [{check: 'store.can-return', target: {member: 'us-east'}}]});
    expect(gate(plan({...WELL, ap: null}, {hosts: false}))).toMatchObject({verdict: 'refuse', measured: []});
    expect(gate(plan({...WELL, ap: null}, {quorum: 2}))).toMatchObject({verdict: 'refuse', overridable: true, measured: ['us-east']});
  });

  it('leaves a store where it is whose data may not go along', () => {
    expect(() => plan(WELL, {allowed: ['US']})).toThrow(/nothing was done: orders stay/);
  });

  it('asks the manager of a store and does nothing around it', () => {
    const made = plan(WELL, {manager: 'patroni'});
    expect(made.steps.map(({do: {action}}) => action).filter((name) => /fence|seal|promote|rejoin/.test(name))).toEqual([]);
    expect(made.steps.find(({id}) => id === 'promote')).toMatchObject({pivot: true, do: {action: 'store.handover', args: {planned: true}}});
    expect(made.gates.map(({id}) => id)).toContain('manager:orders');
  });

  it("sends traffic to a manager's new primary before anybody has to follow it", () => {
    const ids = plan(WELL, {manager: 'patroni'}).steps.map(({id}) => id);
    const waits = ids.filter((id) => id.startsWith('follow-'));
    expect(waits).toHaveLength(2);
    const reroutes = ids.flatMap((id, index) => (id.startsWith('reroute') ? [index] : []));
    expect(reroutes.length).toBeGreaterThan(0);
    expect(Math.min(...waits.map((id) => ids.indexOf(id)))).toBeGreaterThan(Math.max(...reroutes));
    expect(ids.indexOf('promote')).toBeLessThan(Math.min(...reroutes));
  });
});

describe('a saved plan', () => {
  const text = () => JSON.stringify(plan());

  it('is read back as it was, also out of the document that --json prints', () => {
    expect(readPlan(text(), 'p.json')).toEqual(plan());
    expect(readPlan(JSON.stringify({runId: null, plan: plan()}), 'p.json')).toEqual(plan());
  });

  it('says file, line or field of what is wrong', () => {
    expect(() => readPlan('{\n"a": 1,\n}', 'p.json')).toThrow(/^p\.json:3: this is no JSON/);
    expect(() => readPlan('{}', 'p.json')).toThrow(/^p\.json: this is no plan that can be run: version/);
    const edited = JSON.parse(text());
    edited.steps[3].deadlineMs = 'soon';
    expect(() => readPlan(JSON.stringify({plan: edited}), 'p.json')).toThrow(/plan\.steps\.3\.deadlineMs/);
  });

  it('that lost a guard is told from one that has them all', () => {
    const edited = plan();
    const steps = edited.steps.map((step) => (step.id === 'promote' ? {...step, pivot: false, requires: step.requires.slice(1)} : step));
    expect(missingGuards({...edited, steps})).toEqual([
      'step "promote" (store.promote) no longer asks for store.claimed',
      'step "promote" (store.promote) is no longer marked as the point of no return',
    ]);
  });
});
