import {describe, expect, it} from 'vitest';
import type {Plan} from '../../src/lib/plan/plan.ts';
import type {JournalEvent} from '../../src/lib/ports/state.ts';
import {endOf, type Kind, pointsOf, type Rest, restOf, stage, takeUp} from './crash-points.ts';

const KINDS: readonly Kind[] = ['failover', 'switchover', 'failback'];

async function undisturbed(kind: Kind, loss?: 'cut-off') {
  const on = await stage(kind, loss);
  const start = await restOf(await stage(kind, loss));
  const {plan, end} = await endOf(on, null);
  if (plan === null) throw new Error(`the ${kind} was not planned: ${end?.says}`);
  const journal = on.dir.state.events(plan.id);
  return {plan, end, journal, start, rest: await restOf(on), points: pointsOf(plan, journal)};
}

/**
 * What an undo brings back: everything but what a failback brought under the primary again.
 */
function startOf(kind: Kind, {members, weights}: Rest): object {
  return {members: members.filter(({name}) => kind !== 'failback' || name !== 'us-east'), weights};
}

/** A step before the first point of no return: from there on nothing is taken back. */
function isBefore(plan: Plan, id: string): boolean {
  return (
    plan.steps.findIndex((step) => step.id === id) < plan.steps.findIndex(({pivot}) => pivot) && plan.steps.some((step) => step.id === id)
  );
}

/* Some hundred runs: a machine that is busy with other tests takes its time. */
describe.each(KINDS)('a %s whose process is killed', {timeout: 120_000}, (kind) => {
  it('has all its points: four for each step that acts, two for each that has nothing to do', async () => {
    const {plan, end, journal, points} = await undisturbed(kind);
    expect(end).toMatchObject({outcome: 'succeeded'});
    const all = [...plan.steps, ...plan.always].map(({id}) => id);
    const of = (type: string) => new Set(journal.filter((event: JournalEvent) => event.type === type).map(({step}) => step));
    const [acted, idle] = [of('intent'), of('step-skipped')];
    expect([...acted, ...idle].toSorted()).toEqual(all.toSorted());
    expect(points).toHaveLength(4 * acted.size + 2 * idle.size);
    // There is hardly anything left for which nothing had to be done.
    expect(acted.size).toBeGreaterThan(all.length - 4);
  });

  it('comes to the same end when it is resumed, wherever that was', async () => {
    const {points, rest} = await undisturbed(kind);
    for (const {point} of points) {
      const on = await stage(kind);
      const killed = await endOf(on, point);
      expect(killed.end, `${point.kind} ${point.label}`).toMatchObject({outcome: 'died'});
      const {end} = await takeUp(on, 'resume');
      const where = `killed at ${point.kind} "${point.label}":\n${on.fleet.history.join('\n')}`;
      expect(end, where).toMatchObject({outcome: 'succeeded'});
      expect(await restOf(on), where).toEqual(rest);
      on.fleet.truth.atEnd();
      expect(on.fleet.truth.violations, where).toEqual([]);
    }
  });

  it('comes back to its start when it is undone, wherever that was before the point of no return', async () => {
    // A primary that was cut off, and not killed: an undo in another process starts what the first one may have stopped. It cannot know either
    // that a fence touched nothing, so it says of one that it cannot reach that it was not undone.
    const loss = kind === 'failover' ? 'cut-off' : undefined;
    const {plan, points, start} = await undisturbed(kind, loss);
    const early = points.filter(({step, point}) => isBefore(plan, step) || (point.label === 'intent promote' && point.kind === 'append'));
    expect(early.length).toBeGreaterThan(10);
    for (const {point} of early) {
      const on = await stage(kind, loss);
      await endOf(on, point);
      const {end} = await takeUp(on, 'undo');
      const where = `killed at ${point.kind} "${point.label}", ${end?.outcome} ${end?.says}:\n${on.fleet.history.join('\n')}`;
      const unreachable = /^told to go back; fence-us-east was not undone: host:us-east did not answer in time\. Take back/.test(
        end?.says ?? '',
      );
      expect(loss === 'cut-off' && unreachable ? 'undone' : end?.outcome, where).toMatch(/undone|aborted/);
      expect(startOf(kind, await restOf(on)), where).toEqual(startOf(kind, start));
    }
  });
});
