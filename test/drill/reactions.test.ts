import {describe, expect, it} from 'vitest';
import type {DrillArguments} from '../../src/lib/drill/arguments.ts';
import {type ReactionDeps, reactionActions} from '../../src/lib/drill/reaction-actions.ts';
import type {EarlierFailover, Operator, OperatorEnd} from '../../src/lib/drill/reaction-command.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import type {Clock} from '../../src/lib/ports/clock.ts';
import {nobody, wellSenses} from './plans.ts';

/** Time passes only where somebody waits for it. */
function jumpingClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    wall: () => 1_700_000_000_000 + now,
    sleep: async (ms) => {
      now += ms;
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

function applying(more: Partial<ReactionDeps>) {
  const clock = jumpingClock();
  const actions = reactionActions({...nobody, senses: {...wellSenses(), sinceAckMs: () => null, loadNow: () => null}, clock, ...more});
  return <A extends keyof DrillArguments>(name: A, args: DrillArguments[A], signal = new AbortController().signal): Promise<Json> => {
    const action = actions.find((each) => each.name === name);
    if (action === undefined) throw new Error(name);
    return action.apply({runId: 'r', token: 't', signal, now: clock.now, deadline: 1e9}, {}, action.parse(args as Json));
  };
}

describe('a person', () => {
  const args = {prompts: ['promote ap'], until: [{writable: true}], withinMs: 60_000};

  it('is awaited until what must hold does', async () => {
    let looks = 0;
    const looked = () => {
      looks += 1;
      return looks;
    };
    const senses = {
      ...wellSenses(),
      sinceAckMs: () => null,
      loadNow: () => null,
      writable: async () => ({holds: looked() > 3, measured: null, says: 'accepted'}),
    };
    expect(await applying({senses})('reaction.person', args)).toMatchObject({
      afterMs: 1500,
      says: 'done by a person after 1.5 s: accepted',
    });
  });

  it('that does not come fails the reaction, saying what was not so', async () => {
    const senses = {
      ...wellSenses(),
      sinceAckMs: () => null,
      loadNow: () => null,
      writable: async () => ({holds: false, measured: null, says: 'a write is refused'}),
    };
    await expect(applying({senses})('reaction.person', args)).rejects.toMatchObject({
      code: 'no-reaction',
      message: 'nobody had done it within 1 min: a write is refused',
    });
  });
});

describe('a program', () => {
  it('has done it when it ends well, and only then', async () => {
    expect(await applying({})('reaction.exec', {run: ['./move'], withinMs: 1000})).toMatchObject({says: './move ended well after 0 ms'});
    const senses = {
      ...wellSenses(),
      sinceAckMs: () => null,
      loadNow: () => null,
      exec: async () => ({code: 3, says: './move ended with 3'}),
    };
    await expect(applying({senses})('reaction.exec', {run: ['./move'], withinMs: 1000})).rejects.toMatchObject({code: 'no-reaction'});
  });

  it('that ends well has done it once clients can write', async () => {
    let looks = 0;
    const refusing = (until: number) => ({
      ...wellSenses(),
      sinceAckMs: () => null,
      loadNow: () => null,
      writable: async () => {
        looks += 1;
        return {holds: looks > until, measured: null, says: 'a write is refused'};
      },
    });
    const args = {run: ['./move'], withinMs: 1000};
    expect(await applying({senses: refusing(2)})('reaction.exec', args)).toMatchObject({says: './move ended well after 0 ms'});
    await expect(applying({senses: refusing(99)})('reaction.exec', args)).rejects.toMatchObject({
      code: 'no-reaction',
      message: './move ended well, and clients cannot write: a write is refused',
    });
  });
});

describe('a failover that must be refused', () => {
  const args = {to: null, gates: ['breaker'], withinMs: 2000};

  it('is refused by the gates that are named, with or without their store', async () => {
    const refusals = async () => [{gate: 'breaker:orders', says: 'it is open'}];
    expect(await applying({refusals})('reaction.refused', args)).toMatchObject({
      gates: ['breaker:orders'],
      says: 'refused by breaker:orders: it is open',
    });
  });

  it('fails the drill at once when nothing refuses it, and in the end when something else does', async () => {
    await expect(applying({})('reaction.refused', args)).rejects.toMatchObject({
      code: 'not-refused',
      message: expect.stringContaining('would have been carried out'),
    });
    const refusals = async () => [{gate: 'region-down', says: 'it is well'}];
    await expect(applying({refusals})('reaction.refused', args)).rejects.toMatchObject({
      message: 'breaker did not refuse the failover; region-down did',
    });
  });
});

describe('a failover by a process of its own', () => {
  const args = {to: 'ap', killAt: null, overrides: [], withinMs: 5000};

  /** Processes that end with these codes at once; those without one run until they get a signal. `takesUpAfter`: looks until a resumed one has its run. */
  function operator(codes: readonly (number | null)[], steps: readonly {id: string; phase: string}[] = [], takesUpAfter = 0) {
    const started: (readonly string[])[] = [];
    const signals: string[] = [];
    const left = [...codes];
    let looks = 0;
    const port: Operator = {
      start(given) {
        started.push(given);
        const end = Promise.withResolvers<OperatorEnd>();
        const code = left.shift();
        if (code !== undefined) setImmediate(() => end.resolve({code, says: 'said last'}));
        return {
          ended: end.promise,
          kill: (signal) => {
            signals.push(`${given[0]} ${signal}`);
            end.resolve({code: signal === 'SIGINT' ? 130 : null, says: 'was told'});
          },
          begunRun: async () => 'failover-1',
          hasTakenUp: async () => {
            looks += 1;
            return looks > takesUpAfter;
          },
        };
      },
      begun: async () => steps,
      begunBefore: async () => null,
    };
    return {port, started, signals, looks: () => looks};
  }

  it('is one command, and has gone well with an objective missed too', async () => {
    const {port, started} = operator([1]);
    const result = await applying({operator: port})('reaction.command', {
      ...args,
      overrides: [{gate: 'loss:orders', reason: 'shown', by: 'd.yaml'}],
    });
    expect(result).toMatchObject({runId: 'failover-1', killedAt: null});
    expect(started).toEqual([['failover', 'run', '--yes', '--no-guard', '--to', 'ap', '--override', 'loss:orders', '--reason', 'shown']]);
    await expect(applying({operator: operator([2]).port})('reaction.command', args)).rejects.toMatchObject({
      code: 'no-reaction',
      message: expect.stringContaining('said last'),
    });
    await expect(applying({})('reaction.command', args)).rejects.toMatchObject({code: 'usage'});
  });

  const FENCE = [{id: 'fence-us-east', phase: 'fence'}];

  it('is killed where the drill says so, and its run is resumed', async () => {
    const port = operator([], FENCE);
    const resumable = {
      ...port.port,
      start: (given: readonly string[], drill: string) => (given[0] === 'runs' ? operator([0]) : port).port.start(given, drill),
    };
    expect(await applying({operator: resumable})('reaction.command', {...args, killAt: 'fence'})).toMatchObject({
      killedAt: 'fence',
      says: expect.stringContaining('failover-1 was killed at fence, resumed, and went well'),
    });
    expect(port.signals).toEqual(['failover SIGKILL']);
  });

  it('that ends before it comes there fails the drill, and so does one that never comes there', async () => {
    await expect(applying({operator: operator([0]).port})('reaction.command', {...args, killAt: 'promote'})).rejects.toMatchObject({
      message: expect.stringContaining('the failover ended before it came to promote'),
    });
    const slow = operator([]);
    await expect(applying({operator: slow.port})('reaction.command', {...args, killAt: 'promote', withinMs: 100})).rejects.toMatchObject({
      message: expect.stringContaining('had not come to promote within 100 ms'),
    });
    expect(slow.signals).toEqual(['failover SIGINT']);
  });

  const stopping = (afterMs: number) => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), afterMs);
    return stop.signal;
  };

  it('is told to stop as by Ctrl+C when the drill is stopped', async () => {
    const slow = operator([]);
    await expect(applying({operator: slow.port})('reaction.command', args, stopping(10))).rejects.toMatchObject({code: 'no-reaction'});
    expect(slow.signals).toEqual(['failover SIGINT']);
  });

  it('is told so too while its moment to be killed has not come, and is not killed any more', async () => {
    const slow = operator([]);
    const asked = applying({operator: slow.port})('reaction.command', {...args, killAt: 'promote', withinMs: 1e9}, stopping(10));
    await expect(asked).rejects.toMatchObject({
      message: expect.stringContaining('the drill was stopped before the failover came to promote'),
    });
    expect(slow.signals).toEqual(['failover SIGINT']);
  });

  it('is told so when its run has been resumed, as soon as the one that resumes it heeds it', async () => {
    const slow = operator([], FENCE, 3);
    const asked = applying({operator: slow.port})('reaction.command', {...args, killAt: 'fence'}, stopping(10));
    await expect(asked).rejects.toMatchObject({message: 'regionctl runs resume failover-1 ended with 130: was told'});
    expect(slow.signals).toEqual(['failover SIGKILL', 'runs SIGINT']);
    expect(slow.looks()).toBe(4);
  });

  it('that was killed is resumed although the drill is stopped, since nobody else would bring it to where it is safe', async () => {
    const slow = operator([], FENCE);
    const stop = new AbortController();
    const port: Operator = {
      ...slow.port,
      begun: async (runId) => {
        stop.abort();
        return slow.port.begun(runId);
      },
    };
    await expect(applying({operator: port})('reaction.command', {...args, killAt: 'fence'}, stop.signal)).rejects.toMatchObject({
      code: 'no-reaction',
    });
    expect(slow.started.map(([word]) => word)).toEqual(['failover', 'runs']);
    expect(slow.signals).toEqual(['failover SIGKILL', 'runs SIGINT']);
  });

  it('is begun although clients can write all along, and has gone well once they can after it', async () => {
    const {port, started} = operator([0]);
    const asked: number[] = [];
    const writable = (until: number) => async () => {
      asked.push(started.length);
      return {holds: asked.length > until, measured: null, says: 'a write is refused'};
    };
    const senses = (until: number) => ({...wellSenses({writable: writable(until)}), sinceAckMs: () => null, loadNow: () => null});
    expect(await applying({operator: port, senses: senses(2)})('reaction.command', args)).toMatchObject({
      says: 'failover-1 went well after 0 ms',
    });
    expect(asked).toEqual([1, 1, 1]);
    await expect(applying({operator: operator([0]).port, senses: senses(99)})('reaction.command', args)).rejects.toMatchObject({
      code: 'no-reaction',
      message: 'failover-1 went well, and clients cannot write: a write is refused',
    });
  });

  describe('of a drill that was cut short', () => {
    const left = (stands: EarlierFailover['stands'], wasResumed = false): EarlierFailover => ({runId: 'failover-0', stands, wasResumed});
    /** An operator whose earlier failover stands so at each look, the last one for good. */
    function following(stands: readonly EarlierFailover[], codes: readonly number[] = []) {
      const {port, started} = operator(codes, FENCE);
      const looks = [...stands];
      const begunBefore = async () => (looks.length > 1 ? looks.shift() : looks[0]) ?? null;
      return {apply: applying({operator: {...port, begunBefore}}), started};
    }

    it('is gone on with where nobody has finished it: no second one is begun', async () => {
      const {apply, started} = following([left('unfinished')], [0]);
      expect(await apply('reaction.command', {...args, killAt: 'fence'})).toMatchObject({
        ...{runId: 'failover-0', killedAt: 'fence'},
        says: expect.stringContaining('failover-0 was begun before the drill was cut short, resumed, and went well'),
      });
      expect(started.map((words) => words.slice(0, 3))).toEqual([['runs', 'resume', 'failover-0']]);
      // It was cut short with the drill, before it came there.
      expect(await following([left('unfinished')], [0]).apply('reaction.command', {...args, killAt: 'promote'})).toMatchObject({
        killedAt: null,
      });
    });

    it('is found also where it came to be on record only after it was looked for', async () => {
      const none = null as unknown as EarlierFailover;
      const {apply, started} = following([none, left('going'), left('succeeded')], [75]);
      expect(await apply('reaction.command', args)).toMatchObject({runId: 'failover-0'});
      expect(started.map((words) => words.slice(0, 2))).toEqual([['failover', 'run']]);
      // Somebody else's failover is no reaction to this drill.
      await expect(following([none], [75]).apply('reaction.command', args)).rejects.toMatchObject({
        message: expect.stringContaining('ended with 75: said last'),
      });
    });

    it('is named where it cannot be gone on with', async () => {
      await expect(following([left('unfinished')], [2]).apply('reaction.command', args)).rejects.toMatchObject({
        ...{code: 'no-reaction', message: 'regionctl runs resume failover-0 ended with 2: said last'},
      });
    });

    it('is waited for where its process goes on, and done with where it has succeeded', async () => {
      const {apply, started} = following([left('going'), left('going'), left('succeeded')]);
      expect(await apply('reaction.command', args)).toMatchObject({
        ...{runId: 'failover-0', afterMs: 500},
        says: 'failover-0 was begun before the drill was cut short, and went well after 500 ms',
      });
      expect(started).toEqual([]);
      await expect(following([left('going')]).apply('reaction.command', args)).rejects.toMatchObject({
        message: 'failover-0 had not ended in time: a process that this drill had started before goes on with it',
      });
      await expect(following([left('going')]).apply('reaction.command', args, AbortSignal.abort())).rejects.toMatchObject({
        message: 'the drill was stopped before failover-0 had ended: a process that this drill had started before goes on with it',
      });
    });

    it('has shown nothing where it was to be killed and was not', async () => {
      const killed = {...args, killAt: 'fence'};
      await expect(following([left('succeeded')]).apply('reaction.command', killed)).rejects.toMatchObject({
        message: 'failover-0 went well without being killed at fence: the drill was cut short before that',
      });
      expect(await following([left('succeeded', true)]).apply('reaction.command', killed)).toMatchObject({killedAt: 'fence'});
    });
  });
});
