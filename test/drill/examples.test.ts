import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {composeDrill} from '../../src/lib/drill/compose-drill.ts';
import {parseDrill} from '../../src/lib/drill/drill-file.ts';
import type {Plan} from '../../src/lib/plan/plan.ts';
import {failoverPlan, inputOf, routedFleet} from './plans.ts';

const DIR = 'examples/drills';
const files = readdirSync(DIR)
  .filter((name) => name.endsWith('.yaml'))
  .toSorted();
function planOf(name: string): Plan {
  const drill = parseDrill(readFileSync(join(DIR, name), 'utf8'), {file: name, cwd: '/', fleet: routedFleet});
  const planned = ['failover', 'switchover', 'failback'].includes(drill.reaction.kind);
  return composeDrill(
    inputOf(drill, {fleet: routedFleet, reactionPlan: planned ? {...failoverPlan, kind: drill.reaction.kind as Plan['kind']} : null}),
  );
}

/** A plan at a glance. */
function outline({steps, always, gates, abortIf, objectives, drillSpec}: Plan): string {
  const line = ({id, phase, do: {action, target}, after}: Plan['steps'][number]) =>
    `  ${id} [${phase}] ${action} ${target.region ?? target.router ?? ''} <- ${after.join(', ')}`;
  return [
    drillSpec?.expected,
    `gates: ${gates.map(({id}) => id).join(', ')}`,
    ...steps.map(line),
    'always:',
    ...always.map(line),
    `abort if: ${abortIf.length}; objectives: ${objectives.map(({class: name, kind, targetMs}) => `${kind} of ${name} ${targetMs}`).join(', ')}`,
  ].join('\n');
}

describe('the drills that are shipped', () => {
  it('are what the issue of drills asks for, each named as its file', () => {
    expect(files.map((name) => name.replace('.yaml', '')).toSorted()).toEqual([
      'all-parted',
      'clock-skew',
      'database-lost',
      'disk-full',
      'failback',
      'legal-shutdown',
      'operator-error',
      'partition',
      'partition-asymmetric',
      'region-degraded',
      'region-frozen',
      'region-lost',
      'replication-lag',
      'router-lost',
      'switchover',
      'two-regions',
    ]);
    for (const name of files) expect(`${planOf(name).drill}.yaml`).toBe(name);
  });

  it('are planned as the golden file shows', async () => {
    const text = files.map((name) => `# ${name}\n${outline(planOf(name))}\n`).join('\n');
    await expect(text).toMatchFileSnapshot('../golden/drill/examples.txt');
  });

  it('heal every place of a fault in any case, and wait for nothing that comes later', () => {
    for (const name of files) {
      const plan = planOf(name);
      const places = plan.steps.flatMap(({do: {action, target}}) => (action === 'fault.inject' ? [target.region] : []));
      const healed = plan.always.flatMap(({do: {action, target}}) => (action === 'fault.heal' ? [target.region] : []));
      expect(healed, name).toEqual([...new Set(places)]);
      const ids = plan.steps.map(({id}) => id);
      expect(new Set([...ids, ...plan.always.map(({id}) => id)]).size, name).toBe(ids.length + plan.always.length);
      for (const step of plan.steps)
        for (const id of step.after) expect(ids.indexOf(id), `${name} ${step.id}`).toBeLessThan(ids.indexOf(step.id));
      for (const step of plan.steps) if (step.do.action === 'fault.inject') expect(step.leaseMs, name).toBeGreaterThan(0);
    }
  });
});
