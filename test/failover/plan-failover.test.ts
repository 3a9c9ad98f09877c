import {describe, expect, it} from 'vitest';
import {expectedLoss} from '../../src/lib/failover/expected-loss.ts';
import {lossWithinRpo} from '../../src/lib/failover/gates.ts';
import {chooseDestination, chooseSource, type FailoverInput, planFailover} from '../../src/lib/failover/plan-failover.ts';
import type {StoreSpec} from '../../src/lib/fleet/fleet.ts';
import type {Override} from '../../src/lib/plan/plan.ts';
import type {LagHistory, TimedLoss} from '../../src/lib/replication/loss.ts';
import {type FleetOptions, type SnapshotOptions, sampleFleet, sampleSnapshot} from './three-regions.ts';

function plan(options: FleetOptions & SnapshotOptions & {to?: string; overrides?: readonly Override[]; witness?: boolean} = {}) {
  const fleet = sampleFleet(options);
  const snapshot = sampleSnapshot(options);
  const from = chooseSource(fleet, snapshot, undefined);
  const to = chooseDestination(fleet, snapshot, from, options.to);
  const loss = fleet.stores.map((spec) => expectedLoss(fleet, spec, snapshot, to));
  const input: FailoverInput = {
    id: 'run-1',
    fleet,
    snapshot,
    from,
    to,
    loss,
    objectives: [],
    overrides: options.overrides ?? [],
    witness: options.witness ?? false,
    guard: null,
    approve: true,
  };
  return planFailover(input);
}

const verdicts = (made: ReturnType<typeof plan>) => Object.fromEntries(made.gates.map(({id, verdict}) => [id, verdict]));

describe('planFailover', () => {
  it('leaves the region of the silent primary for the first of its failover order, in this order of steps', () => {
    const made = plan();
    expect([made.from, made.to]).toEqual(['us-east', 'eu-west']);
    expect(made.steps.map(({id, phase}) => `${phase} ${id}`)).toEqual([
      'preflight claim',
      'fence drain-front-door',
      'fence seal',
      'fence fence-us-east',
      'promote catch-up',
      'promote durability',
      'promote promote',
      'follow follow-ap',
      'reroute reroute-front-door',
      'verify verify-write',
      'verify verify-counts',
      'verify verify-rejected-us-east',
    ]);
    expect(made.always.map(({id}) => id)).toEqual(['release']);
  });

  it('asks for claim, seal, proof and position right before the only pivot', () => {
    const [promote, ...others] = plan().steps.filter(({pivot}) => pivot);
    expect(others).toEqual([]);
    expect(promote?.requires.map(({check}) => check)).toEqual(['store.claimed', 'store.sealed', 'store.fenced', 'store.most-advanced']);
    expect(promote?.ensures).toEqual([expect.objectContaining({check: 'store.primary', via: 'independent', want: 'eu-west'})]);
  });

  it('is refused while a breaker on the way to the target was open, and not judged by what is long ago', () => {
    const at = sampleSnapshot().takenAt;
    const breaker = (from: string, state: 'closed' | 'open', msAgo: number, says: string) => {
      return {from, state, seenAt: new Date(Date.parse(at) - msAgo).toISOString(), says};
    };
    const gate = (breakers: NonNullable<SnapshotOptions['breakers']>) => plan({breakers}).gates.find(({id}) => id === 'breaker:orders');
    expect(gate({}), 'nobody has looked').toBeUndefined();
    expect(gate({ap: [breaker('us-east', 'open', 1000, 'open')]}), 'of another member').toBeUndefined();
    expect(gate({'eu-west': [breaker('ap', 'open', 1000, 'open')]}), 'of a link that is none now').toBeUndefined();
    expect(gate({'eu-west': [breaker('us-east', 'closed', 1000, 'closed: 0.1 s behind')]})).toMatchObject({
      verdict: 'pass',
      overridable: true,
    });
    expect(gate({'eu-west': [breaker('us-east', 'open', 12_000, 'open, at 60 s: 73 s behind')]})).toMatchObject({
      verdict: 'refuse',
      says: 'the breaker of us-east → eu-west was open, at 60 s: 73 s behind (12 s ago)',
    });
    for (const msAgo of [3_600_000, -60_000])
      expect(gate({'eu-west': [breaker('us-east', 'open', msAgo, 'open')]}), 'long ago, or a clock that was set back').toBeUndefined();
  });

  it('judges an earlier sample of the lag by what was missing then and what came since', () => {
    const fleet = sampleFleet({quorum: 0, rpoMs: 60_000});
    const [spec] = fleet.stores;
    if (spec === undefined) throw new Error('no store');
    const history = {bytes: 100, bytesPerSecond: 10, seconds: 1, transactions: 2, transactionsPerSecond: 3, ageMs: 2000};
    const loss = (seconds: number | null) => expectedLoss(fleet, spec, sampleSnapshot(), 'eu-west', {history: {...history, seconds}});
    expect(loss(1)).toMatchObject({bytes: 120, transactions: 8, seconds: 3, certainty: 'estimate'});
    expect([loss(1).withinRpo, loss(86_400).withinRpo, loss(null).withinRpo]).toEqual([true, false, null]);
    const {says} = lossWithinRpo(loss(1));
    expect(says).toContain('orders loses about 8 transactions (estimate): the last sample of the lag is 2 s old');
    expect(says, 'an estimate is no bound').not.toMatch(/at most|nothing/);
    const old = expectedLoss(fleet, spec, sampleSnapshot(), 'eu-west', {history: {...history, ageMs: 60_001}});
    expect(old).toMatchObject({bytes: null, transactions: null, seconds: 61.001, certainty: 'estimate', withinRpo: false});
    const alone = expectedLoss(fleet, spec, sampleSnapshot(), 'eu-west', {
      history: {...history, bytesPerSecond: null, transactionsPerSecond: null},
    });
    expect(alone, 'one sample does not tell what was written since').toMatchObject({
      ...{bytes: null, transactions: null, seconds: 3, certainty: 'estimate', withinRpo: true},
      basis: expect.stringContaining(
        'the last sample of the lag is 2 s old (100 bytes were missing then). What was written since is not known: no two looks',
      ),
    });
  });

  it('knows no loss of a target on another timeline than the primary, however far its own log goes', () => {
    const fleet = sampleFleet({quorum: 0, rpoMs: 60_000});
    const [spec] = fleet.stores;
    if (spec === undefined) throw new Error('no store');
    const loss = (epoch: number) => {
      const members = {'us-east': {role: 'primary', writable: true, epoch: 2, offset: '1500'}, 'eu-west': {epoch, offset: '2000'}} as const;
      return expectedLoss(fleet, spec, sampleSnapshot({members}), 'eu-west');
    };
    expect(loss(2)).toMatchObject({bytes: 0, withinRpo: true});
    expect(loss(1)).toMatchObject({
      bytes: null,
      certainty: 'unknown',
      withinRpo: null,
      basis: expect.stringContaining('its target, which is on timeline 1 and not on 2, lacks an unknown number of bytes'),
    });
  });

  describe('of an asynchronous store whose primary still answers', () => {
    const primary = (offset: string, more = {}) => ({'us-east': {role: 'primary' as const, writable: true, offset, ...more}});
    const lossOf = (rpoMs: number, offset: string, more: {history?: LagHistory; reading?: TimedLoss | null; primary?: object} = {}) => {
      const fleet = sampleFleet({quorum: 0, rpoMs});
      const snapshot = sampleSnapshot({members: primary(offset, more.primary)});
      return expectedLoss(fleet, fleet.stores[0] as StoreSpec, snapshot, 'eu-west', more);
    };
    const reading = (seconds: number | null, more: Partial<TimedLoss> = {}): TimedLoss => ({
      ...{store: 'orders', bytes: 5000, transactions: 12, seconds, certainty: 'estimate', basis: 'both were read.'},
      ...more,
    });
    const MINUTE = 60_000;

    it('goes by how much time its target lacks, not by there being an objective above 0', () => {
      const hour = lossOf(MINUTE, '6000', {reading: reading(3600)});
      expect(hour).toMatchObject({withinRpo: false, seconds: 3600, bytes: 5000, certainty: 'estimate'});
      expect(hour.basis).toBe(
        'us-east is asynchronous: its target lacks 5000 bytes and at most 3600.0 s of writes now, and what is written until it stops',
      );
      expect(lossOf(MINUTE, '6000', {reading: reading(0.2)})).toMatchObject({withinRpo: true, seconds: 0.2});
      expect(lossOf(0, '6000', {reading: reading(0.2)}).withinRpo, 'an estimate never passes an RPO of 0').toBe(false);
      expect(lossOf(0, '1000').withinRpo).toBe(false);
    });

    it('is not known while nobody can tell how much time that is', () => {
      const unknown = lossOf(MINUTE, '6000');
      expect(unknown).toMatchObject({withinRpo: null, seconds: null, bytes: 5000});
      expect(unknown.basis).toContain('how much time that is, is not known');
      expect(lossOf(MINUTE, '6000', {reading: reading(null)}).withinRpo).toBeNull();
      expect(lossOf(MINUTE, '6000', {reading: reading(null, {certainty: 'unknown', bytes: null})})).toMatchObject({
        withinRpo: null,
        bytes: 5000,
      });
      const apart = lossOf(MINUTE, '6000', {primary: {epoch: 3}});
      expect(apart.bytes, 'two histories have no distance').toBeNull();
      expect(apart).toMatchObject({withinRpo: null, seconds: null});
    });

    it('is nothing where its target has everything, and never more than an earlier sample says', () => {
      expect(lossOf(MINUTE, '1000')).toMatchObject({withinRpo: true, bytes: 0, transactions: null, seconds: 0});
      expect(lossOf(MINUTE, '6000', {reading: reading(1)}).transactions, 'it writes on').toBeNull();
      const history = {bytes: 100, bytesPerSecond: 10, seconds: 2, transactions: 2, transactionsPerSecond: 3, ageMs: 8000};
      expect(lossOf(MINUTE, '6000', {history})).toMatchObject({withinRpo: true, seconds: 10});
      expect(lossOf(MINUTE, '6000', {history, reading: reading(3600)}), 'the tighter of two bounds').toMatchObject({seconds: 10});
      expect(lossOf(5000, '6000', {history}).withinRpo, 'what is no bound within it proves nothing').toBeNull();
    });
  });

  it('lets every step before the pivot be undone or touch nothing', () => {
    const steps = plan().steps;
    const pivot = steps.findIndex(({pivot}) => pivot);
    const without = steps
      .slice(0, pivot)
      .filter(({undo}) => undo === null)
      .map(({id}) => id);
    // A standby's position and its quorum setting have no effect as long as it is a standby.
    expect(without).toEqual(['catch-up', 'durability']);
  });

  it('sets the quorum on the target before it is promoted', () => {
    const durability = plan().steps.find(({id}) => id === 'durability');
    expect(durability?.do.args).toEqual({need: 1, of: ['us-east', 'ap']});
  });

  it('names the next region when the first cannot take over', () => {
    expect(plan({members: {'us-east': null, 'eu-west': null}, verdicts: {'us-east': 'unhealthy', 'eu-west': 'unhealthy'}}).to).toBe('ap');
    expect(plan({cold: 'eu-west'}).to).toBe('ap');
  });

  it('refuses to go anywhere when nobody can take over', () => {
    expect(() => plan({members: {'us-east': null, 'eu-west': null, ap: null}})).toThrow(/who is the primary of orders is not known/);
    expect(() => plan({to: 'us-east'})).toThrow(/being left/);
  });

  it('puts a witness in front and takes it away in any case', () => {
    const made = plan({witness: true});
    expect(made.steps[0]?.id).toBe('witness');
    expect(made.steps[1]?.after).toEqual([]);
    expect(made.always.map(({id}) => id)).toEqual(['release', 'witness-stop']);
  });
});

describe('gates of a failover', () => {
  it('pass for a dead region under a quorum, but for those that must ask the world', () => {
    expect(verdicts(plan())).toEqual({
      'run-alone': 'unknown',
      'unclaimed:orders': 'unknown',
      observer: 'unknown',
      'survivors:orders': 'pass',
      'settings:orders': 'unknown',
      'clocks:orders': 'unknown',
      'region-down': 'pass',
      'target-healthy': 'pass',
      routers: 'pass',
      'standbys:orders': 'pass',
      'acknowledgers:orders': 'pass',
      'residency:orders': 'pass',
      'primary-silent:orders': 'unknown',
      'fence:orders': 'unknown',
      'loss:orders': 'pass',
    });
  });

  it('do not take unknown for down, nor healthy for a reason to fail over', () => {
    expect(verdicts(plan({verdicts: {'us-east': null}}))['region-down']).toBe('unknown');
    expect(verdicts(plan({verdicts: {}}))['region-down']).toBe('refuse');
    expect(verdicts(plan({verdicts: {'us-east': 'degraded'}}))['region-down']).toBe('refuse');
  });

  it('refuse when too few standbys answer to seal the old primary out', () => {
    expect(verdicts(plan({members: {'us-east': null, ap: null}, to: 'eu-west'}))['standbys:orders']).toBe('refuse');
    expect(verdicts(plan({members: {'us-east': null, ap: null}, to: 'eu-west', quorum: 2}))['standbys:orders']).toBe('pass');
  });

  it('refuse when nobody would be left to hold the writes: whom it loses with the region does not count, nor who cannot follow', () => {
    const gate = (made: ReturnType<typeof plan>) => made.gates.find(({id}) => id === 'acknowledgers:orders');
    expect(gate(plan({members: {'us-east': null, ap: null}, to: 'eu-west', quorum: 2}))).toMatchObject({
      verdict: 'refuse',
      overridable: true,
      measured: [],
      says: 'nobody will follow eu-west and hold its writes; 2 must, so eu-west would accept none until another member is back; to go on without, lower the quorum of orders in the fleet file',
    });
    expect(gate(plan({members: {'us-east': null, ap: {epoch: 7}}, to: 'eu-west'}))).toMatchObject({verdict: 'refuse', measured: []});
    expect(gate(plan())).toMatchObject({verdict: 'pass', measured: ['ap']});
    expect(verdicts(plan({quorum: 0}))).not.toHaveProperty('acknowledgers:orders');
  });

  it('let nothing go where its data may not be: the next of the order is taken, and what is asked for by name is refused', () => {
    expect(plan({allowed: ['US', 'SG']})).toMatchObject({to: 'ap', staysDown: []});
    expect(() => plan({allowed: ['US', 'SG'], to: 'eu-west'})).toThrow(
      'nothing can move: orders stays down: user-content may not be in eu-west (EU), and it has no secondary site where its data may be',
    );
    expect(() => plan({overrides: [{gate: 'residency:orders', reason: 'r', by: 'b'}]})).toThrow(/cannot be overridden/);
  });

  it('refuse when a router that must be cut does not answer', () => {
    expect(verdicts(plan({router: false})).routers).toBe('refuse');
  });

  it('block on a loss that nobody can tell', () => {
    const made = plan({quorum: 0, rpoMs: 300_000});
    expect(made.gates.find(({id}) => id === 'loss:orders')).toMatchObject({
      verdict: 'unknown',
      measured: {certainty: 'unknown', transactions: null},
    });
  });

  it('keep an override on the record and do not ask again what it passed', () => {
    const overrides = [{gate: 'primary-silent:orders', reason: 'the link is one-way', by: 'ann'}];
    const made = plan({overrides});
    expect(made.overrides).toEqual(overrides);
    expect(made.steps.find(({id}) => id === 'seal')?.requires).toEqual([]);
    expect(() => plan({overrides: [{gate: 'no-such', reason: 'r', by: 'b'}]})).toThrow(/no such gate; the gates are/);
  });

  it('accept a broken guard only by name', () => {
    const accepts = (made: ReturnType<typeof plan>) =>
      (made.steps.find(({id}) => id === 'fence-us-east')?.do.args as {accept: string[]} | undefined)?.accept;
    expect(accepts(plan())).toEqual(['stopped', 'closed', 'sealed', 'hook']);
    expect(accepts(plan({overrides: [{gate: 'fence:orders', reason: 'power is cut', by: 'ann'}]}))).toContain('break-glass');
  });
});

describe('chooseSource', () => {
  it('finds the primary that answers, else the one that the standbys name', () => {
    const fleet = sampleFleet();
    const primary = {role: 'primary', writable: true, upstream: null} as const;
    expect(chooseSource(fleet, sampleSnapshot({members: {'us-east': primary}}), undefined)).toBe('us-east');
    expect(chooseSource(fleet, sampleSnapshot({members: {'us-east': null, 'eu-west': {...primary, epoch: 2}}}), undefined)).toBe('eu-west');
    expect(chooseSource(fleet, sampleSnapshot(), undefined)).toBe('us-east');
  });

  it('says in one sentence why nothing is done for a region without a primary', () => {
    expect(() => chooseSource(sampleFleet(), sampleSnapshot(), 'ap')).toThrow(
      'nothing was done: ap holds no primary; orders has its primary in us-east',
    );
  });
});

describe('resolveOverrides', () => {
  it('lets a short name stand for the gate of every store, so that what is on the record is what was passed', () => {
    const made = plan({overrides: [{gate: 'loss', reason: 'analytics only', by: 'ann'}]});
    expect(made.overrides).toEqual([{gate: 'loss:orders', reason: 'analytics only', by: 'ann'}]);
  });
});
