import {describe, expect, it} from 'vitest';
import {chooseAway, chooseHome, planFailback} from '../../src/lib/failover/plan-failback.ts';
import {type SnapshotOptions, sampleFleet, sampleSnapshot} from './three-regions.ts';

const AWAY = {role: 'primary', writable: true, upstream: null, epoch: 2} as const;
const FOLLOWS = {upstream: 'eu-west', heardUpstreamAgoMs: 5, epoch: 2} as const;
const STALE = {role: 'primary', writable: true, upstream: null, epoch: 1} as const;

function plan(members: SnapshotOptions['members'], verdicts: SnapshotOptions['verdicts'] = {}) {
  const fleet = sampleFleet();
  const snapshot = sampleSnapshot({members: members ?? {}, verdicts: verdicts ?? {}});
  const to = chooseHome(fleet, undefined);
  return planFailback({id: 'run-2', fleet, snapshot, from: chooseAway(fleet, snapshot, to), to, objectives: [], overrides: []});
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
      'rejoin-us-east-first',
      'unfence-us-east-first',
      'caught-up-us-east',
      ...SWITCH,
    ]);
    expect(made.steps.find(({id}) => id === 'fence-us-east-first')?.undo).toBeNull();
    expect(made.steps.find(({id}) => id === 'rejoin-us-east-first')?.do.args).toEqual({upstream: 'eu-west', how: 'rewind'});
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

  it('says why nothing is done when everything is at home', () => {
    expect(() => plan({'us-east': AWAY})).toThrow('nothing was done: every primary is in us-east already');
    expect(() => plan({'us-east': null})).toThrow(/answers as primary: fail over first/);
  });
});
