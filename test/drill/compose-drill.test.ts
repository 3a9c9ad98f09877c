import {describe, expect, it} from 'vitest';
import {composeDrill} from '../../src/lib/drill/compose-drill.ts';
import {parseDrill} from '../../src/lib/drill/drill-file.ts';
import {reactionActions} from '../../src/lib/drill/reaction-actions.ts';
import {checkPlan} from '../../src/lib/plan/check-plan.ts';
import {ActionRegistry, CheckRegistry} from '../../src/lib/run/registry.ts';
import {known} from '../../src/lib/snapshot/cell.ts';
import {standby} from '../failover/fake-store.ts';
import {fakeClock} from '../run/fake-clock.ts';
import {drillPlan, drillText, fleet, inputOf, nobody, wellSenses} from './plans.ts';

const drill = parseDrill(drillText, {file: '/drills/d.yaml', cwd: '/'});
const input = inputOf(drill);

describe('composeDrill', () => {
  it('is the plan that the golden file shows', async () => {
    const {snapshot: _, ...plan} = drillPlan();
    await expect(`${JSON.stringify(plan, null, 2)}\n`).toMatchFileSnapshot('../golden/drill/region-lost.plan.json');
  });

  it('puts the reaction between detection and the end of the witness, with its ids and its order', () => {
    const plan = drillPlan();
    const ids = plan.steps.map(({id}) => id);
    expect(ids).toEqual([
      'steady-before',
      'witness-start',
      'inject',
      'detect',
      'silent',
      'claim',
      'fence',
      'promote',
      'reroute',
      'outlasted',
      'witness-stop',
      'steady-after',
    ]);
    for (const step of plan.steps) for (const id of step.after) expect(ids.indexOf(id)).toBeLessThan(ids.indexOf(step.id));
    expect(plan.steps.find(({id}) => id === 'claim')?.after).toEqual(['silent']);
    expect(plan.steps.find(({id}) => id === 'witness-stop')?.after).toEqual(['witness-start', 'outlasted']);
    expect(plan.always.map(({id}) => id)).toEqual(['heal', 'witness-end', 'primaries', 'release']);
  });

  it('starts the load before the warm-up, so that there is something to compare with, and tells it of the fault right before that', () => {
    const ids = drillPlan(`${drillText}load: {rate: 20}\n`).steps.map(({id}) => id);
    expect(ids.slice(0, 5)).toEqual(['steady-before', 'load-start', 'witness-start', 'load-during', 'inject']);
  });

  it('shows no value of the query of what the load asks', () => {
    const plan = drillPlan(`${drillText}load: {url: "https://shop.example.com/orders?token=secret&limit=1", rate: 20}\n`);
    const title = plan.steps.find(({id}) => id === 'load-start')?.title;
    expect(title).toBe('ask https://shop.example.com/orders?token=…&limit=… 20 times a second');
  });

  it('asks after the fault whether a standby still hears the primary; the region was found unhealthy just before', () => {
    const plan = drillPlan();
    expect(plan.gates.map(({id}) => id)).toEqual(['steady-state', 'no-fault', 'target-healthy']);
    const first = plan.steps.find(({id}) => id === 'silent');
    expect(first?.requires.map(({check, want}) => [check, want])).toEqual([['store.silent', {standbys: ['eu-west', 'ap']}]]);
  });

  it('asks for no write in the gates of a rehearsal', () => {
    const asked = (rehearsal: boolean) => JSON.stringify(composeDrill({...input, rehearsal}).gates);
    expect(asked(false)).toContain('"writable":true');
    expect(asked(true)).not.toContain('writable');
    expect(asked(true)).toContain('"health":"healthy"');
  });

  it('looks at the primaries once every fault is healed, wherever it is healed and whoever reacted', () => {
    const member = standby('us-east', 100, {role: 'primary', writable: true, upstream: null});
    const ack = {known: false, code: 'not-read', reason: '', at: 0} as const;
    const look = (more: string) => {
      const from = inputOf(parseDrill(`${drillText}${more}`, {file: '/drills/d.yaml', cwd: '/'}));
      const members = {'db-us': known(member, 0, 'test'), 'db-eu': known(standby('eu-west', 100), 0, 'test')};
      const stores = {orders: {engine: 'postgres', ack, members}};
      const {always} = composeDrill({...from, snapshot: {...from.snapshot, stores}, reactionPlan: null});
      const ids = always.map(({id}) => id);
      expect(ids.indexOf('heal')).toBeLessThan(ids.indexOf('primaries'));
      return always.find(({id}) => id === 'primaries')?.do.args;
    };
    const anywhere = {stores: ['orders'], home: null, former: null, withinMs: 15_000};
    expect(look('reaction: {exec: {run: [./move]}}\n')).toEqual({...anywhere, close: false});
    expect(look('reaction: {person: {prompts: [move], until: [{writable: true}]}}\n')).toEqual({...anywhere, close: false});
    expect(look('reaction: {failover: {by: command}}\n')).toEqual({...anywhere, close: true, former: {orders: 'db-us'}});
    for (const reaction of ['{none: {for: 1s}}', '{failover: {expect: refused}}'])
      expect(look(`reaction: ${reaction}\nheal: end\n`)).toEqual({...anywhere, home: {orders: 'us-east'}, close: false});
  });

  it('asks nothing of a process of its own that may hold beforehand: it would be taken for done, and never be started', () => {
    const drill = parseDrill(`${drillText}reaction: {failover: {by: command}}\n`, {file: '/d.yaml', cwd: '/'});
    const plan = composeDrill(inputOf(drill, {reactionPlan: null}));
    const steps = plan.steps.filter(({do: {action}}) => action === 'reaction.command');
    expect(steps).toMatchObject([{id: 'reaction', ensures: [], requires: []}]);
    const actions = reactionActions({
      ...nobody,
      senses: {...wellSenses(), sinceAckMs: () => null, loadNow: () => null},
      clock: fakeClock(),
    });
    const problems = checkPlan({...plan, steps, always: []}, new ActionRegistry(actions), new CheckRegistry([]));
    expect(problems.filter((problem) => problem.includes('has an effect'))).toEqual([]);
  });

  it('takes its own objectives before those of the fleet', () => {
    expect(drillPlan(`${drillText}objectives: {rto: 30s}\n`).objectives).toEqual([
      {class: 'drill', kind: 'rto', targetMs: 30_000},
      {class: 'user-content', kind: 'rpo', targetMs: 0},
    ]);
  });

  it('does not hold a witness that has no warm-up', () => {
    expect(drillPlan(`${drillText}witness: {warmUp: 0s}\n`).steps.find(({id}) => id === 'witness-start')?.hold).toBeNull();
  });

  describe('of which the reaction is that traffic moves', () => {
    const route = {name: 'front', router: fleet.fault as never, weights: {'us-east': 100, 'eu-west': 0}, url: null, stages: null};
    const moving = (from: string, weights: Record<string, number> = {'us-east': 100, 'eu-west': 0}) =>
      composeDrill({
        ...inputOf(parseDrill(`name: moved\nreaction: {traffic: {from: ${from}, to: eu-west}}\n`, {file: '/d.yaml', cwd: '/'})),
        fleet: {...fleet, routes: [route]},
        snapshot: {...input.snapshot, routers: {front: known(weights, 0, 'here')}},
        reactionPlan: null,
      });

    it('sends it away and back, and takes it back when that fails', () => {
      const steps = moving('primary').steps.filter(({phase}) => phase === 'reroute');
      expect(steps.map(({id, onFailure}) => [id, onFailure])).toEqual([
        ['traffic-front', 'undo'],
        ['away', 'undo'],
        ['back-front', 'undo'],
      ]);
      expect(steps[0]?.undo).toMatchObject({args: {weights: {'us-east': 100, 'eu-west': 0}}});
    });

    it('refuses where there is none to move: it would pass and show nothing', () => {
      for (const [from, weights] of [
        ['ap', {'us-east': 100, 'eu-west': 0, ap: 0}],
        ['primary', {'us-east': 0, 'eu-west': 100}],
        ['eu-west', {'us-east': 0, 'eu-west': 100}],
      ] as const)
        expect(() => moving(from, weights), from).toThrow(expect.objectContaining({code: 'no-traffic', exit: 77}));
    });
  });

  it('refuses where the fleet file allows no writes, no faults, or names no region', () => {
    expect(() => composeDrill({...input, fleet: {...fleet, witness: null}})).toThrow(
      expect.objectContaining({code: 'no-witness', exit: 77}),
    );
    expect(() => composeDrill({...input, fleet: {...fleet, fault: null}})).toThrow(expect.objectContaining({code: 'no-faults', exit: 77}));
    expect(() => composeDrill({...input, reactionPlan: null, primary: null})).toThrow(expect.objectContaining({code: 'no-region'}));
  });
});
