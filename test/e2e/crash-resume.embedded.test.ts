import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {CrashLab} from './crash/crash-lab.ts';
import {type Cycle, cycle, lastJournal} from './crash/cycle.ts';
import type {EndState} from './crash/end-state.ts';
import {problemsOf} from './crash/judge.ts';
import {MOMENTS, type Point, pointFrom, pointsOf, pointText} from './crash/points.ts';

// Before, inside and after an effect, at the steps where it matters most. Every point of every kind of run: on the simulated fleet
// test/sim/crash-points.test.ts, here test/e2e/crash/soak.ts.
const SAMPLE = ['intent:seal', 'applied:fence-us-east', 'sent:promote'];

describe('a failover whose regionctl is killed (-9) and resumed', () => {
  const lab = new CrashLab();
  let undisturbed: Cycle;
  let reference: EndState;
  let points: readonly Point[];

  beforeAll(async () => {
    await lab.up();
    undisturbed = await cycle(lab, {
      kind: 'failover',
      fault: 'kill',
      disturb: (here) => here.failover(),
    });
    reference = undisturbed.state;
    points = pointsOf(await lastJournal(lab, 'failover'));
  });
  afterAll(() => lab.remove());

  it('is compared with one that nobody disturbed', () => {
    expect(undisturbed).toMatchObject({outcome: 'succeeded', listed: 'succeeded', lost: [], doubled: []});
    expect(undisturbed.acknowledged).toBeGreaterThan(5);
    expect(reference).toMatchObject({
      firstWriteBy: 'eu-west',
      weights: {weights: {'us-east': 0, 'eu-west': 100, ap: 0}},
      members: {
        'eu-west': {timeline: 1, recovering: false, service: 'let in', standbys: {ap: 'streaming quorum'}, claims: [], runSessions: []},
        ap: {timeline: 1, recovering: true, receiver: 'streaming', sender: 'eu-west', service: 'let in', claims: [], runSessions: []},
      },
    });
    expect(reference.members['eu-west']?.settings.synchronous_standby_names).toMatch(/ANY 1/);
  });

  it('knows every point of its plan', () => {
    const ran = points.filter(({moment}) => moment === 'result').map(({step}) => step);
    const skipped = points.filter(({moment}) => moment === 'step-skipped').map(({step}) => step);
    expect([...ran, ...skipped].toSorted()).toEqual(
      [
        ...['witness', 'claim', 'drain-front-door', 'seal', 'fence-us-east', 'catch-up', 'durability', 'promote', 'follow-ap'],
        ...['reroute-front-door', 'verify-write', 'verify-latency-front-door', 'verify-counts', 'verify-rejected-us-east'],
        ...['witness-end', 'release', 'witness-stop'],
      ].toSorted(),
    );
    expect(points).toHaveLength(ran.length * MOMENTS.length + skipped.length * 2 + 4);
    expect(points.map(pointText)).toEqual(expect.arrayContaining(SAMPLE));
  });

  it.each(SAMPLE)('ends in the same state when it was killed at %s', async (at) => {
    const found = await cycle(lab, {kind: 'failover', fault: 'kill', disturb: (here) => here.doomed('failover', at)});
    expect(problemsOf(found, reference, pointFrom(at))).toEqual([]);
  });

  /** Everybody streams from the primary, lets its service in, and nothing of the run is left. */
  const following = (primary: string, standbys: readonly string[]) => ({
    firstWriteBy: primary,
    members: {
      [primary]: {
        timeline: 1,
        recovering: false,
        standbys: Object.fromEntries(standbys.map((name) => [name, 'streaming quorum'])),
        claims: [],
      },
      ...Object.fromEntries(
        standbys.map((name) => [
          name,
          {timeline: 1, recovering: true, receiver: 'streaming', sender: primary, service: 'let in', claims: [], runSessions: []},
        ]),
      ),
    },
  });
  const endedWell = ({died, resumed, outcome, lost, doubled}: Cycle) => [died.signal, resumed.status, outcome, lost, doubled];

  it('ends well when a switchover was killed right after its promotion was sent', async () => {
    const found = await cycle(lab, {kind: 'switchover', fault: 'kill', disturb: (here) => here.doomed('switchover', 'sent:promote')});
    expect(endedWell(found)).toEqual(['SIGKILL', 0, 'succeeded', [], []]);
    expect(found.state).toMatchObject(following('eu-west', ['us-east', 'ap']));
  });

  it('ends well when the failback was killed after the old primary was stopped on purpose', async () => {
    const found = await cycle(lab, {kind: 'failback', fault: 'kill', disturb: (here) => here.doomed('failback', 'applied:fence-eu-west')});
    expect(endedWell(found)).toEqual(['SIGKILL', 0, 'succeeded', [], []]);
    expect(found.state).toMatchObject(following('us-east', ['eu-west', 'ap']));
    // The member at home is not built again out of a server that was stopped on purpose.
    const again = (await lastJournal(lab, 'failback')).filter(({type, step}) => type === 'step-lost' && step === 'rejoin-us-east-first');
    expect(again).toEqual([]);
  });
});
