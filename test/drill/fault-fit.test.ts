import {describe, expect, it} from 'vitest';
import {composeDrill} from '../../src/lib/drill/compose-drill.ts';
import {movedWeights} from '../../src/lib/drill/compose-reaction.ts';
import {parseDrill} from '../../src/lib/drill/drill-file.ts';
import {type FaultJudge, refuseUnfitFaults} from '../../src/lib/drill/fault-fit.ts';
import type {Fleet} from '../../src/lib/fleet/fleet.ts';
import type {ProviderContext} from '../../src/lib/providers/define.ts';
import {execFault} from '../../src/lib/providers/exec/fault.ts';
import {execFaultSchema} from '../../src/lib/providers/exec/fault-provider.ts';
import {LAB_FAULT_KINDS} from '../../src/lib/providers/lab/lab-fault-kinds.ts';
import {labFaultTrouble} from '../../src/lib/providers/lab/lab-fault-order.ts';
import {signalSchema} from '../../src/lib/providers/signal/provider.ts';
import {signalFault} from '../../src/lib/providers/signal/signal-fault.ts';
import {systemClock} from '../../src/lib/run/system-clock.ts';
import {inputOf, routedFleet} from './plans.ts';

const REGIONS = routedFleet.regions.map(({name}) => name);
const lab: FaultJudge = {
  kinds: Object.keys(LAB_FAULT_KINDS),
  accepts: (order, beside) => labFaultTrouble(order, beside, REGIONS),
};
const context: ProviderContext = {fleet: routedFleet, secrets: routedFleet.secrets, clock: systemClock(), baseDir: '/nowhere'};
const signal: FaultJudge = signalFault(
  signalSchema.parse({regions: {'us-east': {pidFiles: ['a.pid']}, ap: {pidFiles: ['b.pid'], start: ['start']}}}),
  context,
);
const exec: FaultJudge = execFault(
  execFaultSchema.parse({faults: {slow: {inject: ['slow', '{region}', '{args.ms}'], heal: ['slow', 'off'], prove: ['is-slow']}}}),
  context,
);

/** The drill with these faults, read for this injector. */
function read(faults: string, judge: FaultJudge, more = '', fleet: Fleet = routedFleet) {
  return parseDrill(`name: x\nfaults:\n${faults}${more}`, {file: '/d.yaml', cwd: '/', fleet, faults: judge});
}

function troubleOf(faults: string, judge: FaultJudge, fleet?: Fleet): string {
  try {
    read(faults, judge, '', fleet);
    return 'valid';
  } catch (error) {
    const {exit, message, suggestions} = error as {exit: number; message: string; suggestions: readonly string[]};
    expect(exit).toBe(78);
    return `${message} | ${suggestions.join(' ')}`;
  }
}

describe('a fault that the injector cannot have is found in the file', () => {
  it.each([
    ['{kind: lose, region: front-door}', 'd.yaml:3:26 faults[0].region: front-door is a router: the only fault that it can have is router'],
    [
      '{kind: router, region: ap}',
      'd.yaml:3:28 faults[0].region: router is possible at front-door only, not at "ap" | Write region: front-door.',
    ],
    ['{kind: router}', 'd.yaml:3:5 faults[0].region: router is possible at front-door only'],
    ['{kind: latency, args: {sm: 5}}', 'faults[0].args.sm: latency takes no arguments but from, ms, jitterMs, so not args.sm'],
    ['{kind: latency}', 'faults[0].args: latency needs args.ms, the delay of one way in milliseconds | Add args: {ms: …}'],
    ['{kind: latency, args: {ms: 5s}}', 'faults[0].args.ms: args.ms: expected a number from 0 to 60000, not "5s"'],
    ['{kind: partition, region: ap, args: {from: ap}}', 'args.from must be another region of the lab, not "ap"'],
    ['{kind: partition, region: ap, args: {direction: up}}', 'expected in or out, not "up" | Write in or out.'],
    ['{kind: lose, lease: 25h}', 'd.yaml:3:25 faults[0].lease: the lab keeps a lease of at most 24h | Write a shorter one.'],
    ['{kind: lose}\n  - {kind: lose}', 'd.yaml:4:12 faults[1].kind: lose is at us-east already | Take one of the two out.'],
    ['{kind: latency, args: {ms: 1}}\n  - {kind: latency, args: {ms: 2}}', 'faults[1].kind: latency is at us-east already: a second one'],
  ])('of the lab: %s', (faults, wanted) => {
    expect(troubleOf(`  - ${faults}\n`, lab)).toContain(wanted);
  });

  it.each([
    ['{kind: freeze, region: eu-west}', 'no processes of "eu-west" can be signalled; the fleet file has them of us-east, ap'],
    ['{kind: kill, region: us-east}', 'us-east cannot be killed: the fleet file gives it no start'],
    ['{kind: freeze, args: {ms: 5}}', 'faults[0].args.ms: freeze takes no arguments'],
    ['{kind: freeze}\n  - {kind: freeze, args: {}}', 'faults[1].kind: freeze is at us-east already'],
  ])('of signals: %s', (faults, wanted) => {
    expect(troubleOf(`  - ${faults}\n`, signal)).toContain(wanted);
  });

  it.each([
    ['{kind: slow}', 'slow needs fault.args.ms of the drill | Add args: {ms: …}.'],
    ['{kind: slow, args: {ms: [1]}}', 'faults[0].args.ms: slow needs fault.args.ms of the drill as one value'],
    ['{kind: slow, args: {ms: "5; reboot"}}', 'has signs that a shell may read'],
    ['{kind: slow, args: {ms: 5, s: 1}}', 'faults[0].args.s: slow takes no arguments but ms, so not fault.args.s'],
    ['{kind: slow, args: {ms: 5}}\n  - {kind: slow, args: {ms: 6}}', 'faults[1].kind: slow is at us-east already'],
  ])('of commands: %s', (faults, wanted) => {
    expect(troubleOf(`  - ${faults}\n`, exec)).toContain(wanted);
  });

  it('says at its kind that it cannot be had here', () => {
    expect(troubleOf('  - {kind: skew, args: {ms: 5}}\n', {...lab, cannot: {skew: 'it needs libfaketime'}})).toContain(
      'd.yaml:3:12 faults[0].kind: skew cannot be had here: it needs libfaketime',
    );
  });

  it('says nothing of what is wrong only where the primary is not', () => {
    expect(troubleOf('  - {kind: kill}\n', signal)).toBe('valid');
    expect(troubleOf('  - {kind: partition, args: {from: ap}}\n  - {kind: partition, args: {from: eu-west}}\n', lab)).toBe('valid');
  });
});

describe('a fault that cannot be had where the primary is now', () => {
  const refusal = (faults: string, primary: string) => {
    const plan = composeDrill(inputOf(read(faults, lab, 'reaction: {none: {}}\n'), {reactionPlan: null, primary}));
    try {
      refuseUnfitFaults(plan, lab);
      return 'started';
    } catch (error) {
      expect(error).toMatchObject({code: 'fault-refused', exit: 77});
      return (error as Error).message;
    }
  };
  it('is refused before anything is begun', () => {
    const cut = '  - {kind: partition, args: {from: ap}}\n';
    expect(refusal(cut, 'us-east')).toBe('started');
    expect(refusal(cut, 'ap')).toBe(
      'no drill was started: partition cannot be injected into ap, as x has it now: args.from must be another region of the lab, not "ap"',
    );
    const two = '  - {kind: lose}\n  - {kind: lose, region: eu-west}\n';
    expect(refusal(two, 'us-east')).toBe('started');
    expect(refusal(two, 'eu-west')).toContain('lose is at eu-west already');
  });
});

describe('traffic', () => {
  const troubleWith = (traffic: string, fleet = routedFleet) => {
    try {
      parseDrill(`name: x\nreaction: {traffic: ${traffic}}\n`, {file: '/d.yaml', cwd: '/', fleet});
      return 'valid';
    } catch (error) {
      return (error as Error).message;
    }
  };

  it('is not moved from a region to itself, nor where no route leads', () => {
    expect(troubleWith('{from: ap, to: ap}')).toBe('d.yaml:2:36 reaction.traffic.to: traffic cannot move from ap to itself');
    expect(troubleWith('{to: ap}', {...routedFleet, routes: []})).toContain('no route of lab leads to ap: no traffic could move');
    const elsewhere = routedFleet.routes.map((route) => ({...route, weights: {'us-east': 100}}));
    expect(troubleWith('{from: us-east, to: ap}', {...routedFleet, routes: elsewhere})).toContain('no route of lab leads to ap');
    expect(troubleWith('{from: us-east, to: eu-west}')).toBe('valid');
  });

  it.each([
    ['{to: us-east}', 'it is there'],
    ['{from: ap, to: eu-west}', 'no route that leads there sends any to ap now'],
  ])('%s is refused (77) where nothing would move now', (traffic, why) => {
    const drill = parseDrill(`name: x\nreaction: {traffic: ${traffic}}\n`, {file: '/d.yaml', cwd: '/', fleet: routedFleet});
    expect(() => composeDrill(inputOf(drill, {fleet: routedFleet, reactionPlan: null}))).toThrow(
      expect.objectContaining({code: 'no-traffic', exit: 77, message: expect.stringContaining(why)}),
    );
  });

  it('keeps the share of each region where the weights together would be more than a weight can be', () => {
    expect(movedWeights({'us-east': 100, 'eu-west': 0, ap: 0}, 'us-east', 'eu-west')).toEqual({'us-east': 0, 'eu-west': 100, ap: 0});
    expect(movedWeights({'us-east': 100, 'eu-west': 100, ap: 100}, 'us-east', 'eu-west')).toEqual({'us-east': 0, 'eu-west': 100, ap: 50});
    expect(movedWeights({'us-east': 99, 'eu-west': 100, ap: 1}, 'us-east', 'eu-west')).toEqual({'us-east': 0, 'eu-west': 100, ap: 1});
  });
});
