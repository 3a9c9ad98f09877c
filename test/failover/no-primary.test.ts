import {describe, expect, it} from 'vitest';
import {chooseAway} from '../../src/lib/failover/plan-failback.ts';
import {chooseSource} from '../../src/lib/failover/plan-failover.ts';
import {planSwitchover} from '../../src/lib/failover/plan-switchover.ts';
import {type MemberSample, sampleFleet, sampleSnapshot} from './three-regions.ts';

type Members = Readonly<Record<string, MemberSample | null>>;
const NOBODY: Members = {'us-east': null, 'eu-west': null, ap: null};
const FOLLOWS: MemberSample = {upstream: 'us-east'};
const LOST: Members = {'us-east': null, 'eu-west': FOLLOWS, ap: FOLLOWS};
const STANDBYS: Members = {'us-east': {upstream: null}, 'eu-west': {upstream: null}, ap: {upstream: null}};

const fleet = sampleFleet();
const seen = (members: Members) => sampleSnapshot({members, verdicts: {}});
const failover = (members: Members) => () => chooseSource(fleet, seen(members), undefined);
const failback = (members: Members) => () => chooseAway(fleet, seen(members), 'us-east');
const switchover = (members: Members) => () =>
  planSwitchover({id: 's', fleet, snapshot: seen(members), from: 'us-east', to: 'eu-west', objectives: [], overrides: []});

function refusal(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

describe('a plan without a primary', () => {
  it.each([
    ['failover', failover],
    ['failback', failback],
  ])('is no finding of a %s where nobody could be asked: it says why, member by member', (_name, plan) => {
    expect(refusal(plan(NOBODY))).toMatchObject({
      code: 'primary-unknown',
      exit: 77,
      message: expect.stringContaining('who is the primary of orders is not known: no answer; no answer; no answer'),
      suggestions: expect.arrayContaining(['regionctl status']),
    });
  });

  it.each([
    ['failback', failback],
    ['switchover', switchover],
  ])('is no finding of a %s where the one that the others follow could not be asked', (_name, plan) => {
    expect(refusal(plan(LOST))).toMatchObject({
      code: 'primary-unknown',
      message: expect.stringMatching(
        /^nothing was done: the primary of orders, us-east by what the others say, could not be asked: no answer; if it is lost, fail over/,
      ),
      suggestions: ['regionctl status', 'regionctl failover plan'],
    });
  });

  it.each([
    ['failover', failover],
    ['failback', failback],
  ])('is one where every member answered and none is a primary (%s)', (_name, plan) => {
    expect(refusal(plan(STANDBYS))).toMatchObject({code: 'no-primary', exit: 77});
  });

  it('keeps no failover from a store whose standbys name the silent one', () => {
    expect(failover(LOST)()).toBe('us-east');
  });
});
